// The answer to one query as the data source sees it: columns in their order with the type that came over PGWire, and rows.
import pg from "pg";
import type { PgAddress } from "../../ingest/questdb/running.ts";
import { SQL_TYPES } from "../../ingest/questdb/sql_values.ts";

/** What Grafana makes of a column. `decimal` arrives as text, though it is a number. */
export type ColumnKind = "time" | "number" | "boolean" | "decimal" | "text";

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

export interface Frame {
  readonly columns: readonly Column[];
  /** Times are µs since 1970. */
  readonly rows: readonly (readonly unknown[])[];
}

const KINDS: ReadonlyMap<number, ColumnKind> = new Map<number, ColumnKind>([
  ...[1114, 1184, 1082].map((oid) => [oid, "time"] as const),
  ...[20, 21, 23, 700, 701].map((oid) => [oid, "number"] as const),
  [16, "boolean"],
  [1700, "decimal"],
]);

export interface FrameReader {
  /** Rejects with the server's words when it refuses the statement. */
  read(sql: string): Promise<Frame>;
  close(): Promise<void>;
}

/** One connection, as Grafana keeps them. */
export async function openFrames({ host, port, database, user, password }: PgAddress): Promise<FrameReader> {
  const client = new pg.Client({ host, port, database, user, password, types: SQL_TYPES });
  await client.connect();
  return {
    async read(sql) {
      const { fields, rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
      const columns = fields.map(({ name, dataTypeID }) => ({
        name,
        kind: KINDS.get(dataTypeID) ?? ("text" as const),
      }));
      return { columns, rows };
    },
    close: () => client.end(),
  };
}

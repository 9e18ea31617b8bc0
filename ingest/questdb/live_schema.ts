// The tables of a running QuestDB as they are: columns, keys, partitioning, retention. Reads only; judges nothing.
import * as z from "zod";
import type { Clock } from "../clock.ts";
import type { Sql } from "./sql.ts";
import { quotedText } from "./sql_text.ts";

export interface LiveColumn {
  /** As QuestDB writes it, such as SYMBOL or DOUBLE[]. */
  readonly type: string;
  readonly upsertKey: boolean;
}

export interface LiveTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, LiveColumn>;
  /** The designated timestamp, if the table has one. */
  readonly designated: string | undefined;
  readonly partitionBy: string;
  readonly wal: boolean;
  readonly dedup: boolean;
  readonly ttl: LiveTtl | undefined;
  readonly materializedView: boolean;
}

/** Rows older than this are dropped; undefined keeps them for ever. */
export interface LiveTtl {
  readonly value: number;
  readonly unit: string;
}

const TableRow = z.object({
  table_name: z.string(),
  designatedTimestamp: z.string().nullish(),
  partitionBy: z.string(),
  walEnabled: z.boolean(),
  dedup: z.boolean(),
  ttlValue: z.number(),
  ttlUnit: z.string().nullish(),
  matView: z.boolean(),
});

const ColumnRow = z.object({ column: z.string(), type: z.string(), upsertKey: z.boolean() });

/** Those of the named tables that exist. */
export async function readLiveTables(
  sql: Sql,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, LiveTable>> {
  const wanted = new Set(names);
  const rows = await sql.select(TableRow, "SELECT * FROM tables()", [], signal);
  const live = new Map<string, LiveTable>();
  for (const row of rows.filter((r) => wanted.has(r.table_name))) {
    live.set(row.table_name, {
      name: row.table_name,
      columns: await readColumns(sql, row.table_name, signal),
      designated: row.designatedTimestamp || undefined,
      partitionBy: row.partitionBy,
      wal: row.walEnabled,
      dedup: row.dedup,
      ttl: row.ttlValue > 0 ? { value: row.ttlValue, unit: row.ttlUnit ?? "" } : undefined,
      materializedView: row.matView,
    });
  }
  return live;
}

/** Names of all tables and views. */
export async function readTableNames(sql: Sql, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const Name = z.object({ table_name: z.string() });
  const rows = await sql.select(Name, "SELECT table_name FROM tables()", [], signal);
  return new Set(rows.map((row) => row.table_name));
}

const LISTED_MS = 5_000;
const POLL_MS = 10;

/**
 * Waits until tables() lists all of these; false when they are not within five seconds. While one connection makes a
 * table, others find its name taken (also by IF NOT EXISTS) a moment before they can see it.
 */
export async function waitUntilListed(
  sql: Sql,
  names: readonly string[],
  clock: Clock,
  signal?: AbortSignal,
): Promise<boolean> {
  const untilMs = clock.monotonicMs() + LISTED_MS;
  for (;;) {
    const listed = await readTableNames(sql, signal);
    if (names.every((name) => listed.has(name))) return true;
    if (clock.monotonicMs() > untilMs) return false;
    await clock.sleep(POLL_MS, signal);
  }
}

/** The columns of one table in their order; a table that does not exist is refused with DB_SQL. */
export async function readColumns(
  sql: Sql,
  table: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, LiveColumn>> {
  const text = `SELECT "column", "type", "upsertKey" FROM table_columns(${quotedText(table)})`;
  const rows = await sql.select(ColumnRow, text, [], signal);
  return new Map(rows.map(({ column, type, upsertKey }) => [column, { type, upsertKey }]));
}

const HOURS_OF_UNIT: Readonly<Record<string, readonly [least: number, most: number]>> = {
  HOUR: [1, 1],
  DAY: [24, 24],
  WEEK: [168, 168],
  MONTH: [28 * 24, 31 * 24],
  YEAR: [365 * 24, 366 * 24],
};

/** The shortest and longest span a TTL can mean, in days: months and years have no fixed length. */
export function ttlDaysOf(ttl: LiveTtl): { readonly least: number; readonly most: number } {
  const [least, most] = HOURS_OF_UNIT[ttl.unit] ?? [0, Number.POSITIVE_INFINITY];
  return { least: (ttl.value * least) / 24, most: (ttl.value * most) / 24 };
}

/** Whether any number of days can be the TTL of this table: it must be a whole number of partitions. */
export function takesTtlInDays(table: LiveTable): boolean {
  return table.partitionBy === "DAY" || table.partitionBy === "HOUR";
}

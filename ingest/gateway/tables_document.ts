// GET /v1/tables: the tables and their columns for programs and people, made from the registry.
import type { EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";

/** Days that the rows of a table are kept, by the configuration. */
export type TtlDaysOf = (table: string) => number;

interface ColumnDocument {
  readonly name: string;
  readonly type: string;
  readonly presence: string;
  readonly values?: readonly string[];
  readonly doc: string;
}

export interface TableDocument {
  readonly name: string;
  readonly why: string;
  readonly sampling: string;
  /** A row with the same keys replaces the earlier one. */
  readonly keys: readonly string[];
  readonly ttlDays: number;
  readonly partitionBy: string;
  readonly columns: readonly ColumnDocument[];
}

/** What `ts` is, for every table. */
export const TS_DOC =
  "When it happened, by the producer's clock: integer microseconds since 1970 UTC, or ISO 8601 with a zone.";

/** One table. */
export function tableDocument(event: EventDefinition, ttlDays: number): TableDocument {
  const columns = Object.entries(event.columns).map(([name, { type, presence, values, doc }]) => ({
    name,
    type,
    presence,
    ...(values === undefined ? {} : { values }),
    doc,
  }));
  return {
    name: event.name,
    why: event.why,
    sampling: event.sampling,
    keys: ["ts", ...event.keys],
    ttlDays,
    partitionBy: event.partitionBy,
    columns: [{ name: "ts", type: "TIMESTAMP", presence: "required", doc: TS_DOC }, ...columns],
  };
}

/** All tables, in the order of the registry. */
export function tablesDocument(ttlDaysOf: TtlDaysOf): { readonly tables: readonly TableDocument[] } {
  return { tables: EVENTS.map((event) => tableDocument(event, ttlDaysOf(event.name))) };
}

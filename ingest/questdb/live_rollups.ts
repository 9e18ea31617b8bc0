// The materialized views of a running QuestDB as they are. Reads only; judges nothing.
import * as z from "zod";
import type { Sql } from "./sql.ts";

export interface LiveRollup {
  readonly name: string;
  readonly base: string;
  /** Its query, as it was given. */
  readonly selectSql: string;
  /** How often it is refreshed, in minutes; undefined when it is refreshed in another way. */
  readonly refreshMinutes: number | undefined;
  /** Not refreshed any more, until a person has it made anew. */
  readonly invalid: boolean;
  /** Why; empty when it is not invalid. */
  readonly reason: string;
  /** Transactions of its table that it has not seen. */
  readonly lagTxns: number;
  /** End of the newest refresh, µs; 0 before the first. */
  readonly refreshedUs: number;
}

const View = z.object({
  view_name: z.string(),
  base_table_name: z.string(),
  view_sql: z.string(),
  refresh_type: z.string(),
  timer_interval: z.number().nullish(),
  timer_interval_unit: z.string().nullish(),
  view_status: z.string(),
  invalidation_reason: z.string().nullish(),
  refresh_base_table_txn: z.number(),
  base_table_txn: z.number(),
  last_refresh_finish_timestamp: z.number().nullish(),
});

/** Every view by name, in one query that reads no data. Errors are those of `Sql`. */
export async function readLiveRollups(
  sql: Sql,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, LiveRollup>> {
  const rows = await sql.select(View, "SELECT * FROM materialized_views()", [], signal);
  return new Map(
    rows.map((row) => [
      row.view_name,
      {
        name: row.view_name,
        base: row.base_table_name,
        selectSql: row.view_sql,
        refreshMinutes: minutesOf(row),
        invalid: row.view_status === "invalid",
        reason: row.invalidation_reason ?? "",
        lagTxns: Math.max(0, row.base_table_txn - row.refresh_base_table_txn),
        refreshedUs: row.last_refresh_finish_timestamp ?? 0,
      },
    ]),
  );
}

function minutesOf(row: z.output<typeof View>): number | undefined {
  const isTimed = row.refresh_type === "timer" && row.timer_interval_unit === "MINUTE";
  return isTimed ? (row.timer_interval ?? undefined) : undefined;
}

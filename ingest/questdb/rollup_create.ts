// Makes the rollups that are missing, once their tables are there. Never changes or drops one. Safe when several processes
// start at once. A rollup serves dashboards alone, so one that cannot be made keeps no row from being written.
import type { RollupDefinition } from "../../schema/define_rollup.ts";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { readTableNames, waitUntilListed } from "./live_schema.ts";
import type { Sql } from "./sql.ts";

export interface RollupReport {
  readonly created: readonly string[];
  /** Those that QuestDB would not make, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** Throws DB_UNAVAILABLE when the server goes away; what QuestDB refuses is in the report. */
export async function createMissingRollups(
  sql: Sql,
  rollups: readonly RollupDefinition[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<RollupReport> {
  const present = await readTableNames(sql, signal);
  const created: string[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const rollup of rollups.filter(({ name }) => !present.has(name))) {
    try {
      // IF NOT EXISTS in it makes this safe beside another process that is creating the same.
      await sql.query(rollup.createSql, [], signal);
      created.push(rollup.name);
    } catch (error) {
      if (!(error instanceof TickwatchError) || error.code !== "DB_SQL") throw error;
      refused.push({ name: rollup.name, reason: error.message });
    }
  }
  await waitUntilListed(sql, created, clock, signal);
  if (created.length > 0) log.info({ rollups: created }, "rollups created");
  for (const { name, reason } of refused) {
    log.warn({ rollup: name, reason }, "a rollup cannot be made: panels over more than a day lack it");
  }
  return { created, refused };
}

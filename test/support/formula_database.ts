// A QuestDB of its own with the real tables and rollups and a few rows made by hand.
import { loadSlots } from "../../bench/workload/load_slots.ts";
import type { Slot } from "../../bench/workload/w90/stream.ts";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { shippedPath } from "../../ingest/package_root.ts";
import { migrate } from "../../ingest/questdb/migrate.ts";
import { createMissingRollups } from "../../ingest/questdb/rollup_create.ts";
import { openSql, type Sql } from "../../ingest/questdb/sql.ts";
import { quotedName } from "../../ingest/questdb/sql_text.ts";
import { waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import { EVENTS } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import { startQuestdbInstance } from "./questdb_instance.ts";
import { until } from "./questdb_until.ts";

export interface FormulaDatabase {
  readonly sql: Sql;
  remove(): Promise<void>;
}

const APPLIED_MS_MAX = 60_000;

/** For beforeAll; the caller removes it. Queries see the rows, and rollups have them, when it resolves. */
export async function startFormulaDatabase(slots: readonly Slot[]): Promise<FormulaDatabase> {
  const server = await startQuestdbInstance({ keep: true });
  const sql = openSql(server.pg);
  const remove = async () => {
    await sql.close();
    await server.remove();
  };
  try {
    await fill(sql, server.http, slots);
    return { sql, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function fill(sql: Sql, http: string, slots: readonly Slot[]): Promise<void> {
  const clock = systemClock();
  const log = createLog({ level: "error", format: "text" });
  const migrationsDir = shippedPath("schema", "migrations");
  const { signal } = new AbortController();
  await migrate(sql, EVENTS, { ttlDaysByTable: new Map(), migrationsDir, log, clock }, signal);
  const counts = await loadSlots({ http }, slots);
  for (const table of counts.keys()) {
    await waitUntilApplied(sql, table, { clock, timeoutMs: APPLIED_MS_MAX }, signal);
  }
  // Made of all the rows at once, and not touched afterwards.
  await createMissingRollups(sql, ROLLUPS, { clock, log }, signal);
  const filled = ROLLUPS.filter(({ base }) => counts.has(base)).map(({ name }) => quotedName(name));
  for (const name of filled) await sql.query(`REFRESH MATERIALIZED VIEW ${name} FULL`);
  for (const name of filled) {
    await until(
      `rows in ${name}`,
      async () => (await sql.query(`SELECT ts FROM ${name} LIMIT 1`)).length > 0,
    );
  }
}

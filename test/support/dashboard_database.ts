import { createMissingRollups } from "../../ingest/questdb/rollup_create.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { shippedPath } from "../../ingest/package_root.ts";
import { migrate } from "../../ingest/questdb/migrate.ts";
import { openSql } from "../../ingest/questdb/sql.ts";
import { waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import { EVENTS } from "../../schema/registry.ts";
import { loadSlots } from "../../bench/workload/load_slots.ts";
import { startQuestdbInstance } from "./questdb_instance.ts";
export interface DashboardDatabase { pg: any; remove(): Promise<void> }
export async function startDashboardDatabase(rows: (nowUs: number) => any): Promise<DashboardDatabase> {
  const server = await startQuestdbInstance({ keep: true }); const sql = openSql(server.pg); const clock = systemClock();
  await migrate(sql, EVENTS, { ttlDaysByTable: new Map(), migrationsDir: shippedPath("schema", "migrations"), log: createLog({ level: "error", format: "text" }), clock } as never, new AbortController().signal);
  const counts = await loadSlots({ http: server.http }, rows(clock.nowUs()));
  for (const t of counts.keys()) await waitUntilApplied(sql, t, { clock, timeoutMs: 30000 });
  await createMissingRollups(sql, ROLLUPS, { clock, log: createLog({ level: "error", format: "text" }) }, new AbortController().signal);
  for (const r of ROLLUPS) await sql.query(`REFRESH MATERIALIZED VIEW "${r.name}" FULL`);
  await new Promise((r) => setTimeout(r, 3000)); await sql.close();
  return { pg: server.pg, remove: () => server.remove() };
}

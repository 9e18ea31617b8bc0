// A QuestDB of its own with the real tables and rollups, empty at first, for the queries of the dashboards.
import { vi } from "vitest";
import * as z from "zod";
import { type FrameReader, openFrames } from "../../bench/panels/frame.ts";
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

export interface DashboardDatabase {
  readonly frames: FrameReader;
  /** Writes the rows of now (µs) and resolves with that moment when queries and rollups have them. */
  fill(rowsOf: (nowUs: number) => Iterable<Slot>): Promise<number>;
  remove(): Promise<void>;
}

const APPLY_MS = 60_000;

/** Migrated and empty. For beforeAll; the caller removes it. */
export async function startDashboardDatabase(): Promise<DashboardDatabase> {
  const server = await startQuestdbInstance({ keep: true });
  const sql = openSql(server.pg);
  try {
    const clock = systemClock();
    const { signal } = new AbortController();
    const log = createLog({ level: "error", format: "text" });
    const options = {
      ttlDaysByTable: new Map(EVENTS.map(({ name, ttlDays }) => [name, ttlDays])),
      migrationsDir: shippedPath("schema", "migrations"),
      ...{ log, clock },
    };
    await migrate(sql, EVENTS, options, signal);
    const { refused } = await createMissingRollups(sql, ROLLUPS, { clock, log }, signal);
    if (refused.length > 0) throw new Error(`QuestDB refuses rollups: ${JSON.stringify(refused)}`);
    const frames = await openFrames(server.pg);
    return {
      frames,
      async fill(rowsOf) {
        const nowUs = clock.nowUs();
        const counts = await loadSlots({ http: server.http }, rowsOf(nowUs));
        for (const table of counts.keys()) await waitUntilApplied(sql, table, { clock, timeoutMs: APPLY_MS });
        await refreshRollups(sql);
        return nowUs;
      },
      async remove() {
        await frames.close();
        await sql.close();
        await server.remove();
      },
    };
  } catch (error) {
    await sql.close();
    await server.remove();
    throw error;
  }
}

const ViewSchema = z.object({
  view_name: z.string(),
  view_status: z.string(),
  invalidation_reason: z.string().nullable(),
  refresh_base_table_txn: z.number().nullable(),
  base_table_txn: z.number().nullable(),
});

/** They are refreshed once a minute by themselves, which is too late here. */
async function refreshRollups(sql: Sql): Promise<void> {
  const views = await readViews(sql);
  for (const { view_name: name } of views)
    await sql.query(`REFRESH MATERIALIZED VIEW ${quotedName(name)} FULL`);
  await vi.waitFor(
    async () => {
      const behind = (await readViews(sql)).filter(
        (view) => view.view_status !== "valid" || view.refresh_base_table_txn !== view.base_table_txn,
      );
      if (behind.length > 0) throw new Error(`rollups are not ready: ${JSON.stringify(behind)}`);
    },
    { timeout: APPLY_MS, interval: 50 },
  );
}

function readViews(sql: Sql) {
  return sql.select(
    ViewSchema,
    "SELECT view_name, view_status, invalidation_reason, refresh_base_table_txn, base_table_txn FROM materialized_views()",
  );
}

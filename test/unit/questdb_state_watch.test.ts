// The watch tells once of each trouble with the statement that mends it, counts it while it lasts, and is not fooled by a
// rollup that is only about to be refreshed.
import { expect, onTestFinished, test } from "vitest";
import { createMetrics } from "../../ingest/metrics/record.ts";
import type { TableHealth } from "../../ingest/questdb/health.ts";
import type { LiveRollup } from "../../ingest/questdb/live_rollups.ts";
import { createStateWatch, type StoreState } from "../../ingest/questdb/state_watch.ts";
import { testContext, WARN } from "../support/source_context.ts";

const HEALTHY: TableHealth = {
  ...{ table: "fills", suspended: false, suspendReason: "", walTxn: 7, writerTxn: 5, pendingRows: 3 },
  ...{ memoryPressure: 0, dedupRows: 0, rowCount: 10, walTxSizeP90: 1, writeAmpP99: 1 },
};
const VALID: LiveRollup = {
  ...{ name: "fetches_1h", base: "fetches", selectSql: "", refreshMinutes: 1 },
  ...{ invalid: false, reason: "", lagTxns: 0, refreshedUs: 1 },
};

/** A watch over one table and one rollup, which say what the test sets. */
function watching() {
  const { clock, log, lines } = testContext();
  const said = { table: HEALTHY as TableHealth | undefined, rollup: VALID };
  const troubles: string[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const stop = new AbortController();
  const watch = createStateWatch({
    readTables: async () => {
      if (said.table === undefined) throw new Error("away");
      return new Map([["fills", said.table]]);
    },
    readRollups: async () => new Map([["fetches_1h", said.rollup]]),
    tables: new Set(["fills"]),
    rollups: new Set(["fetches_1h"]),
    ...{ clock, log, metrics },
    onTrouble: (name, { state }: StoreState) => troubles.push(`${name} ${state}`),
  });
  const running = watch.run(stop.signal);
  onTestFinished(() => {
    stop.abort();
    metrics.close();
    return running;
  });
  const look = () => clock.advance(10_000);
  return { watch, said, troubles, metrics, lines, look };
}

test("tables and rollups that are well are told with their backlog, and nobody is alarmed", async () => {
  const { watch, troubles, look } = watching();
  await look();
  expect(watch.states().get("fills")).toEqual({ state: "ok", reason: null, lag_txns: 2, pending_rows: 3 });
  expect(watch.states().get("fetches_1h")).toMatchObject({ state: "ok", lag_txns: 0, pending_rows: null });
  expect([troubles, [...watch.suspended()]]).toEqual([[], []]);
});

test("a suspended table is told once, with the statement that resumes it, and counted while it lasts", async () => {
  const { watch, said, troubles, metrics, lines, look } = watching();
  said.table = { ...HEALTHY, suspended: true, suspendReason: "disk full" };
  await look();
  await look();
  expect(troubles).toEqual(["fills suspended"]);
  expect(watch.suspended()).toEqual(new Map([["fills", "disk full"]]));
  expect(lines).toMatchObject([{ level: 50, table: "fills", remedy: 'ALTER TABLE "fills" RESUME WAL' }]);
  expect(await metrics.total("tickwatch_table_suspended", { table: "fills" })).toBe(1);
  said.table = HEALTHY;
  await look();
  expect(watch.suspended().size).toBe(0);
  expect(await metrics.total("tickwatch_table_suspended", { table: "fills" })).toBe(0);
});

test("an invalid rollup is told once, with the reason and the statement that makes it anew", async () => {
  const { watch, said, troubles, metrics, lines, look } = watching();
  said.rollup = { ...VALID, invalid: true, reason: "truncate operation" };
  await look();
  await look();
  expect(troubles).toEqual(["fetches_1h invalid"]);
  expect(watch.states().get("fetches_1h")).toMatchObject({ state: "invalid", reason: "truncate operation" });
  expect(lines).toMatchObject([
    { level: WARN, remedy: expect.stringContaining('REFRESH MATERIALIZED VIEW "fetches_1h" FULL') },
  ]);
  expect(await metrics.total("tickwatch_rollup_broken", { rollup: "fetches_1h" })).toBe(1);
});

test("a rollup is stale when it lags and was not refreshed for ten minutes, not sooner, and not while it is refreshed", async () => {
  const { watch, said, troubles, look } = watching();
  said.rollup = { ...VALID, lagTxns: 4 };
  for (let i = 0; i < 60; i++) await look();
  expect(troubles).toEqual([]);
  said.rollup = { ...VALID, lagTxns: 4, refreshedUs: 2 };
  for (let i = 0; i < 60; i++) await look();
  expect(troubles).toEqual([]);
  await look();
  await look();
  expect(troubles).toEqual(["fetches_1h stale"]);
  said.rollup = { ...VALID, refreshedUs: 3 };
  await look();
  expect(watch.states().get("fetches_1h")).toMatchObject({ state: "ok" });
});

test("while QuestDB does not answer nothing is claimed of any state, and a suspension is not forgotten", async () => {
  const { watch, said, look } = watching();
  said.table = { ...HEALTHY, suspended: true };
  await look();
  said.table = undefined;
  await look();
  expect(watch.states().size).toBe(0);
  expect([...watch.suspended().keys()]).toEqual(["fills"]);
});

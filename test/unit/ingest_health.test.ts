// Protects: tickwatch reports about every table every ten seconds.
import { expect, onTestFinished, test } from "vitest";
import { createIngestHealthSource, type TableHealth } from "../../ingest/sources/ingest_health.ts";
import { eventually } from "../support/eventually.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { RecordingPush } from "../support/recording_push.ts";
import { testContext } from "../support/source_context.ts";
import { sourceContract } from "../support/source_contract.ts";

const FILLS: TableHealth = {
  table: "fills",
  accepted: 10,
  written: 8,
  rejected: 1,
  dead_lettered: 1,
  retried: 2,
  spool_bytes: 512,
  oldest_pending_ms: 12.5,
  queryable_p50_ms: 40,
  queryable_p99_ms: 90,
};
const ORDERS: TableHealth = {
  table: "orders",
  accepted: 0,
  written: 0,
  rejected: 0,
  dead_lettered: 0,
  retried: 0,
};

sourceContract("ingest_health", () => {
  const context = testContext();
  const source = createIngestHealthSource({ context, tableHealth: () => [FILLS] });
  return { source, provoke: () => context.clock.advance(10_000) };
});

test("every table has a row at once and one every ten seconds, all of one slot with one time", async () => {
  const context = testContext();
  let accepted = 10;
  const tableHealth = () => [{ ...FILLS, accepted: accepted++ }, ORDERS];
  const source = createIngestHealthSource({ context, tableHealth });
  const pushed = new RecordingPush();
  const stop = new AbortController();
  const running = source.run(pushed.push, stop.signal);
  onTestFinished(() => {
    stop.abort();
    return running;
  });
  await eventually(() => expect(pushed.calls).toBe(1));
  await context.clock.advance(10_000);
  await eventually(() => expect(pushed.calls).toBe(2));
  const later = NOON_US + 10_000_000;
  expect(pushed.rowsOf("ingest_health")).toMatchObject([
    { ts: NOON_US, instance: "test:1", ...FILLS },
    { ts: NOON_US, instance: "test:1", ...ORDERS },
    { ts: later, ...FILLS, accepted: 11 },
    { ts: later, ...ORDERS },
  ]);
});

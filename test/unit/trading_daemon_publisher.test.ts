// Protects: a trading daemon loses nothing when the gateway is busy, stopping or away, and repeats the same bytes.
import { expect, onTestFinished, test, vi } from "vitest";
import { STRATEGIES } from "../../ingest/demo/trading/strategy.ts";
import type { CollectedRow, EventCollector } from "../support/event_collector.ts";
import { eventually } from "../support/eventually.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { WARN } from "../support/source_context.ts";
import {
  groupedBy,
  startTrading,
  TRADING_TABLES,
  type TradingSession,
  tradeFor,
} from "../support/trading_session.ts";

/** Lets time pass until the condition holds. */
async function liveUntil(session: TradingSession, holds: () => boolean): Promise<void> {
  await eventually(async () => {
    if (holds()) return;
    await session.live(500);
    expect(holds()).toBe(true);
  });
}

/** Bodies of a table in the order of their first arrival, and how often each came. */
function bodiesOf(collector: EventCollector, table: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const sent of collector.bodies.filter((b) => b.table === table)) {
    times.set(sent.body, (times.get(sent.body) ?? 0) + 1);
  }
  return times;
}

test.each([
  ["answers 429", { status: 429, retryAfterS: 2 }],
  ["answers 503", { status: 503 }],
  ["drops the connection after storing", { drop: true, store: true }],
] as const)("a gateway that %s gets the identical rows again, and none is lost", async (_, trouble) => {
  const session = await startTrading();
  onTestFinished(() => session.end().catch(() => {}));
  const { collector } = session;
  let troubles = 0;
  collector.trouble = (table) => (table === "signals" && troubles++ < 3 ? trouble : undefined);
  await liveUntil(session, () => troubles > 3);
  await session.live(30_000);
  await session.end();
  const times = [...bodiesOf(collector, "signals").values()];
  expect(times[0]).toBe(4);
  expect(times.slice(1).every((count) => count === 1)).toBe(true);
  expect(session.lines.filter((line) => line.level >= WARN)).toHaveLength(1);
  const calm = await tradeFor(session.clock.monotonicMs(), 1);
  const idsOf = (rows: readonly CollectedRow[] = []) => [...new Set(rows.map((row) => row["event_id"]))];
  expect(idsOf(collector.rows.get("signals"))).toEqual(idsOf(calm.get("signals")));
  expect(collector.invalid).toEqual([]);
});

test("a gateway that is away for a minute gets everything when it is back, in order", async () => {
  const session = await startTrading();
  onTestFinished(() => session.end().catch(() => {}));
  const { collector } = session;
  collector.trouble = () => ({ drop: true });
  await session.live(60_000);
  collector.trouble = () => undefined;
  await liveUntil(session, () => collector.rows.size === TRADING_TABLES.length);
  await session.end();
  const pnl = collector.rows.get("pnl") ?? [];
  const slots = [...new Set(pnl.map((row) => row.ts))];
  const upTo = Math.floor((session.clock.nowUs() - NOON_US) / 10_000_000);
  expect(slots.slice(1)).toEqual(Array.from({ length: upTo }, (_, i) => NOON_US + (i + 1) * 10_000_000));
});

test("a body that is too large is sent in smaller pieces", async () => {
  const session = await startTrading();
  onTestFinished(() => session.end().catch(() => {}));
  const { collector } = session;
  collector.trouble = (table, rows) => (table === "metrics" && rows > 2 ? { status: 413 } : undefined);
  await session.live(60_000);
  await session.end();
  const rows = collector.rows.get("metrics") ?? [];
  const slots = groupedBy(rows, "ts");
  expect([...slots.values()].every((list) => list.length === STRATEGIES.length)).toBe(true);
  expect(rows.length).toBe(7 * STRATEGIES.length);
});

test("a gateway that never comes back does not keep the daemon from ending, and the loss is logged", async () => {
  const session = await startTrading();
  session.collector.trouble = () => ({ status: 503 });
  await session.live(5_000);
  const ended = session.end();
  const done = vi.fn();
  void ended.then(done);
  await eventually(async () => {
    await session.clock.advance(1_000);
    expect(done).toHaveBeenCalled();
  });
  expect(session.lines.at(-1)).toMatchObject({ level: WARN, msg: expect.stringContaining("lost") });
});

test("the key goes with every request", async () => {
  const session = await startTrading({ key: "a-key-for-this-test" });
  await session.live(1_000);
  await session.end();
  expect([...session.collector.authorizations]).toEqual(["Bearer a-key-for-this-test"]);
});

test("without a key there is no authorization, and the last row is the stop", async () => {
  const session = await startTrading();
  await session.live(1_000);
  await session.end();
  expect([...session.collector.authorizations]).toEqual([undefined]);
  expect(session.collector.rows.get("daemon_events")?.map((row) => row["event"])).toEqual([
    "started",
    "stopped",
  ]);
});

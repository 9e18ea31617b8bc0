import { describe, expect, test } from "vitest";
import { TickwatchError } from "../../ingest/errors.ts";
import { createMetrics } from "../../ingest/metrics/record.ts";
import { Lane } from "../../ingest/sources/ccxt/lane.ts";
import type { Push } from "../../ingest/sources/source.ts";
import type { EventInput } from "../../schema/registry.ts";
import { NOON_US, settle } from "../support/manual_clock.ts";
import { RecordingPush, spoolFull } from "../support/recording_push.ts";
import { testContext } from "../support/source_context.ts";

function rows(count: number, first = 0): EventInput<"liquidations">[] {
  return Array.from({ length: count }, (_, i) => ({
    ts: NOON_US + first + i,
    exchange: "okx",
    symbol: "BTC/USDT:USDT",
    side: "sell",
    price: 1,
    amount: 1,
  }));
}

function laneForTest(push?: Push) {
  const { clock, log, lines } = testContext();
  const metrics = createMetrics({ processMetrics: false });
  const pushed = new RecordingPush();
  const stop = new AbortController();
  const lane = new Lane("liquidations", {
    push: push ?? pushed.push,
    clock,
    log,
    metrics,
    signal: stop.signal,
  });
  const lost = (reason: string) =>
    metrics.total("tickwatch_source_discarded_total", { table: "liquidations", reason });
  return { clock, lines, pushed, stop, lane, lost };
}

describe("a lane", () => {
  test("has one push under way, and joins what came in the meantime", async () => {
    const { lane, pushed } = laneForTest();
    pushed.hold();
    lane.offer(rows(1));
    await settle();
    for (let i = 1; i < 100; i++) lane.offer(rows(1, i));
    await settle();
    expect([pushed.calls, pushed.underWay]).toEqual([1, 1]);
    pushed.release();
    await lane.settle();
    expect(pushed.calls).toBe(2);
    expect(pushed.rowsOf("liquidations").map(({ ts }) => ts - NOON_US)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  test("tells each caller how many of its own rows were accepted", async () => {
    const rejected = [1, 4].map((index) => ({ index, reason: "time_too_old" as const, message: "too old" }));
    const push: Push = async (_, all) => ({ accepted: all.length - rejected.length, rejected });
    const { lane } = laneForTest(push);
    const counts = await Promise.all([lane.put(rows(3)), lane.put(rows(2, 3)), lane.put([])]);
    expect(counts).toEqual([2, 1, 0]);
  });

  test("repeats a push that was refused until it is taken, and says so once", async () => {
    const { lane, pushed, clock, lines } = laneForTest();
    pushed.refusal = spoolFull();
    const accepted = lane.put(rows(3));
    await clock.advance(60_000);
    expect(pushed.calls).toBeGreaterThan(10);
    pushed.refusal = undefined;
    await clock.advance(5_000);
    expect(await accepted).toBe(3);
    expect(pushed.rowsOf("liquidations")).toHaveLength(3);
    expect(lines.map(({ msg }) => msg)).toEqual(["rows are not taken; waiting", "rows are taken again"]);
  });

  test("tries what waits once more when the source stops, then gives it up, counted", async () => {
    const { lane, pushed, clock, stop, lost, lines } = laneForTest();
    pushed.refusal = new TickwatchError("STOPPING", "this process takes nothing more");
    const accepted = lane.put(rows(3));
    await clock.advance(1_000);
    const calls = pushed.calls;
    stop.abort();
    await lane.settle();
    expect(await accepted).toBe(0);
    expect(pushed.calls).toBe(calls + 1);
    expect(await lost("source_stopped")).toBe(3);
    expect(lines.at(-1)).toMatchObject({ level: 50, rows: 3 });
  });

  test("refuses what is offered beyond its limit, counted, and loses nothing below it", async () => {
    const { lane, pushed, lost, lines } = laneForTest();
    pushed.hold();
    for (let i = 0; i < 51; i++) lane.offer(rows(1_000, i * 1_000));
    await settle();
    expect(await lost("source_full")).toBe(1_000);
    pushed.release();
    await lane.settle();
    expect(pushed.rowsOf("liquidations")).toHaveLength(50_000);
    expect(lines.filter(({ level }) => level === 50).map(({ msg }) => msg)).toEqual([
      "rows lost: too many wait already",
      "rows were lost while too many waited",
    ]);
  });
});

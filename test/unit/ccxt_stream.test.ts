import { describe, expect, test, vi } from "vitest";
import { type Bench, ccxtBench, EVENTUALLY, simulatorForBench } from "../support/ccxt_bench.ts";
import { spoolFull } from "../support/recording_push.ts";

const SLOW = { timeout: 90_000 };
const LIQUIDATIONS = { datasets: ["liquidations" as const] };
const CHANNEL = "ws:liquidations";

type Simulator = Awaited<ReturnType<typeof simulatorForBench>>;
type Venue = "okx" | "binanceusdm";

/** Resolves when the venue has taken the subscription: a liquidation came through. */
async function untilFlowing(bench: Bench, simulator: Simulator, venue: Venue): Promise<number> {
  await bench.untilState(CHANNEL, "connected");
  return vi.waitFor(async () => {
    await simulator.control({ fault: "burst", venue, count: 10, withinMs: 20 });
    const rows = bench.rows("liquidations").length;
    expect(rows).toBeGreaterThan(0);
    return rows;
  }, EVENTUALLY);
}

/** Waits until everything that was sent is there. */
async function untilAllArrived(bench: Bench, simulator: Simulator, venue: Venue): Promise<void> {
  await vi.waitFor(
    () => expect(bench.rows("liquidations").length).toBe(simulator.stats()[venue].liquidationsSent),
    EVENTUALLY,
  );
}

function distinct(bench: Bench): number {
  const keys = bench.rows("liquidations").map((row) => `${row.ts} ${row["symbol"]} ${row["event_id"]}`);
  return new Set(keys).size;
}

describe("a burst of liquidations", () => {
  for (const [venue, groupSize] of [
    ["binanceusdm", 1],
    ["okx", 1],
    // Several to a message: CCXT parses the first only.
    ["okx", 7],
  ] as const) {
    test(`${venue}: 2,000 at once, ${groupSize} to a message, are 2,000 rows`, SLOW, async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench(venue, { url: simulator.url, exchange: LIQUIDATIONS });
      bench.start();
      await untilFlowing(bench, simulator, venue);
      await untilAllArrived(bench, simulator, venue);
      const before = bench.rows("liquidations").length;
      await simulator.control({ fault: "burst", venue, count: 2_000, withinMs: 100, groupSize });
      await untilAllArrived(bench, simulator, venue);
      expect(bench.rows("liquidations").length).toBe(before + 2_000);
      expect(distinct(bench)).toBe(before + 2_000);
    });
  }

  test("is kept while nobody takes it, and arrives in order when somebody does", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("binanceusdm", {
      url: simulator.url,
      exchange: { ...LIQUIDATIONS, symbols: ["BTC/USDT:USDT"] },
    });
    bench.start();
    const symbols = ["BTC/USDT:USDT" as const];
    await bench.untilState(CHANNEL, "connected");
    await vi.waitFor(async () => {
      await simulator.control({ fault: "burst", venue: "binanceusdm", count: 1, withinMs: 1, symbols });
      expect(bench.rows("liquidations").length).toBeGreaterThan(0);
    }, EVENTUALLY);
    bench.pushed.refusal = spoolFull();
    const calls = bench.pushed.calls;
    await simulator.control({ fault: "burst", venue: "binanceusdm", count: 2_000, withinMs: 100, symbols });
    await vi.waitFor(() => expect(bench.pushed.calls).toBeGreaterThan(calls + 2), EVENTUALLY);
    expect(bench.rows("liquidations").length).toBeLessThan(2_000);
    bench.pushed.refusal = undefined;
    await untilAllArrived(bench, simulator, "binanceusdm");
    expect(distinct(bench)).toBe(bench.rows("liquidations").length);
    const times = bench.rows("liquidations").map((row) => row.ts);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(bench.said().filter((line) => line === "rows are not taken; waiting")).toHaveLength(1);
  });

  test("of a symbol that isn't configured leaves no row", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", {
      url: simulator.url,
      exchange: { ...LIQUIDATIONS, symbols: ["ETH/USDT:USDT"] },
    });
    bench.start();
    await untilFlowing(bench, simulator, "okx");
    await simulator.control({ fault: "burst", venue: "okx", count: 100, withinMs: 50 });
    await simulator.control({
      fault: "burst",
      venue: "okx",
      count: 5,
      withinMs: 5,
      symbols: ["ETH/USDT:USDT"],
    });
    await bench.untilRows("liquidations", 16);
    expect(new Set(bench.rows("liquidations").map((row) => row["symbol"]))).toEqual(
      new Set(["ETH/USDT:USDT"]),
    );
  });
});

describe("a stream that breaks", () => {
  test("is recorded with its close code, dialled again, and delivers", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", { url: simulator.url, exchange: LIQUIDATIONS });
    bench.start();
    await untilFlowing(bench, simulator, "okx");
    await simulator.control({ fault: "drop", venue: "okx", channel: "ws", closeCode: 4008 });
    const lost = await bench.untilState(CHANNEL, "disconnected");
    expect(lost).toMatchObject({ close_code: 4008, reason: "closed with code 4008" });
    const back = await bench.untilState(CHANNEL, "connected", 2);
    expect(Number(back["downtime_ms"])).toBeGreaterThan(0);
    const before = bench.rows("liquidations").length;
    await vi.waitFor(async () => {
      await simulator.control({ fault: "burst", venue: "okx", count: 10, withinMs: 20 });
      expect(bench.rows("liquidations").length).toBeGreaterThan(before);
    }, EVENTUALLY);
    expect(bench.states(CHANNEL)).toHaveLength(3);
    // REST was looked at and is fine.
    expect(bench.states("rest").map((row) => row["state"])).toEqual(["connected"]);
    const labels = { channel: CHANNEL, exchange: "okx" };
    expect(await bench.metrics.total("tickwatch_exchange_reconnects_total", labels)).toBe(1);
  });

  test("without a close code is recorded as cut", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("binanceusdm", { url: simulator.url, exchange: LIQUIDATIONS });
    bench.start();
    await bench.untilState(CHANNEL, "connected");
    await simulator.control({ fault: "drop", venue: "binanceusdm", channel: "ws" });
    const lost = await bench.untilState(CHANNEL, "disconnected");
    expect(lost["reason"]).toMatch(/cut without a closing handshake|ECONNRESET/);
    await bench.untilState(CHANNEL, "connected", 2);
  });

  test("half-open, is found by its missing pong and cut", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("binanceusdm", {
      url: simulator.url,
      exchange: LIQUIDATIONS,
      pipeline: { connectivityEveryMs: 300, fetchTimeoutMs: 1_000 },
    });
    bench.start();
    await vi.waitFor(() => {
      const sample = bench
        .rows("connectivity")
        .find((row) => row["channel"] === CHANNEL && row["latency_ms"]);
      expect(sample).toBeDefined();
    }, EVENTUALLY);
    await simulator.control({ fault: "stall", venue: "binanceusdm", channel: "ws" });
    const lost = await bench.untilState(CHANNEL, "disconnected");
    expect(lost["reason"]).toBe("no answer to a ping in 1000 ms");
    await simulator.control({ fault: "clear" });
    await bench.untilState(CHANNEL, "connected", 2);
  });
});

describe("a stream that goes quiet", () => {
  test(
    "is degraded and renewed, once in a while, and connected again with the next liquidation",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("okx", {
        url: simulator.url,
        exchange: LIQUIDATIONS,
        pipeline: { staleAfterMs: 700 },
      });
      bench.start();
      await bench.untilState(CHANNEL, "connected");
      const degraded = await bench.untilState(CHANNEL, "degraded");
      expect(degraded["reason"]).toContain("no liquidation for 700 ms");
      await vi.waitFor(() => expect(simulator.stats().okx.wsOpenedTotal).toBeGreaterThan(2), EVENTUALLY);
      expect(bench.states(CHANNEL).map((row) => row["state"])).toEqual(["connected", "degraded"]);
      const renewed = simulator.stats().okx.wsOpenedTotal;
      await vi.waitFor(async () => {
        await simulator.control({ fault: "burst", venue: "okx", count: 3, withinMs: 10 });
        expect(bench.rows("liquidations").length).toBeGreaterThan(0);
      }, EVENTUALLY);
      const back = await bench.untilState(CHANNEL, "connected", 2);
      expect(Number(back["downtime_ms"])).toBeGreaterThan(700);
      const labels = { channel: CHANNEL };
      expect(await bench.metrics.total("tickwatch_exchange_reconnects_total", labels)).toBeGreaterThanOrEqual(
        renewed - 1,
      );
    },
  );

  test("and answers no ping, is cut and dialled again", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", {
      url: simulator.url,
      exchange: LIQUIDATIONS,
      pipeline: { staleAfterMs: 1_500, fetchTimeoutMs: 600 },
    });
    bench.start();
    await bench.untilState(CHANNEL, "connected");
    await simulator.control({ fault: "stall", venue: "okx", channel: "ws" });
    const lost = await bench.untilState(CHANNEL, "disconnected");
    expect(lost["reason"]).toBe("no answer to a ping in 600 ms");
    await simulator.control({ fault: "clear" });
    await bench.untilState(CHANNEL, "connected", 2);
  });
});

describe("a stream that talks nonsense", () => {
  for (const venue of ["okx", "binanceusdm"] as const) {
    for (const fault of ["malformed_json", "wrong_types"] as const) {
      test(
        `${venue}, ${fault}: degraded, counted, nothing written; connected again when it makes sense`,
        SLOW,
        async () => {
          const simulator = await simulatorForBench();
          const bench = ccxtBench(venue, {
            url: simulator.url,
            exchange: LIQUIDATIONS,
            // Also how long a bad message is remembered.
            pipeline: { staleAfterMs: 20_000 },
          });
          bench.start();
          await untilFlowing(bench, simulator, venue);
          await untilAllArrived(bench, simulator, venue);
          const before = bench.rows("liquidations").length;
          await simulator.control({ fault, venue, channel: "ws", count: 5 });
          await simulator.control({ fault: "burst", venue, count: 50, withinMs: 50 });
          const degraded = await bench.untilState(CHANNEL, "degraded");
          expect(degraded["reason"]).toContain("unusable");
          await bench.untilRows("liquidations", before + 45);
          await untilAllArrived(bench, simulator, venue);
          expect(bench.rows("liquidations").length).toBe(before + 45);
          const rejected = { table: "liquidations", reason: "malformed_response" };
          expect(await bench.metrics.total("tickwatch_source_discarded_total", rejected)).toBe(5);
          // Good and bad ones in turn are one change, not one each.
          expect(bench.states(CHANNEL).map((row) => row["state"])).toEqual(["connected", "degraded"]);
        },
      );
    }
  }

  test("is connected again when it has made sense for a while", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", {
      url: simulator.url,
      exchange: LIQUIDATIONS,
      // Also how long a bad message is remembered.
      pipeline: { staleAfterMs: 3_000 },
    });
    bench.start();
    await untilFlowing(bench, simulator, "okx");
    await simulator.control({ fault: "wrong_types", venue: "okx", channel: "ws", count: 1 });
    await simulator.control({ fault: "burst", venue: "okx", count: 2, withinMs: 2 });
    await bench.untilState(CHANNEL, "degraded");
    await vi.waitFor(async () => {
      await simulator.control({ fault: "burst", venue: "okx", count: 2, withinMs: 20 });
      expect(bench.states(CHANNEL).map((row) => row["state"])).toEqual([
        "connected",
        "degraded",
        "connected",
      ]);
    }, EVENTUALLY);
    expect(Number(bench.states(CHANNEL)[2]?.["downtime_ms"])).toBeGreaterThanOrEqual(3_000);
  });
});

import { describe, expect, test, vi } from "vitest";
import { startExchangeSimulator } from "../../ingest/demo/simulator/simulator.ts";
import { type Bench, ccxtBench, EVENTUALLY, simulatorForBench } from "../support/ccxt_bench.ts";

const SLOW = { timeout: 90_000 };

/** A port that was free a moment ago. */
async function closedPort(): Promise<{ readonly port: number; readonly url: string }> {
  const simulator = await startExchangeSimulator();
  await simulator.stop();
  return { port: simulator.port, url: simulator.url };
}

function outcomes(bench: Bench, dataset: string): unknown[] {
  return bench
    .rows("fetches")
    .filter((row) => row["dataset"] === dataset)
    .map((row) => row["status"]);
}

describe("without a network", () => {
  test(
    "every channel is recorded as disconnected, with reason and time, once; and it goes on by itself when the network comes",
    SLOW,
    async () => {
      const { port, url } = await closedPort();
      const startedUs = Date.now() * 1000;
      const bench = ccxtBench("okx", { url, pipeline: { connectivityEveryMs: 300 } });
      bench.start();
      const row = await bench.untilState("rest", "disconnected");
      expect(row["reason"]).toMatch(/^NetworkError: .*ECONNREFUSED/);
      expect(row.ts).toBeGreaterThanOrEqual(startedUs);
      expect((await bench.untilState("ws:liquidations", "disconnected"))["reason"]).toContain("not dialled");
      const samples = await bench.untilRows("connectivity", 8);
      expect(samples.every((sample) => sample["up"] === false && sample["latency_ms"] === undefined)).toBe(
        true,
      );
      expect(bench.states("rest")).toHaveLength(1);
      expect(bench.said()).toEqual(["rest: exchange disconnected", "ws:liquidations: exchange disconnected"]);
      expect(bench.rows("fetches")).toEqual([
        expect.objectContaining({ dataset: "markets", status: "error", error_code: "NetworkError" }),
      ]);

      await simulatorForBench({ port });
      expect((await bench.untilState("rest", "connected"))["downtime_ms"]).toBeGreaterThan(300);
      await bench.untilState("ws:liquidations", "connected");
      await bench.untilRows("open_interest", 10);
      expect(await bench.metrics.total("tickwatch_exchange_up", { channel: "rest" })).toBe(1);
      // The first connection is no reconnection.
      expect(await bench.metrics.total("tickwatch_exchange_reconnects_total", {})).toBe(0);
    },
  );
});

describe("an exchange that goes away", () => {
  test(
    "leaves one row and one line when it goes and one when it is back, with the downtime, and data resumes",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("binanceusdm", {
        url: simulator.url,
        exchange: { symbols: ["BTC/USDT:USDT"] },
        pipeline: { openInterestEveryMs: 500 },
      });
      bench.start();
      await bench.untilState("rest", "connected");
      await bench.untilState("ws:liquidations", "connected");
      await bench.untilRows("open_interest", 1);

      await simulator.control({ fault: "away", forMs: 4_000 });
      for (const channel of ["rest", "ws:liquidations"]) {
        const lost = await bench.untilState(channel, "disconnected");
        const back = await bench.untilState(channel, "connected", 2);
        const awayMs = (back.ts - lost.ts) / 1000;
        expect(back["downtime_ms"]).toBeGreaterThan(awayMs - 250);
        expect(back["downtime_ms"]).toBeLessThan(awayMs + 250);
        // Noticed soon: the probe comes every three seconds at most, CCXT dials every five.
        expect(awayMs).toBeGreaterThan(1_000);
        expect(awayMs).toBeLessThan(25_000);
      }
      const before = bench.rows("open_interest").length;
      await bench.untilRows("open_interest", before + 2);
      const states = (channel: string) => bench.states(channel).map((row) => row["state"]);
      expect(states("rest")).toEqual(["connected", "disconnected", "connected"]);
      expect(states("ws:liquidations")).toEqual(["connected", "disconnected", "connected"]);
      expect(bench.said().filter((line) => line.endsWith("exchange disconnected"))).toHaveLength(2);
      expect(bench.said().filter((line) => line.endsWith("exchange connected again"))).toHaveLength(2);
      for (const channel of ["rest", "ws:liquidations"]) {
        expect(await bench.metrics.total("tickwatch_exchange_reconnects_total", { channel })).toBe(1);
        expect(await bench.metrics.total("tickwatch_exchange_up", { channel })).toBe(1);
      }
      const seqs = bench.rows("connections").map((row) => row["seq"]);
      expect(new Set(seqs).size).toBe(seqs.length);
    },
  );

  test("is tried once a slot and when it is back, however long it is away", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", { url: simulator.url, exchange: { datasets: ["open_interest"] } });
    bench.start();
    await bench.untilRows("open_interest", 10);
    await simulator.control({ fault: "away" });
    const again = ccxtBench("okx", { url: simulator.url, exchange: { datasets: ["open_interest"] } });
    again.start();
    await again.untilState("rest", "disconnected");
    const { faulted } = simulator.stats().okx;
    await vi.waitFor(() => expect(simulator.stats().okx.faulted).toBeGreaterThan(faulted + 1), EVENTUALLY);
    // Those were probes.
    expect(outcomes(again, "markets")).toEqual(["error"]);
    await simulator.control({ fault: "clear" });
    await again.untilRows("open_interest", 10);
    expect(outcomes(again, "markets")).toEqual(["error", "ok"]);
  });
});

describe("an exchange that refuses", () => {
  test(
    "an attempt that fails is made again in the same slot and writes the rows of that slot",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("okx", {
        url: simulator.url,
        exchange: { datasets: ["open_interest"] },
        pipeline: { openInterestEveryMs: 5_000 },
      });
      bench.start();
      await bench.untilRows("open_interest", 10);
      await simulator.control({ fault: "status", venue: "okx", status: 503, count: 1 });
      const failed = await vi.waitFor(() => {
        const row = bench.rows("fetches").find((one) => one["status"] === "error");
        expect(row).toBeDefined();
        return row;
      }, EVENTUALLY);
      expect(failed).toMatchObject({ http_status: 503, error_code: "ExchangeNotAvailable", row_count: 0 });
      await bench.untilRows("open_interest", 20);
      const rows = bench.rows("open_interest").slice(10, 20);
      const slotUs = Math.floor(Number(failed?.ts) / 5_000_000) * 5_000_000;
      expect(new Set(rows.map((row) => row.ts))).toEqual(new Set([slotUs]));
      const attempts = bench.rows("fetches").filter((row) => row["dataset"] === "open_interest");
      expect(new Set(attempts.map((row) => row["fetch_id"])).size).toBe(attempts.length);
      expect(bench.states("rest").map((row) => row["state"])).toEqual([
        "connected",
        "disconnected",
        "connected",
      ]);
    },
  );

  test(
    "a rate limit degrades it, and nobody calls before the pause that it asked for is over",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("binanceusdm", {
        url: simulator.url,
        pipeline: { openInterestEveryMs: 300, fundingRatesEveryMs: 300, connectivityEveryMs: 200 },
      });
      bench.start();
      await bench.untilRows("open_interest", 10);
      await simulator.control({
        fault: "status",
        venue: "binanceusdm",
        channel: "rest",
        status: 429,
        retryAfterS: 3,
      });
      const degraded = await bench.untilState("rest", "degraded");
      expect(degraded["reason"]).toMatch(/RateLimitExceeded|DDoSProtection/);
      const limited = await vi.waitFor(() => {
        const row = bench.rows("fetches").find((one) => one["status"] === "rate_limited");
        expect(row).toBeDefined();
        return row;
      }, EVENTUALLY);
      expect(limited).toMatchObject({ http_status: 429 });
      await simulator.control({ fault: "clear" });
      const back = await bench.untilState("rest", "connected", 2);
      expect(back["downtime_ms"]).toBeGreaterThan(2_500);
      expect(bench.rows("connectivity").some((row) => row["channel"] === "rest" && row["up"] === false)).toBe(
        false,
      );
      expect(
        await bench.metrics.total("tickwatch_fetches_total", { status: "rate_limited" }),
      ).toBeGreaterThan(0);
    },
  );
});

describe("an exchange that talks nonsense", () => {
  for (const venue of ["okx", "binanceusdm"] as const) {
    for (const fault of ["malformed_json", "wrong_types"] as const) {
      test(`${venue}, ${fault}: nothing wrong is written, and it is one change of state`, SLOW, async () => {
        const simulator = await simulatorForBench();
        const bench = ccxtBench(venue, {
          url: simulator.url,
          pipeline: { openInterestEveryMs: 400, fundingRatesEveryMs: 400, connectivityEveryMs: 200 },
        });
        bench.start();
        await bench.untilRows("open_interest", 10);
        await bench.untilRows("funding_rates", 10);
        await simulator.control({ fault, venue, channel: "rest" });
        const degraded = await bench.untilState("rest", "degraded");
        const from = bench.rows("fetches").findLastIndex((row) => row["status"] === "ok") + 1;
        await bench.untilRows("fetches", from + 12);
        const failed = bench.rows("fetches").slice(from);
        expect(new Set(failed.map((row) => row["status"]))).toEqual(new Set(["error"]));
        expect(failed.every((row) => row["row_count"] === 0 && row["http_status"] === 200)).toBe(true);
        expect(failed.map((row) => row["error_code"])).toContain("MalformedResponse");
        expect(degraded["reason"]).not.toBe("");
        await simulator.control({ fault: "clear" });
        await bench.untilState("rest", "connected", 2);
        expect(bench.states("rest").map((row) => row["state"])).toEqual([
          "connected",
          "degraded",
          "connected",
        ]);
        for (const row of [...bench.rows("open_interest"), ...bench.rows("funding_rates")]) {
          for (const value of Object.values(row))
            expect(["string", "number", "undefined"]).toContain(typeof value);
        }
      });
    }
  }

  test("markets that can't be read are asked for again until they can", SLOW, async () => {
    const simulator = await simulatorForBench();
    await simulator.control({ fault: "malformed_json", venue: "okx" });
    const bench = ccxtBench("okx", { url: simulator.url });
    bench.start();
    await bench.untilState("rest", "degraded");
    await simulator.control({ fault: "clear" });
    await bench.untilRows("open_interest", 10);
    expect(bench.states("symbol:BTC/USDT:USDT")).toEqual([]);
  });
});

describe("an exchange that is slow", () => {
  for (const phase of ["answer", "body"] as const) {
    test(
      `a call whose ${phase} doesn't come in time is a timeout, and the next one is made`,
      SLOW,
      async () => {
        const simulator = await simulatorForBench();
        const bench = ccxtBench("okx", {
          url: simulator.url,
          exchange: { datasets: ["open_interest"] },
          pipeline: { openInterestEveryMs: 5_000, fetchTimeoutMs: 1_500 },
        });
        bench.start();
        await bench.untilRows("open_interest", 10);
        await simulator.control({ fault: "stall", venue: "okx", channel: "rest", phase, count: 1 });
        const failed = await vi.waitFor(() => {
          const row = bench.rows("fetches").find((one) => one["status"] === "timeout");
          expect(row).toBeDefined();
          return row;
        }, EVENTUALLY);
        expect(failed).toMatchObject({ error_code: "RequestTimeout" });
        expect(Number(failed?.["duration_ms"])).toBeGreaterThan(1_400);
        await bench.untilRows("open_interest", 20);
        await bench.untilState("rest", "connected", 2);
      },
    );
  }

  test("merely slow answers are a latency and no outage", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", { url: simulator.url, pipeline: { connectivityEveryMs: 3_000 } });
    bench.start();
    await bench.untilRows("open_interest", 10);
    await simulator.control({ fault: "slow", venue: "okx", channel: "rest", delayMs: 1_000 });
    await vi.waitFor(() => {
      const slow = bench.rows("connectivity").find((row) => Number(row["latency_ms"]) >= 1_000);
      expect(slow).toMatchObject({ up: true, channel: "rest" });
    }, EVENTUALLY);
    expect(bench.states("rest").map((row) => row["state"])).toEqual(["connected"]);
  });

  test("a run that waits for answers ends soon after the abort, connections included", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", { url: simulator.url, pipeline: { openInterestEveryMs: 400 } });
    const run = bench.start();
    await bench.untilRows("open_interest", 10);
    await bench.untilState("ws:liquidations", "connected");
    await simulator.control({ fault: "stall" });
    const { faulted } = simulator.stats().okx;
    await vi.waitFor(() => expect(simulator.stats().okx.faulted).toBeGreaterThan(faulted), EVENTUALLY);
    const beforeMs = performance.now();
    await run.stop();
    // A second, and what a busy machine adds.
    expect(performance.now() - beforeMs).toBeLessThan(3_000);
    const calls = bench.pushed.calls;
    // The server still says nothing, so a closing handshake would wait.
    const soon = { timeout: 2_000, interval: 10 };
    await vi.waitFor(() => expect(simulator.stats().okx.wsOpen).toBe(0), soon);
    await simulator.control({ fault: "clear" });
    expect(bench.pushed.calls).toBe(calls);
  });
});

import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startExchangeSimulator } from "../../ingest/demo/simulator/simulator.ts";
import { ccxtBench, EVENTUALLY, simulatorForBench } from "../support/ccxt_bench.ts";
import { sourceContract } from "../support/source_contract.ts";

const SLOW = { timeout: 90_000 };
const HOUR_US = 3_600_000_000;

describe("the data of an exchange", () => {
  test(
    "okx: open interest of all symbols comes by one call, in coins and dollars, at the start of the slot",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("okx", { url: simulator.url, exchange: { datasets: ["open_interest"] } });
      bench.start();
      const rows = await bench.untilRows("open_interest", 10);
      expect(new Set(rows.map((row) => row["symbol"])).size).toBe(10);
      for (const row of rows) {
        expect(row.ts % HOUR_US).toBe(0);
        const [coins, usd] = [Number(row["open_interest"]), Number(row["open_interest_usd"])];
        // In contracts it would be a hundred times as many for BTC, and the price would show it.
        if (row["symbol"] === "BTC/USDT:USDT") expect(usd / coins).toBeGreaterThan(50_000);
      }
      const [fetch] = bench.rows("fetches").filter((row) => row["dataset"] === "open_interest");
      expect(fetch).toMatchObject({
        method: "fetchOpenInterests",
        status: "ok",
        row_count: 10,
        http_status: 200,
      });
      expect(fetch?.["symbol"]).toBeUndefined();
      expect(
        await bench.metrics.total("tickwatch_fetches_total", { dataset: "open_interest", status: "ok" }),
      ).toBe(1);
    },
  );

  test(
    "binanceusdm: open interest is asked for symbol by symbol and valued with the mark price of the funding rates",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const url = simulator.url;
      const bench = ccxtBench("binanceusdm", { url, pipeline: { openInterestEveryMs: 1_000 } });
      bench.start();
      await vi.waitFor(() => {
        const valued = bench
          .rows("open_interest")
          .filter((row) => typeof row["open_interest_usd"] === "number");
        expect(new Set(valued.map((row) => row["symbol"])).size).toBe(10);
      }, EVENTUALLY);
      const btc = bench
        .rows("open_interest")
        .find((row) => row["symbol"] === "BTC/USDT:USDT" && row["open_interest_usd"]);
      const mark = bench.rows("funding_rates").find((row) => row["symbol"] === "BTC/USDT:USDT")?.[
        "mark_price"
      ];
      expect(Number(btc?.["open_interest_usd"])).toBeCloseTo(
        Number(btc?.["open_interest"]) * Number(mark),
        0,
      );
      const fetches = bench.rows("fetches").filter((row) => row["method"] === "fetchOpenInterest");
      expect(fetches.every((row) => typeof row["symbol"] === "string" && row["row_count"] === 1)).toBe(true);
    },
  );

  test(
    "funding rates carry their interval, also where only another endpoint of the venue tells it",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("binanceusdm", {
        url: simulator.url,
        exchange: { datasets: ["funding_rates"] },
      });
      bench.start();
      const rows = await bench.untilRows("funding_rates", 10);
      const hours = Object.fromEntries(rows.map((row) => [row["symbol"], row["interval_h"]]));
      expect(hours["BTC/USDT:USDT"]).toBe(8);
      expect(hours["AVAX/USDT:USDT"]).toBe(4);
      for (const row of rows) {
        expect(Math.abs(Number(row["funding_rate"]))).toBeLessThan(0.01);
        const aheadUs = Number(row["next_funding_ts"]) - row.ts;
        expect(aheadUs).toBeGreaterThan(0);
        expect(aheadUs).toBeLessThanOrEqual(9 * HOUR_US);
        expect(Number(row["mark_price"])).toBeGreaterThan(0);
      }
    },
  );

  test("each slot has one row per symbol, and its ts is the start of the slot", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", {
      url: simulator.url,
      exchange: { datasets: ["open_interest"] },
      pipeline: { openInterestEveryMs: 500 },
    });
    bench.start();
    const rows = await bench.untilRows("open_interest", 30);
    expect(rows.every((row) => row.ts % 500_000 === 0)).toBe(true);
    const keys = rows.map((row) => `${row.ts} ${row["symbol"]}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("liquidations are in coins, at the venue's time, with the side of the order", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", { url: simulator.url, exchange: { datasets: ["liquidations"] } });
    bench.start();
    await bench.untilState("ws:liquidations", "connected");
    const beforeUs = Date.now() * 1000;
    await vi.waitFor(async () => {
      await simulator.control({ fault: "burst", venue: "okx", count: 5, symbols: ["BTC/USDT:USDT"] });
      expect(bench.rows("liquidations").length).toBeGreaterThanOrEqual(5);
    }, EVENTUALLY);
    for (const row of bench.rows("liquidations")) {
      expect(Math.abs(row.ts - beforeUs)).toBeLessThan(60_000_000);
      const [price, amount, value] = [Number(row["price"]), Number(row["amount"]), Number(row["value_usd"])];
      expect(value).toBeCloseTo(price * amount, 4);
      // The simulator's liquidations are of 40 dollars to 4 million; a contract of okx is a hundredth of a bitcoin.
      expect(value).toBeLessThan(4_100_000);
      expect(["buy", "sell"]).toContain(row["side"]);
      expect(row["event_id"]).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  test(
    "the rate limit, the latency and the clock of the exchange are sampled for each channel",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const bench = ccxtBench("binanceusdm", { url: simulator.url, pipeline: { connectivityEveryMs: 300 } });
      bench.start();
      const of = (channel: string) =>
        vi.waitFor(() => {
          const row = bench.rows("connectivity").findLast((one) => one["channel"] === channel);
          expect(row?.["latency_ms"], channel).toBeGreaterThan(0);
          expect(row).toMatchObject({ up: true, instance: "test:1", reconnects: 0 });
          return row;
        }, EVENTUALLY);
      const rest = await of("rest");
      expect(rest?.["rate_limit_capacity"]).toBe(2_400);
      expect(Number(rest?.["rate_limit_used"])).toBeGreaterThan(0);
      expect(Math.abs(Number(rest?.["clock_skew_ms"]))).toBeLessThan(5_000);
      expect(Number(rest?.["message_count"])).toBeGreaterThan(0);
      expect(Number(rest?.["last_message_ts"])).toBeGreaterThan(0);
      await of("ws:liquidations");
    },
  );

  test("where the venue says nothing, the rate limit is what passed CCXT's own limiter", SLOW, async () => {
    const simulator = await simulatorForBench();
    const bench = ccxtBench("okx", {
      url: simulator.url,
      exchange: { rateLimitMs: 20 },
      pipeline: { connectivityEveryMs: 300 },
    });
    bench.start();
    const [sample] = await bench.untilRows("connectivity", 1);
    expect(sample?.["rate_limit_capacity"]).toBe(3_000);
    await vi.waitFor(() => {
      const last = bench.rows("connectivity").findLast((row) => row["channel"] === "rest");
      expect(Number(last?.["rate_limit_used"])).toBeGreaterThan(1);
    }, EVENTUALLY);
  });
});

describe("what the exchange lacks", () => {
  test(
    "a configured symbol that the exchange lacks is recorded once as unsupported, and the others flow",
    SLOW,
    async () => {
      const simulator = await simulatorForBench();
      const symbols = ["BTC/USDT:USDT", "NOSUCH/USDT:USDT", "ETH/USDT:USDT"];
      const bench = ccxtBench("okx", {
        url: simulator.url,
        exchange: { symbols },
        pipeline: { openInterestEveryMs: 300 },
      });
      const first = bench.start();
      await bench.untilRows("open_interest", 6);
      await first.stop();
      bench.start();
      await bench.untilRows("open_interest", 12);
      expect(bench.states("symbol:NOSUCH/USDT:USDT")).toEqual([
        expect.objectContaining({ state: "unsupported", reason: "the exchange lists no such symbol" }),
      ]);
      expect(new Set(bench.rows("open_interest").map((row) => row["symbol"]))).toEqual(
        new Set(["BTC/USDT:USDT", "ETH/USDT:USDT"]),
      );
      expect(bench.states("rest").map((row) => row["state"])).toEqual(["connected"]);
    },
  );

  test(
    "a dataset that the exchange lacks is a state, recorded once and without a network too",
    SLOW,
    async () => {
      const closed = await startExchangeSimulator();
      await closed.stop();
      const bench = ccxtBench("bitget", {
        url: closed.url,
        exchange: { urls: { spot: closed.url, mix: closed.url, common: closed.url, uta: closed.url } },
      });
      const first = bench.start();
      const row = await bench.untilState("liquidations", "unsupported");
      expect(row["reason"]).toContain("no method for liquidations");
      await bench.untilRows("fetches", 1);
      await first.stop();
      bench.start();
      await bench.untilRows("fetches", 2);
      expect(bench.states("liquidations")).toHaveLength(1);
      expect(bench.rows("fetches").every((fetch) => fetch["status"] !== "unsupported")).toBe(true);
    },
  );

  test("an id that CCXT doesn't know ends the run with the names it could have meant", SLOW, async () => {
    const bench = ccxtBench("binanceusd", { url: "http://127.0.0.1:1" });
    await expect(bench.start().done).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("binanceusdm"),
    });
  });
});

sourceContract(
  "ccxt:okx",
  async () => {
    const simulator = await startExchangeSimulator({ liquidationsPerMinute: 0 });
    onTestFinished(() => simulator.stop());
    const bench = ccxtBench("okx", {
      url: simulator.url,
      pipeline: { openInterestEveryMs: 200, fundingRatesEveryMs: 200, connectivityEveryMs: 200 },
    });
    const provoke = async () => {
      await simulator.control({ fault: "burst", venue: "okx", count: 3, withinMs: 20 });
    };
    return { source: bench.source, provoke };
  },
  // One per table that it writes.
  { pushesUnderWayMax: 6, deadlineMs: 18_000 },
);

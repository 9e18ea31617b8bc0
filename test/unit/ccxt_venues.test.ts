// The real CCXT classes, as they are installed: what they can, what their quirks are, and that an update of CCXT which
// changes either is noticed.
import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { EXCHANGES_DEFAULT } from "../../ingest/config/schema.ts";
import { planDataset } from "../../ingest/sources/ccxt/capabilities.ts";
import { createHttp } from "../../ingest/sources/ccxt/http.ts";
import { installLiquidationSink } from "../../ingest/sources/ccxt/liquidation_sink.ts";
import { checkExchangeId, knownExchangeIds, openExchange } from "../../ingest/sources/ccxt/load_exchange.ts";
import { quirksOf } from "../../ingest/sources/ccxt/venue_quirks.ts";
import { ccxtBench, EVENTUALLY } from "../support/ccxt_bench.ts";
import { gateServerForTest } from "../support/ccxt_gate_server.ts";

const SLOW = { timeout: 90_000 };

function open(id: string, linearOnly = true) {
  const { signal } = new AbortController();
  const http = createHttp({ clock: systemClock(), timeoutMs: 1_000, signal, onAnswer: () => {} });
  return openExchange({ id, linearOnly, timeoutMs: 1_000, http, onLog: () => {} });
}

async function plans(id: string): Promise<readonly string[]> {
  const { has } = await open(id);
  return (["open_interest", "funding_rates", "liquidations"] as const).map((dataset) => {
    const plan = planDataset(dataset, has, quirksOf(id));
    return plan.kind === "unsupported" ? "unsupported" : `${plan.kind} ${plan.method}`;
  });
}

describe("the plan for an exchange follows what its class has", () => {
  const rates = "bulk fetchFundingRates";
  test.each([
    ["binanceusdm", ["per_symbol fetchOpenInterest", rates, "stream watchLiquidationsForSymbols"]],
    ["okx", ["bulk fetchOpenInterests", rates, "stream watchLiquidationsForSymbols"]],
    ["bybit", ["per_symbol fetchOpenInterest", rates, "stream watchLiquidations"]],
    ["bitget", ["per_symbol fetchOpenInterest", rates, "unsupported"]],
    ["gate", ["unsupported", rates, "per_symbol fetchLiquidations"]],
    ["htx", ["bulk fetchOpenInterests", rates, "per_symbol fetchLiquidations"]],
    ["deribit", ["per_symbol fetchOpenInterest", "per_symbol fetchFundingRate", "unsupported"]],
    ["zaif", ["unsupported", "unsupported", "unsupported"]],
  ])("%s", SLOW, async (id, expected) => {
    expect(await plans(id)).toEqual(expected);
  });
});

describe("the class of an exchange", () => {
  test("is known for every default exchange, and an unknown id names similar ones", SLOW, async () => {
    const known = await knownExchangeIds();
    expect(known).toEqual(expect.arrayContaining([...EXCHANGES_DEFAULT]));
    expect(known.length).toBeGreaterThan(90);
    await checkExchangeId("okx");
    await expect(checkExchangeId("okex")).rejects.toThrow(/"okex". Did you mean okx/);
    await expect(checkExchangeId("binance-usdm")).rejects.toThrow(/binanceusdm/);
    await expect(checkExchangeId("qqqqqqqqqqqq")).rejects.toThrow(/ids of all exchanges/);
  });

  test("is told to load linear contracts only, in the words that it understands", SLOW, async () => {
    for (const id of EXCHANGES_DEFAULT) {
      const options: unknown = Reflect.get(await open(id), "options");
      expect(options).toMatchObject({ ws: { backoff: { max: 5_000 } } });
      const wanted = quirksOf(id).linearMarketTypes;
      if (wanted !== undefined) expect(options).toMatchObject({ fetchMarkets: { types: wanted } });
      const without: unknown = Reflect.get(await open(id, false), "options");
      expect(without).not.toMatchObject({ fetchMarkets: { types: wanted ?? ["nothing"] } });
    }
  });

  const okx = (ts: string) => ({ side: "sell", bkPx: "100", sz: "2", ts });
  const bybit = (T: number) => ({ T, s: "BTCUSDT", S: "Sell", v: "2", p: "100" });
  const lighter = (timestamp: number) => ({ timestamp, size: "2", price: "100", is_maker_ask: true });
  test.each([
    ["binanceusdm", 1, { o: { s: "BTCUSDT", S: "SELL", l: "2", ap: "100", T: 1 } }],
    ["okx", 2, { data: [{ instId: "BTC-USDT-SWAP", details: [okx("1"), okx("2")] }] }],
    ["bybit", 2, { topic: "allLiquidation.BTCUSDT", data: [bybit(1), bybit(2)] }],
    ["lighter", 2, { channel: "trade:0", liquidation_trades: [lighter(1), lighter(2)] }],
  ])("hands every liquidation of a message to our sink: %s", SLOW, async (id, count, message) => {
    const ccxt = await open(id);
    const caught: unknown[] = [];
    installLiquidationSink(ccxt, (liquidation) => caught.push(liquidation));
    const handle: unknown = Reflect.get(ccxt, "handleLiquidation");
    const nobody = { resolve: () => {} };
    for (let i = 0; i < 3; i++) Reflect.apply(handle as () => void, ccxt, [nobody, message]);
    expect(caught).toHaveLength(3 * count);
    expect(new Set(caught.map((one) => Reflect.get(one as object, "timestamp"))).size).toBe(count);
    expect(caught[0]).toMatchObject({ contracts: 2, price: 100 });
  });
});

describe("gate, whose liquidations are polled", () => {
  const exchange = (urls: Readonly<Record<string, unknown>>) => ({
    urls,
    datasets: ["liquidations" as const, "open_interest" as const],
    symbols: ["BTC/USDT:USDT"],
  });
  const nowS = () => Math.floor(Date.now() / 1000);

  test(
    "each liquidation is written once, in coins and with the side of the order, and late ones are found",
    SLOW,
    async () => {
      const gate = await gateServerForTest();
      gate.liquidations.push({ time: nowS() - 5, size: -165, fillPrice: "28070" });
      const pipeline = { liquidationsEveryMs: 300 };
      const bench = ccxtBench("gate", { url: "", exchange: exchange(gate.urls), pipeline });
      bench.start();
      const [first] = await bench.untilRows("liquidations", 1);
      // The position was short: it was closed by buying.
      expect(first).toMatchObject({ side: "buy", price: 28_070, amount: 0.0165, symbol: "BTC/USDT:USDT" });
      gate.liquidations.push({ time: nowS() - 30, size: 10, fillPrice: "28000" });
      const [, late] = await bench.untilRows("liquidations", 2);
      expect(late).toMatchObject({ side: "sell", amount: 0.001, value_usd: 28 });
      const polls = gate.asked.length;
      await vi.waitFor(() => expect(gate.asked.length).toBeGreaterThan(polls + 3), EVENTUALLY);
      expect(bench.rows("liquidations")).toHaveLength(2);
      const fetches = bench.rows("fetches").filter((row) => row["dataset"] === "liquidations");
      expect(fetches.every((row) => row["status"] === "ok" && row["symbol"] === "BTC/USDT:USDT")).toBe(true);
      expect(fetches.map((row) => row["row_count"]).filter((count) => count !== 0)).toEqual([1, 1]);
      // In seconds, not CCXT's milliseconds.
      for (const query of gate.asked) expect(Math.abs(Number(query.get("from")) - nowS())).toBeLessThan(200);
      expect(bench.states("open_interest")).toMatchObject([{ state: "unsupported" }]);
      expect(bench.states("rest")).toMatchObject([{ state: "connected" }]);
    },
  );
});

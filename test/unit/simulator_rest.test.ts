// The real CCXT classes find on the simulator what they would find on the exchange, without keys.

import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../ingest/clock.ts";
import { simulatorUrlOverrides } from "../../ingest/demo/simulator/simulator.ts";
import { exchangeForTest, simulatorForTest } from "./simulator_exchange.ts";

const VENUES = ["binanceusdm", "okx"] as const;
const BTC = "BTC/USDT:USDT";
const START_US = 1_790_000_000_000_000;

/** A clock whose hands the test moves. */
function clockAt(us: number): Clock & { us: number } {
  const clock = { ...systemClock(), us, nowUs: () => clock.us };
  return clock;
}

test.each(VENUES)("%s lists ten linear USDT perpetuals with their tick sizes", async (venue) => {
  const exchange = await exchangeForTest(venue, await simulatorForTest());
  const swaps = Object.values(await exchange.loadMarkets()).filter((m) => m?.swap);
  expect(swaps).toHaveLength(10);
  expect(swaps.every((m) => m?.linear && m.active && m.settle === "USDT")).toBe(true);
  const market = exchange.market(BTC);
  expect(market.precision.price).toBe(0.1);
  expect(market.contractSize).toBe(venue === "okx" ? 0.01 : 1);
});

test.each(VENUES)("%s tells its time and that it is well", async (venue) => {
  const clock = clockAt(START_US);
  const exchange = await exchangeForTest(venue, await simulatorForTest({ clock }));
  expect(await exchange.fetchTime()).toBe(START_US / 1_000);
  expect((await exchange.fetchStatus()).status).toBe("ok");
});

test("binanceusdm gives open interest for one symbol, in coins", async () => {
  const clock = clockAt(START_US);
  const exchange = await exchangeForTest("binanceusdm", await simulatorForTest({ clock }));
  const { symbol, openInterestAmount, timestamp } = await exchange.fetchOpenInterest(BTC);
  expect(symbol).toBe(BTC);
  expect(openInterestAmount).toBeGreaterThan(50_000);
  expect(timestamp).toBe(START_US / 1_000);
  await expect(exchange.fetchOpenInterests()).rejects.toMatchObject({ name: "NotSupported" });
});

test("okx gives open interest of all symbols at once, in contracts, coins and dollars", async () => {
  const exchange = await exchangeForTest("okx", await simulatorForTest());
  const all = await exchange.fetchOpenInterests();
  expect(Object.keys(all)).toHaveLength(10);
  const { openInterestAmount = 0, baseVolume = 0, openInterestValue = 0 } = all[BTC] ?? {};
  expect(baseVolume).toBeCloseTo(openInterestAmount * 0.01, 6);
  expect(openInterestValue / baseVolume).toBeGreaterThan(50_000);
});

test.each(VENUES)(
  "%s gives the funding of all symbols at once, with the next payment in the future",
  async (venue) => {
    const exchange = await exchangeForTest(venue, await simulatorForTest());
    const rates = Object.values(await exchange.fetchFundingRates());
    expect(rates).toHaveLength(10);
    for (const rate of rates) {
      expect(Math.abs(rate.fundingRate ?? Number.NaN)).toBeLessThan(0.003);
      expect((rate.fundingTimestamp ?? 0) - Date.now()).toBeGreaterThan(0);
      expect((rate.fundingTimestamp ?? 0) % 3_600_000).toBe(0);
    }
  },
);

test("binanceusdm tells funding intervals apart, okx with each rate", async () => {
  const simulator = await simulatorForTest();
  const binance = await exchangeForTest("binanceusdm", simulator);
  const intervals = (await binance.fetchFundingIntervals()) as unknown as Record<
    string,
    { interval: string }
  >;
  expect(intervals["AVAX/USDT:USDT"]?.interval).toBe("4h");
  expect(intervals[BTC]?.interval).toBe("8h");
  const okx = await exchangeForTest("okx", simulator);
  expect((await okx.fetchFundingRate(BTC)).interval).toBe("8h");
});

test.each(VENUES)("%s gives mark prices of all symbols at once", async (venue) => {
  const exchange = await exchangeForTest(venue, await simulatorForTest());
  const prices = await exchange.fetchMarkPrices();
  expect(prices[BTC]?.markPrice).toBeGreaterThan(50_000);
});

test("binanceusdm counts its request weight up within the minute and starts anew in the next", async () => {
  const clock = clockAt(START_US);
  const exchange = await exchangeForTest("binanceusdm", await simulatorForTest({ clock }));
  const weight = () => Number(exchange.last_response_headers?.["X-Mbx-Used-Weight-1m"]);
  await exchange.fetchTime();
  expect(weight()).toBe(1);
  await exchange.loadMarkets();
  await exchange.fetchFundingRates();
  expect(weight()).toBe(12);
  clock.us += 60_000_000;
  await exchange.fetchTime();
  expect(weight()).toBe(1);
});

test("a symbol that the venue doesn't have is refused in the venue's words", async () => {
  const { url } = await simulatorForTest();
  const binance = await fetch(`${url}/binanceusdm/fapi/v1/openInterest?symbol=NOPEUSDT`);
  expect([binance.status, await binance.json()]).toEqual([400, { code: -1121, msg: "Invalid symbol." }]);
  const okx = await fetch(`${url}/okx/api/v5/public/open-interest?instId=NOPE-USDT-SWAP`);
  expect(await okx.json()).toMatchObject({ code: "51001" });
  expect((await fetch(`${url}/binanceusdm/fapi/v1/depth`)).status).toBe(404);
  expect((await fetch(`${url}/nobody`)).status).toBe(404);
});

test("every request is counted by venue and endpoint", async () => {
  const simulator = await simulatorForTest();
  const exchange = await exchangeForTest("okx", simulator);
  await exchange.fetchTime();
  await exchange.fetchTime();
  await fetch(`${simulator.url}/okx/api/v5/no/such/thing`);
  expect(simulator.stats().okx.requests).toEqual({ "/api/v5/public/time": 2, other: 1 });
  expect(simulator.stats().binanceusdm.requests).toEqual({});
});

test("the same seed gives the same market, however often it is asked; another seed another", async () => {
  const hours = 2;
  const readings = await Promise.all(
    [
      { seed: 7, polls: 1 },
      { seed: 7, polls: 40 },
      { seed: 8, polls: 1 },
    ].map(async ({ seed, polls }) => {
      const clock = clockAt(START_US);
      const exchange = await exchangeForTest("binanceusdm", await simulatorForTest({ seed, clock }));
      for (let poll = 1; poll <= polls; poll++) {
        clock.us = START_US + (hours * 3_600_000_000 * poll) / polls;
        await exchange.fetchOpenInterest(BTC);
      }
      const { openInterestAmount } = await exchange.fetchOpenInterest(BTC);
      const { fundingRate, markPrice } = await exchange.fetchFundingRate("ETH/USDT:USDT");
      return { openInterestAmount, fundingRate, markPrice };
    }),
  );
  expect(readings[1]).toEqual(readings[0]);
  expect(readings[2]).not.toEqual(readings[0]);
});

test("prices move, but not out of this world", async () => {
  const clock = clockAt(START_US);
  const exchange = await exchangeForTest("okx", await simulatorForTest({ clock }));
  const prices: number[] = [];
  for (let hour = 0; hour < 24; hour++) {
    prices.push((await exchange.fetchMarkPrice(BTC)).markPrice ?? Number.NaN);
    clock.us += 3_600_000_000;
  }
  expect(new Set(prices).size).toBeGreaterThan(20);
  expect(Math.max(...prices) / Math.min(...prices)).toBeLessThan(1.3);
});

test.each(VENUES)("no address of %s is left that leads to the real exchange", async (venue) => {
  const simulator = await simulatorForTest();
  const exchange = await exchangeForTest(venue, simulator);
  const host = new URL(simulator.url).host;
  const leaves = (tree: unknown): string[] =>
    typeof tree === "object" && tree !== null ? Object.values(tree).flatMap(leaves) : [String(tree)];
  const addresses = leaves(exchange.urls["api"]);
  expect(addresses.length).toBeGreaterThan(1);
  expect(
    addresses.filter(
      (address) => !address.startsWith(`http://${host}/`) && !address.startsWith(`ws://${host}/`),
    ),
  ).toEqual([]);
  expect(leaves(simulatorUrlOverrides(venue, `${simulator.url}/`))).toEqual(
    leaves(simulatorUrlOverrides(venue, simulator.url)),
  );
});

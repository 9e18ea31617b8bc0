// Liquidations over a real WebSocket into the real CCXT classes, and what they make of a stream that fails.

import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../ingest/clock.ts";
import type { ExchangeSimulator } from "../../ingest/demo/simulator/simulator.ts";
import { exchangeForTest, simulatorForTest, until, watchForTest } from "./simulator_exchange.ts";

const VENUES = ["binanceusdm", "okx"] as const;
const BTC = "BTC/USDT:USDT";
const ETH = "ETH/USDT:USDT";

/** One liquidation now; the burst with the least noise. */
const ONE = { fault: "burst" as const, count: 1, withinMs: 1, symbols: [BTC] };

async function watchingForTest(venue: (typeof VENUES)[number], symbols: string[] | undefined, options = {}) {
  const simulator = await simulatorForTest(options);
  const exchange = await exchangeForTest(venue, simulator);
  const watching = watchForTest(exchange, symbols);
  await subscribed(simulator, () => watching.parsed.length);
  watching.parsed.length = 0;
  return { simulator, exchange, ...watching };
}

/** There is no sign of a subscription but data, so data is sent until some arrives. */
async function subscribed(simulator: ExchangeSimulator, received: () => number): Promise<void> {
  const before = received();
  const deadline = performance.now() + 10_000;
  while (received() === before) {
    if (performance.now() > deadline) throw new Error("no liquidation arrived within 10 s");
    await simulator.control(ONE);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test.each(VENUES)(
  "a liquidation of %s arrives parsed: symbol, side, price, contracts, time",
  async (venue) => {
    const { simulator, exchange, parsed } = await watchingForTest(venue, [BTC, ETH]);
    const fromMs = Date.now() - 1_000;
    await simulator.control({ ...ONE, count: 50 });
    await until("50 liquidations", () => parsed.length === 50);
    const { markPrice = 0 } = await exchange.fetchMarkPrice(BTC);
    for (const { symbol, side, price = 0, contracts = 0, timestamp = 0 } of parsed) {
      expect(symbol).toBe(BTC);
      expect(price / markPrice).toBeGreaterThan(side === "sell" ? 0.99 : 1);
      expect(price / markPrice).toBeLessThan(side === "sell" ? 1 : 1.01);
      expect(contracts).toBeGreaterThan(0);
      expect(timestamp).toBeGreaterThan(fromMs);
      expect(timestamp).toBeLessThan(Date.now() + 1_000);
    }
    expect(new Set(parsed.map((l) => l.side))).toEqual(new Set(["buy", "sell"]));
  },
);

test.each(VENUES)(
  "a burst of %s brings exactly 2,000 different liquidations over a second",
  async (venue) => {
    const { simulator, parsed } = await watchingForTest(venue, undefined);
    const startedMs = performance.now();
    await simulator.control({ fault: "burst", venue });
    const tookMs = performance.now() - startedMs;
    expect(tookMs).toBeGreaterThan(900);
    // A loaded machine is given time; the pace itself is by the clock.
    expect(tookMs).toBeLessThan(5_000);
    await until("2,000 liquidations", () => parsed.length >= 2_000);
    await simulator.control({ ...ONE, symbols: [ETH] });
    await until("the one after the burst", () => parsed.length > 2_000);
    expect(parsed).toHaveLength(2_001);
    expect(new Set(parsed.map((l) => `${l.symbol} ${l.timestamp}`)).size).toBe(2_001);
    expect(new Set(parsed.map((l) => l.symbol)).size).toBe(10);
  },
);

test("binanceusdm sends the subscribed symbols only, okx all once its one channel is subscribed", async () => {
  const binance = await watchingForTest("binanceusdm", [BTC]);
  await binance.simulator.control({ fault: "burst", count: 100, withinMs: 1 });
  await until("ten of a hundred", () => binance.parsed.length === 10);
  expect(new Set(binance.parsed.map((l) => l.symbol))).toEqual(new Set([BTC]));
  const okx = await watchingForTest("okx", [BTC]);
  await okx.simulator.control({ fault: "burst", count: 100, withinMs: 1 });
  await until("all hundred", () => okx.parsed.length === 100);
});

test.each(VENUES)("liquidations of %s come by themselves at the rate asked for", async (venue) => {
  const { simulator, parsed } = await watchingForTest(venue, undefined, { liquidationsPerMinute: 12_000 });
  await until("fifty by themselves", () => parsed.length >= 50);
  const before = simulator.stats()[venue].liquidations;
  const startedMs = performance.now();
  await until("a hundred more", () => simulator.stats()[venue].liquidations >= before + 100);
  // 200 a second are due; timers of 1 ms and a busy machine make it fewer.
  expect(performance.now() - startedMs).toBeGreaterThan(200);
});

test("the same seed gives the same liquidations", async () => {
  const at = 1_790_000_000_000_000;
  const clock: Clock = { ...systemClock(), nowUs: () => at };
  const runs = await Promise.all(
    [3, 3, 4].map(async (seed) => {
      const simulator = await simulatorForTest({ seed, clock });
      const exchange = await exchangeForTest("okx", simulator);
      const { parsed } = watchForTest(exchange, undefined);
      await until("connected", () => simulator.stats().okx.wsOpen === 1);
      // Sent before the subscription they reach nobody, so both kinds are compared by number.
      await simulator.control({ fault: "burst", venue: "okx", count: 50, withinMs: 400 });
      await until("the last", () => parsed.some((l) => l.timestamp === at / 1_000 + 4));
      return Object.fromEntries(
        parsed.map((l) => [`${l.symbol} ${l.timestamp}`, `${l.side} ${l.price} ${l.contracts}`]),
      );
    }),
  );
  const [first = {}, second = {}, third = {}] = runs;
  const shared = Object.keys(first).filter((key) => key in second && key in third);
  expect(shared.length).toBeGreaterThan(5);
  expect(shared.map((key) => second[key])).toEqual(shared.map((key) => first[key]));
  expect(shared.map((key) => third[key])).not.toEqual(shared.map((key) => first[key]));
});

test.each(VENUES)(
  "%s cut off rejects the watch with NetworkError, and the next watch reconnects",
  async (venue) => {
    const { simulator, parsed, failures } = await watchingForTest(venue, [BTC]);
    await simulator.control({ fault: "drop", venue });
    await until("the failure", () => failures.length > 0);
    expect(failures[0]?.name).toBe("NetworkError");
    expect(failures[0]?.message).toContain("1006");
    await subscribed(simulator, () => parsed.length);
    expect(simulator.stats()[venue]).toMatchObject({ wsOpen: 1, wsOpenedTotal: 2 });
  },
);

test("a close code reaches the exchange object", async () => {
  const { simulator, failures } = await watchingForTest("okx", [BTC]);
  await simulator.control({ fault: "drop", channel: "ws", closeCode: 1012 });
  await until("the failure", () => failures.length > 0);
  expect(failures[0]?.message).toContain("1012");
});

test.each(VENUES)("%s gone away refuses streams until its time is over, then data resumes", async (venue) => {
  const { simulator, parsed, failures } = await watchingForTest(venue, [BTC]);
  await simulator.control({ fault: "away", venue, forMs: 1_500 });
  const awayMs = performance.now();
  await until("refused handshakes", () => failures.length >= 2);
  expect(failures.every((f) => f.name === "NetworkError")).toBe(true);
  parsed.length = 0;
  await subscribed(simulator, () => parsed.length);
  expect(performance.now() - awayMs).toBeGreaterThan(1_490);
});

test.each(VENUES)("%s silenced stays connected and answers pings, but sends nothing", async (venue) => {
  const { simulator, exchange, parsed, failures } = await watchingForTest(venue, [BTC]);
  await simulator.control({ fault: "silence", venue });
  await simulator.control({ ...ONE, venue, count: 20 });
  await pingOnce(exchange);
  expect([parsed.length, failures.length, simulator.stats()[venue].wsOpen]).toEqual([0, 0, 1]);
  await simulator.control({ fault: "clear", venue });
  await simulator.control({ ...ONE, venue });
  await until("data again", () => parsed.length === 1);
});

test.each(VENUES)(
  "%s stalled answers no ping, which CCXT's keep-alive reports as RequestTimeout",
  async (venue) => {
    const simulator = await simulatorForTest();
    const exchange = await exchangeForTest(venue, simulator, { streaming: { keepAlive: 200 } });
    const { parsed, failures } = watchForTest(exchange, [BTC]);
    await subscribed(simulator, () => parsed.length);
    await simulator.control({ fault: "stall", venue, channel: "ws" });
    await until("the timeout", () => failures.length > 0);
    expect(failures[0]?.name).toBe("RequestTimeout");
    await simulator.control({ fault: "clear" });
    await subscribed(simulator, () => parsed.length);
  },
);

test.each(VENUES)("a handshake with %s refused by status is a NetworkError that names it", async (venue) => {
  const simulator = await simulatorForTest();
  await simulator.control({ fault: "status", venue, channel: "ws", status: 429, count: 1 });
  const { parsed, failures } = watchForTest(await exchangeForTest(venue, simulator), [BTC]);
  await until("the refusal", () => failures.length > 0);
  expect(failures[0]?.name).toBe("NetworkError");
  expect(failures[0]?.message).toContain("429");
  await subscribed(simulator, () => parsed.length);
});

test.each(VENUES)("wrong types in a message of %s reach the program as missing numbers", async (venue) => {
  const { simulator, parsed } = await watchingForTest(venue, [BTC]);
  await simulator.control({ fault: "wrong_types", venue, channel: "ws", count: 1 });
  await simulator.control({ ...ONE, venue, count: 2 });
  await until("both", () => parsed.length === 2);
  expect(parsed[0]).toMatchObject({
    symbol: BTC,
    price: undefined,
    contracts: undefined,
    timestamp: undefined,
  });
  expect(parsed[1]?.price).toBeGreaterThan(0);
});

test.each(VENUES)("a message of %s that doesn't parse is lost alone; the next one arrives", async (venue) => {
  const { simulator, exchange, parsed } = await watchingForTest(venue, [BTC]);
  const complaints: unknown[] = [];
  for (const client of Object.values(exchange.clients)) client.log = (...words) => complaints.push(words);
  await simulator.control({ fault: "malformed_json", venue, channel: "ws", count: 1 });
  await simulator.control({ ...ONE, venue, count: 2 });
  await until("the second", () => parsed.length === 1);
  expect(complaints).toHaveLength(1);
});

test("okx can put several liquidations into one record, of which CCXT parses the first", async () => {
  const { simulator, parsed } = await watchingForTest("okx", undefined);
  const before = simulator.stats().okx.liquidationsSent;
  await simulator.control({ fault: "burst", venue: "okx", count: 40, withinMs: 1, groupSize: 4 });
  await until("ten records", () => parsed.length === 10);
  expect(simulator.stats().okx.liquidationsSent - before).toBe(40);
  const first = parsed[0] as unknown as { info: { details: unknown[] } };
  expect(first.info.details).toHaveLength(4);
});

test("a slow venue answers pings late", async () => {
  const { simulator, exchange } = await watchingForTest("binanceusdm", [BTC]);
  await simulator.control({ fault: "slow", channel: "ws", delayMs: 1_000 });
  expect(await pingOnce(exchange)).toBeGreaterThan(990);
  await simulator.control({ fault: "clear" });
  expect(await pingOnce(exchange)).toBeLessThan(990);
});

async function pingOnce(exchange: Awaited<ReturnType<typeof exchangeForTest>>): Promise<number> {
  const [client] = Object.values(exchange.clients);
  if (client === undefined) throw new Error("the exchange has no stream");
  const startedMs = performance.now();
  const pong = new Promise<void>((resolve) => client.connection.once("pong", resolve));
  client.connection.ping();
  await pong;
  return performance.now() - startedMs;
}

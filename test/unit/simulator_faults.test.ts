// Each REST fault shows in the real CCXT classes as the error that the real exchange would cause, and passes.
// Where CCXT reports nothing at all, the test says so: a program that reads its answers has to check them.

import { expect, test } from "vitest";
import type { FaultInput } from "../../ingest/demo/simulator/simulator.ts";
import { exchangeForTest, simulatorForTest, until } from "./simulator_exchange.ts";

const VENUES = ["binanceusdm", "okx"] as const;
const BTC = "BTC/USDT:USDT";
/** CCXT's own, while it is meant to run out; otherwise long, for machines under load. */
const TIMEOUT_MS = 250;

async function pairForTest(venue: (typeof VENUES)[number]) {
  const simulator = await simulatorForTest();
  const exchange = await exchangeForTest(venue, simulator);
  await exchange.loadMarkets();
  return { simulator, exchange };
}

/** The class of the error, "connection" for those of Node (they differ by its version); "none" when the call succeeds. */
async function errorName(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "none";
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    return code === "ECONNRESET" || code === "UND_ERR_SOCKET" ? "connection" : name;
  }
}

const EXPECTED: readonly (readonly [FaultInput, binanceusdm: string, okx: string])[] = [
  [{ fault: "status", status: 429 }, "DDoSProtection", "RateLimitExceeded"],
  [{ fault: "status", status: 418 }, "DDoSProtection", "RateLimitExceeded"],
  [{ fault: "status", status: 403 }, "ExchangeNotAvailable", "ExchangeNotAvailable"],
  [{ fault: "status", status: 500 }, "ExchangeNotAvailable", "ExchangeNotAvailable"],
  [{ fault: "status", status: 503 }, "ExchangeNotAvailable", "ExchangeNotAvailable"],
  [{ fault: "status", status: 504 }, "RequestTimeout", "ExchangeNotAvailable"],
  [{ fault: "stall", channel: "rest" }, "RequestTimeout", "RequestTimeout"],
  [{ fault: "slow", delayMs: 60_000 }, "RequestTimeout", "RequestTimeout"],
  [{ fault: "away", channel: "rest" }, "NetworkError", "NetworkError"],
  // Not CCXT's own: it stops guarding once the headers are there.
  [{ fault: "cut_body" }, "connection", "connection"],
];

for (const venue of VENUES) {
  for (const [fault, ofBinance, ofOkx] of EXPECTED) {
    const expected = venue === "binanceusdm" ? ofBinance : ofOkx;
    test(`${venue}: ${JSON.stringify(fault)} is ${expected} until it is cleared`, async () => {
      const { simulator, exchange } = await pairForTest(venue);
      await simulator.control(fault);
      const patientMs = exchange.timeout;
      if (expected === "RequestTimeout") exchange.timeout = TIMEOUT_MS;
      expect(await errorName(exchange.fetchTime())).toBe(expected);
      expect(await errorName(exchange.fetchOpenInterest(BTC))).toBe(expected);
      expect(await errorName(exchange.fetchFundingRates())).toBe(expected);
      exchange.timeout = patientMs;
      await simulator.control({ fault: "clear" });
      expect(await errorName(exchange.fetchTime())).toBe("none");
      expect(await errorName(exchange.fetchFundingRates())).toBe("none");
    });
  }
}

test.each(VENUES)(
  "%s: JSON that doesn't parse is no error in CCXT, but an answer without content",
  async (venue) => {
    const { simulator, exchange } = await pairForTest(venue);
    await simulator.control({ fault: "malformed_json", venue });
    expect(await exchange.fetchTime()).toBeUndefined();
    expect(await exchange.fetchOpenInterest(BTC)).toMatchObject({ openInterestAmount: undefined });
    expect(await exchange.fetchFundingRates()).toEqual({});
    expect(await exchange.loadMarkets(true)).toEqual({});
    await simulator.control({ fault: "clear" });
    expect(Object.keys(await exchange.loadMarkets(true))).toContain(BTC);
  },
);

test.each(VENUES)("%s: wrong types are missing numbers in CCXT", async (venue) => {
  const { simulator, exchange } = await pairForTest(venue);
  await simulator.control({ fault: "wrong_types", venue });
  expect(await exchange.fetchTime()).toBeUndefined();
  expect(await exchange.fetchOpenInterest(BTC)).toMatchObject({
    symbol: BTC,
    openInterestAmount: undefined,
    timestamp: undefined,
  });
  expect((await exchange.fetchFundingRates())[BTC]).toMatchObject({ fundingRate: undefined });
  await simulator.control({ fault: "clear" });
  expect((await exchange.fetchFundingRates())[BTC]?.fundingRate).toBeTypeOf("number");
});

test("a body that stalls halfway outlasts CCXT's timeout and arrives when the fault ends", async () => {
  const { simulator, exchange } = await pairForTest("okx");
  exchange.timeout = 500;
  await simulator.control({ fault: "stall", channel: "rest", phase: "body", count: 1 });
  let answered = false;
  const answer = exchange.fetchOpenInterests().then((all) => {
    answered = true;
    return all;
  });
  // Waiting for something not to happen: twice CCXT's timeout.
  await new Promise((resolve) => setTimeout(resolve, 2 * exchange.timeout));
  expect(answered).toBe(false);
  await simulator.control({ fault: "clear" });
  expect(Object.keys(await answer)).toHaveLength(10);
});

test("a dropped connection fails the request that was under way with NetworkError", async () => {
  const { simulator, exchange } = await pairForTest("binanceusdm");
  await simulator.control({ fault: "slow", delayMs: 60_000 });
  const failure = errorName(exchange.fetchTime());
  await until("the request under way", () => simulator.stats().binanceusdm.faulted === 1);
  await simulator.control({ fault: "drop" });
  expect(await failure).toBe("NetworkError");
});

test("binanceusdm's 429 says when to come back and how far over the limit it is", async () => {
  const { simulator, exchange } = await pairForTest("binanceusdm");
  await simulator.control({ fault: "status", status: 429, retryAfterS: 17, headers: { "X-Extra": "yes" } });
  await errorName(exchange.fetchTime());
  expect(exchange.last_response_headers).toMatchObject({
    "Retry-After": "17",
    "X-Mbx-Used-Weight-1m": "2401",
    "X-Extra": "yes",
  });
});

test("a fault with a count spoils so many requests of its venue and no more", async () => {
  const { simulator, exchange } = await pairForTest("okx");
  const other = await exchangeForTest("binanceusdm", simulator);
  await simulator.control({ fault: "status", venue: "okx", status: 503, count: 2 });
  expect(await errorName(other.fetchTime())).toBe("none");
  const outcomes = [];
  for (let i = 0; i < 4; i++) outcomes.push(await errorName(exchange.fetchTime()));
  expect(outcomes).toEqual(["ExchangeNotAvailable", "ExchangeNotAvailable", "none", "none"]);
  expect(simulator.stats()).toMatchObject({ okx: { faulted: 2 }, binanceusdm: { faulted: 0 } });
});

test("a fault with a duration ends by itself", async () => {
  const { simulator, exchange } = await pairForTest("binanceusdm");
  const startedMs = performance.now();
  await simulator.control({ fault: "away", forMs: 1_000 });
  expect(await errorName(exchange.fetchTime())).toBe("NetworkError");
  let back = false;
  while (!back) {
    back = (await errorName(exchange.fetchTime())) === "none";
    if (performance.now() - startedMs > 10_000) throw new Error("still away after 10 s");
  }
  expect(performance.now() - startedMs).toBeGreaterThan(990);
});

test("a new fault replaces the one before, whose duration can't end it", async () => {
  const { simulator, exchange } = await pairForTest("okx");
  await simulator.control({ fault: "stall", channel: "rest", forMs: 600 });
  const held = exchange.fetchTime();
  await until("the request held", () => simulator.stats().okx.faulted === 1);
  await simulator.control({ fault: "status", status: 503 });
  expect(await held).toBeTypeOf("number");
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(await errorName(exchange.fetchTime())).toBe("ExchangeNotAvailable");
});

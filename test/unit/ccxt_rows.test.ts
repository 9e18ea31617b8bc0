import { describe, expect, test } from "vitest";
import { areLinear, checkSymbols, marketsFor } from "../../ingest/sources/ccxt/capabilities.ts";
import {
  fundingRateRow,
  hoursOf,
  liquidationRow,
  type Market,
  openInterestRow,
} from "../../ingest/sources/ccxt/rows.ts";
import { NOON_US } from "../support/manual_clock.ts";

const LINEAR: Market = { symbol: "BTC/USDT:USDT", contractSize: 0.01, inverse: false, swap: true };
const INVERSE: Market = { symbol: "BTC/USD:BTC", contractSize: 100, inverse: true, swap: true };
const NOON_MS = NOON_US / 1000;
const WRONG = [undefined, null, Number.NaN, Number.POSITIVE_INFINITY, "12", "abc", {}, [], true];

describe("open interest", () => {
  const row = (entry: unknown, market = LINEAR, mark?: number) =>
    openInterestRow(NOON_US, "okx", market, entry, mark);

  test("is in coins where the venue gives contracts and coins", () => {
    const entry = { openInterestAmount: 5_000, baseVolume: 50, openInterestValue: 4_500_000 };
    expect(row(entry)).toMatchObject({ ts: NOON_US, open_interest: 50, open_interest_usd: 4_500_000 });
  });

  test("gets its value from the mark price where the venue gives none, and none where there is no mark price", () => {
    expect(row({ openInterestAmount: 50 }, LINEAR, 90_000)?.open_interest_usd).toBe(4_500_000);
    expect(row({ openInterestAmount: 50 })?.open_interest_usd).toBeUndefined();
  });

  test("of an inverse contract is its dollars at the mark price", () => {
    expect(row({ openInterestAmount: 900 }, INVERSE, 90_000)).toMatchObject({
      open_interest: 1,
      open_interest_usd: 90_000,
    });
    expect(row({ openInterestValue: 180_000 }, INVERSE, 90_000)?.open_interest).toBe(2);
    expect(row({ openInterestAmount: 900 }, INVERSE)).toBeUndefined();
  });

  test("without a usable amount is no row", () => {
    for (const wrong of [...WRONG, -1]) expect(row({ openInterestAmount: wrong })).toBeUndefined();
    for (const wrong of [undefined, null, "text", [], 5]) expect(row(wrong)).toBeUndefined();
  });
});

describe("a funding rate", () => {
  const row = (entry: unknown, hours?: number) => fundingRateRow(NOON_US, "okx", LINEAR, entry, hours);

  test("names the next charge, not the one after and not the last", () => {
    const [past, next, after] = [NOON_MS - 1, NOON_MS + 3_600_000, NOON_MS + 32_400_000];
    const nextOf = (fundingTimestamp: unknown, nextFundingTimestamp: unknown) =>
      row({ fundingRate: 0.0001, fundingTimestamp, nextFundingTimestamp })?.next_funding_ts;
    expect(nextOf(next, after)).toBe(next * 1000);
    expect(nextOf(past, next)).toBe(next * 1000);
    expect(nextOf(undefined, next)).toBe(next * 1000);
    expect(nextOf(past, undefined)).toBeUndefined();
    expect(nextOf("soon", Number.NaN)).toBeUndefined();
  });

  test("may be zero or negative, but not missing or of another type", () => {
    expect(row({ fundingRate: 0 })?.funding_rate).toBe(0);
    expect(row({ fundingRate: -0.0003 })?.funding_rate).toBe(-0.0003);
    for (const wrong of WRONG) expect(row({ fundingRate: wrong })).toBeUndefined();
  });

  test("goes without prices that are none", () => {
    for (const wrong of [...WRONG, 0, -5]) {
      const made = row({ fundingRate: 0.0001, markPrice: wrong, indexPrice: wrong });
      expect([made?.mark_price, made?.index_price]).toEqual([undefined, undefined]);
    }
  });

  test("has its own interval rather than one heard elsewhere", () => {
    expect(row({ fundingRate: 0, interval: "4h" }, 8)?.interval_h).toBe(4);
    expect(row({ fundingRate: 0 }, 8)?.interval_h).toBe(8);
  });

  test.each([
    ["8h", 8],
    ["1h", 1],
    ["30m", 0.5],
    ["1d", 24],
    ["43200000", 12],
    ["", undefined],
    ["h", undefined],
    ["0h", undefined],
    ["eight", undefined],
    [8, undefined],
    [undefined, undefined],
  ])("interval %s is %s hours", (interval, hours) => {
    expect(hoursOf(interval)).toBe(hours);
  });
});

describe("a liquidation", () => {
  const good = { timestamp: NOON_MS, side: "sell", price: 91_000.5, contracts: 241.3, info: { id: "77" } };
  const order = { liquidationSide: "order" } as const;
  const row = (change: object, market = LINEAR) =>
    liquidationRow("okx", market, { ...good, ...change }, order);

  test("is in coins without the noise of a product, at the venue's time", () => {
    expect(row({})).toEqual({
      ts: NOON_US,
      exchange: "okx",
      symbol: "BTC/USDT:USDT",
      side: "sell",
      price: 91_000.5,
      amount: 2.413,
      value_usd: 219_584.2065,
    });
  });

  test("of an inverse contract has its dollars as value", () => {
    expect(row({ price: 50_000, contracts: 500 }, INVERSE)).toMatchObject({ amount: 1, value_usd: 50_000 });
  });

  test("where the venue names the side of the position is turned to that of the order", () => {
    const position = { liquidationSide: "position" } as const;
    expect(liquidationRow("bybit", LINEAR, { ...good, side: "buy" }, position)?.side).toBe("sell");
    expect(liquidationRow("bybit", LINEAR, good, position)?.side).toBe("buy");
  });

  test("keeps the venue's id where there is one", () => {
    const quirks = { ...order, liquidationIdField: "id" };
    expect(liquidationRow("htx", LINEAR, good, quirks)?.event_id).toBe("77");
    expect(liquidationRow("htx", LINEAR, { ...good, info: {} }, quirks)).not.toHaveProperty("event_id");
  });

  test("without time, side, price or size is no row", () => {
    for (const field of ["timestamp", "price", "contracts"]) {
      for (const wrong of [...WRONG, 0, -1]) expect(row({ [field]: wrong })).toBeUndefined();
    }
    for (const wrong of [...WRONG, "long", "SELL", ""]) expect(row({ side: wrong })).toBeUndefined();
    for (const wrong of [undefined, null, "text", []]) {
      expect(liquidationRow("okx", LINEAR, wrong, order)).toBeUndefined();
    }
  });
});

describe("the markets of an exchange", () => {
  const markets = {
    "BTC/USDT:USDT": { contract: true, swap: true, contractSize: 0.01 },
    "BTC/USDT:USDT-261225": { contract: true, swap: false, contractSize: 0.01 },
    "BTC/USDT": { contract: false, swap: false },
    "ODD/USDT:USDT": { contract: true, swap: true, contractSize: "big" },
  };

  test("tell which configured symbols can be had, and why the others can't", () => {
    const symbols = ["BTC/USDT:USDT", "BTC/USDT:USDT", "BTC/USDT", "NO/USDT:USDT", "ODD/USDT:USDT"];
    const { markets: known, missing } = checkSymbols(symbols, markets);
    expect([...known.keys()]).toEqual(["BTC/USDT:USDT", "ODD/USDT:USDT"]);
    expect(known.get("ODD/USDT:USDT")?.contractSize).toBe(1);
    expect(Object.fromEntries(missing)).toEqual({
      "BTC/USDT": "the symbol is no contract on this exchange",
      "NO/USDT:USDT": "the exchange lists no such symbol",
    });
    expect(checkSymbols(["BTC/USDT:USDT"], undefined).missing.size).toBe(1);
  });

  test("have funding for perpetual swaps only", () => {
    const check = checkSymbols(["BTC/USDT:USDT", "BTC/USDT:USDT-261225"], markets);
    expect(marketsFor("funding_rates", check).map(({ symbol }) => symbol)).toEqual(["BTC/USDT:USDT"]);
    expect(marketsFor("open_interest", check)).toHaveLength(2);
  });

  test("are linear by name when they settle in their quote currency", () => {
    expect(areLinear(["BTC/USDT:USDT", "ETH/USDC:USDC"])).toBe(true);
    for (const other of ["BTC/USD:BTC", "BTC/USDT", "BTC/USDT:USDT-261225"]) {
      expect(areLinear(["BTC/USDT:USDT", other])).toBe(false);
    }
  });
});

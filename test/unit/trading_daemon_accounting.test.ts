// Protects: the demo's profit, positions and margins are what a second, simpler calculation gives.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { Stamps } from "../../ingest/demo/trading/emit.ts";
import { MAINTENANCE_RATE, marginOf } from "../../ingest/demo/trading/margin.ts";
import { Order } from "../../ingest/demo/trading/order.ts";
import { type BookedFill, Portfolio } from "../../ingest/demo/trading/portfolio.ts";

const CAPITAL = 10_000;
const LOT = 0.01;

function fill(side: "buy" | "sell", lots: number, price: number, fee = 0): BookedFill {
  return { symbol: "BTC/USDT:USDT", side, lots, amount: lots * LOT, price, fee };
}

function portfolioAfter(...fills: readonly BookedFill[]): Portfolio {
  const portfolio = new Portfolio(CAPITAL);
  for (const each of fills) portfolio.apply(each);
  return portfolio;
}

function markAt(portfolio: Portfolio, price: number) {
  return portfolio.mark(({ lots, entryPrice }) => lots * LOT * (price - entryPrice));
}

test("buying twice averages the entry and realizes nothing", () => {
  const portfolio = portfolioAfter(fill("buy", 100, 50), fill("buy", 300, 70));
  expect(portfolio.position("BTC/USDT:USDT")).toMatchObject({ lots: 400, entryPrice: 65 });
  expect(portfolio.grossPnl).toBe(0);
});

test("selling a part realizes its profit and keeps the entry", () => {
  const portfolio = portfolioAfter(fill("buy", 400, 65));
  expect(portfolio.apply(fill("sell", 100, 75))).toBe(10);
  expect(portfolio.position("BTC/USDT:USDT")).toMatchObject({ lots: 300, entryPrice: 65 });
});

test("a short earns when the price falls", () => {
  const portfolio = portfolioAfter(fill("sell", 100, 80));
  expect(markAt(portfolio, 70)).toMatchObject({ realizedPnl: 0, unrealizedPnl: 10, equity: CAPITAL + 10 });
  expect(portfolio.apply(fill("buy", 100, 70))).toBe(10);
  expect(portfolio.positions).toEqual([]);
});

test("selling more than is held realizes what was held and opens the other side at the price", () => {
  const portfolio = portfolioAfter(fill("buy", 100, 50));
  expect(portfolio.apply(fill("sell", 250, 60))).toBe(10);
  expect(portfolio.position("BTC/USDT:USDT")).toMatchObject({ lots: -150, entryPrice: 60 });
});

test("fees come off the realized profit and a rebate adds to it", () => {
  const portfolio = portfolioAfter(fill("buy", 100, 50, 1.5), fill("sell", 100, 50, -0.5));
  expect(markAt(portfolio, 50)).toMatchObject({ realizedPnl: -1, equity: CAPITAL - 1 });
  expect(portfolio.grossPnl).toBe(0);
  expect(portfolio.fees).toBe(1);
});

test("the peak never falls, and drawdown is counted from it", () => {
  const portfolio = portfolioAfter(fill("buy", 10_000, 50));
  expect(markAt(portfolio, 60).drawdown).toBe(0);
  expect(markAt(portfolio, 49)).toMatchObject({ equity: 9_900, peakEquity: 11_000 });
  expect(markAt(portfolio, 49).drawdown).toBeCloseTo(-0.1, 12);
  expect(markAt(portfolio, 55).peakEquity).toBe(11_000);
});

test("for any fills, equity is capital plus the cash that came in plus what is held at the mark", async () => {
  const anyFill = fc.record({
    symbol: fc.constantFrom("A", "B", "C"),
    side: fc.constantFrom("buy" as const, "sell" as const),
    lots: fc.integer({ min: 1, max: 500 }),
    ticks: fc.integer({ min: 1_000, max: 9_000 }),
    fee: fc.double({ min: -1, max: 5, noNaN: true }),
  });
  await fc.assert(
    fc.property(
      fc.array(anyFill, { maxLength: 60 }),
      fc.integer({ min: 1_000, max: 9_000 }),
      (fills, markTicks) => {
        const mark = markTicks / 100;
        const portfolio = new Portfolio(CAPITAL);
        let cash = CAPITAL;
        const held = new Map<string, number>();
        for (const { symbol, side, lots, ticks, fee } of fills) {
          const amount = lots * LOT;
          const sign = side === "buy" ? 1 : -1;
          portfolio.apply({ symbol, side, lots, amount, price: ticks / 100, fee });
          cash -= sign * amount * (ticks / 100) + fee;
          held.set(symbol, (held.get(symbol) ?? 0) + sign * lots);
        }
        const holdings = [...held.values()].reduce((sum, lots) => sum + lots * LOT * mark, 0);
        expect(markAt(portfolio, mark).equity).toBeCloseTo(cash + holdings, 4);
        for (const [symbol, lots] of held) expect(portfolio.position(symbol).lots).toBe(lots);
      },
    ),
  );
});

test("at its liquidation price a position's margin ratio is one", () => {
  for (const direction of [1, -1] as const) {
    const position = { direction, amount: 2, entryPrice: 100, entryLeverage: 5 };
    const { liquidationPrice, margin, leverage } = marginOf({ ...position, markPrice: 100 });
    expect(margin).toBe(40);
    expect(leverage).toBe(5);
    expect(direction * (100 - liquidationPrice)).toBeGreaterThan(15);
    expect(marginOf({ ...position, markPrice: liquidationPrice }).marginRatio).toBeCloseTo(1, 9);
    expect(marginOf({ ...position, markPrice: 100 }).marginRatio).toBeCloseTo(
      (MAINTENANCE_RATE * 200) / 40,
      12,
    );
  }
});

test("a limit order away from the touch does not fill, one at the touch does in time, one that is crossed at once", () => {
  const quoteAt = (bid: number) => ({ bid, ask: bid + 1, mark: bid, tick: 1, fundingRate: 0 });
  const ticket = { side: "buy", type: "limit", lots: 10, limitPrice: 100 } as const;
  const statusAfter = (bid: number, steps: number) => {
    const order = new Order("id", ticket, 0, new RandomStream(1, "test"), true);
    for (let step = 1; step <= steps && !order.ended; step++) order.step(step * 250_000, quoteAt(bid));
    return order.status;
  };
  expect(statusAfter(101, 1_000)).toBe("canceled");
  expect(statusAfter(100, 1_000)).toBe("filled");
  expect(statusAfter(99, 4)).toBe("filled");
});

test("what happens in a step has times after the step's own, in order", () => {
  const stamps = new Stamps();
  expect([100, 100, 50, 200].map((nowUs) => stamps.next(nowUs))).toEqual([101, 102, 103, 201]);
});

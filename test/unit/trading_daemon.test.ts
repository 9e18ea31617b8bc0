// Protects: the demo's trading daemon fills its tables within seconds, with rows that agree with each other to the cent.
import { beforeAll, describe, expect, test } from "vitest";
import { STRATEGIES } from "../../ingest/demo/trading/strategy.ts";
import { findEvent } from "../../schema/registry.ts";
import type { CollectedRow } from "../support/event_collector.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { groupedBy, startTrading, TRADING_TABLES, tradeFor } from "../support/trading_session.ts";

test("every table has its first row within fifteen seconds, and all rows are valid", async () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 42, 99]) {
    const rows = await tradeFor(15_000, seed);
    expect([...rows.keys()].sort()).toEqual(TRADING_TABLES);
  }
});

test("the rates are plausible: some rows of everything, no flood of anything", async () => {
  const rows = await tradeFor(600_000, 7);
  const count = (table: string) => rows.get(table)?.length ?? 0;
  const within = (table: string, least: number, most: number) => {
    expect(count(table), table).toBeGreaterThanOrEqual(least);
    expect(count(table), table).toBeLessThanOrEqual(most);
  };
  within("signals", 100, 300);
  within("orders", 100, 600);
  within("fills", 30, 250);
  within("pnl", 180, 186);
  within("account_marks", 120, 124);
  within("positions", 200, 700);
  within("metrics", 180, 186);
  within("storage_usage", 10, 12);
  within("daemon_errors", 3, 40);
  within("alerts", 2, 12);
  within("data_gaps", 7, 20);
  expect(count("daemon_events")).toBe(2);
});

test("the same seed trades the same way, another one differently", async () => {
  const [first, again, other] = [
    await tradeFor(60_000, 5),
    await tradeFor(60_000, 5),
    await tradeFor(60_000, 6),
  ];
  for (const table of TRADING_TABLES.filter((name) => name !== "daemon_health" && name !== "daemon_events")) {
    expect(again.get(table), table).toEqual(first.get(table));
  }
  expect(other.get("signals")).not.toEqual(first.get("signals"));
});

test("ids of two runs differ, so that one never overwrites the other's orders", async () => {
  const idsOf = async (startUs: number) => {
    const session = await startTrading({ startUs });
    await session.live(5_000);
    await session.end();
    return new Set(session.collector.rows.get("orders")?.map((row) => row["order_id"]));
  };
  const first = await idsOf(NOON_US);
  const second = await idsOf(NOON_US + 1_000);
  expect(first.size).toBeGreaterThan(0);
  expect([...second].filter((id) => first.has(id))).toEqual([]);
});

describe("the books of half an hour", () => {
  let rows: ReadonlyMap<string, CollectedRow[]> = new Map();
  const of = (table: string) => rows.get(table) ?? [];
  const number = (row: CollectedRow | undefined, column: string) => Number(row?.[column]);
  const sum = (list: readonly CollectedRow[], column: string) =>
    list.reduce((total, row) => total + number(row, column), 0);

  beforeAll(async () => {
    rows = await tradeFor(1_800_000, 11);
  }, 60_000);

  test("an order goes from new through legal states to its end, and its fills add up", () => {
    const byOrder = groupedBy(of("orders"), "order_id");
    const endings = new Set<unknown>();
    for (const [id, changes] of byOrder) {
      expect(changes.map((row) => row["seq"])).toEqual(changes.map((_, i) => i));
      expect(changes.map((row) => row.ts)).toEqual(changes.map((row) => row.ts).sort((a, b) => a - b));
      const path = changes.map((row) => row["status"]).join(" ");
      expect(path).toMatch(/^new( rejected| open( partially_filled)*( filled| canceled)?)?$/);
      const fills = of("fills").filter((fill) => fill["order_id"] === id);
      const last = changes.at(-1);
      expect(sum(fills, "amount")).toBeCloseTo(number(last, "filled_amount"), 9);
      if (last?.["status"] === "filled") expect(last["filled_amount"]).toBe(last["amount"]);
      if (path.includes("open")) expect(number(changes[1], "latency_ms")).toBeGreaterThan(0);
      endings.add(last?.["status"]);
    }
    for (const ending of ["filled", "canceled", "rejected"]) expect(endings).toContain(ending);
    expect(of("orders").map((row) => row["status"])).toContain("partially_filled");
  });

  test("limit orders never fill at a worse price than their limit", () => {
    let compared = 0;
    for (const fill of of("fills")) {
      const order = of("orders").find((row) => row["order_id"] === fill["order_id"]);
      if (order?.["order_type"] !== "limit") continue;
      compared += 1;
      const better = fill["side"] === "buy" ? 1 : -1;
      expect(better * (number(order, "price") - number(fill, "price"))).toBeGreaterThanOrEqual(0);
    }
    expect(compared).toBeGreaterThan(10);
  });

  test("every mark of a position is the sum of the fills before it", () => {
    expect(of("positions").length).toBeGreaterThan(500);
    for (const mark of of("positions")) {
      const fills = of("fills").filter(
        (fill) =>
          fill.ts <= mark.ts && fill["strategy"] === mark["strategy"] && fill["symbol"] === mark["symbol"],
      );
      const net = fills.reduce(
        (total, fill) => total + number(fill, "amount") * (fill["side"] === "buy" ? 1 : -1),
        0,
      );
      const direction = mark["side"] === "long" ? 1 : -1;
      // A turn writes two rows: what was held is closed, and the other side is opened.
      const held = mark["amount"] === 0 ? Math.max(0, net * direction) : net * direction;
      expect(held).toBeCloseTo(number(mark, "amount"), 9);
    }
  });

  test("the newest mark of each position shows what the fills left of it, also when that is nothing", () => {
    const newest = new Map<string, CollectedRow>();
    for (const mark of of("positions")) newest.set(`${mark["strategy"]} ${mark["position_id"]}`, mark);
    let closed = 0;
    for (const mark of newest.values()) {
      const net = of("fills")
        .filter((fill) => fill["strategy"] === mark["strategy"] && fill["symbol"] === mark["symbol"])
        .reduce((total, fill) => total + number(fill, "amount") * (fill["side"] === "buy" ? 1 : -1), 0);
      const left = Math.round(Math.max(0, mark["side"] === "long" ? net : -net) * 1e9) / 1e9;
      expect(Number(mark["amount"]) > 0, String(mark["position_id"])).toBe(left > 0);
      if (left === 0) closed += 1;
    }
    expect(closed).toBeGreaterThan(0);
  });

  test("realized profit is that of the fills, less their fees", () => {
    for (const mark of of("pnl")) {
      const fills = of("fills").filter((f) => f.ts <= mark.ts && f["strategy"] === mark["strategy"]);
      expect(sum(fills, "realized_pnl") - sum(fills, "fee")).toBeCloseTo(number(mark, "realized_pnl"), 6);
    }
    expect(sum(of("fills"), "fee")).toBeGreaterThan(0);
  });

  test("unrealized profit is that of the positions of the same moment", () => {
    for (const mark of of("pnl")) {
      const positions = of("positions").filter(
        (row) => row.ts === mark.ts && row["strategy"] === mark["strategy"],
      );
      expect(sum(positions, "unrealized_pnl")).toBeCloseTo(number(mark, "unrealized_pnl"), 6);
      for (const row of positions) {
        const direction = row["side"] === "long" ? 1 : -1;
        const move = number(row, "mark_price") - number(row, "entry_price");
        expect(direction * number(row, "amount") * move).toBeCloseTo(number(row, "unrealized_pnl"), 6);
      }
    }
  });

  test("equity is capital plus both, and drawdown is how far it is below its peak", () => {
    for (const { name, capital } of STRATEGIES) {
      let peak = capital;
      const marks = of("pnl").filter((row) => row["strategy"] === name);
      expect(marks.length).toBeGreaterThan(170);
      for (const mark of marks) {
        const equity = capital + number(mark, "realized_pnl") + number(mark, "unrealized_pnl");
        expect(equity).toBeCloseTo(number(mark, "equity"), 6);
        peak = Math.max(peak, number(mark, "equity"));
        expect(mark["peak_equity"]).toBe(peak);
        expect(number(mark, "equity") / peak - 1).toBeCloseTo(number(mark, "drawdown"), 12);
      }
      expect(Math.min(...marks.map((row) => number(row, "drawdown")))).toBeLessThan(0);
    }
  });

  test("equity is also the capital, the cash that came in, and what is held at the mark, without the fees", () => {
    for (const { name, capital } of STRATEGIES) {
      const strategyFills = of("fills").filter((row) => row["strategy"] === name);
      const marks = of("pnl").filter((row) => row["strategy"] === name);
      for (const mark of marks) {
        const fills = strategyFills.filter((row) => row.ts <= mark.ts);
        const cash = fills.reduce(
          (total, row) =>
            total + (row["side"] === "sell" ? 1 : -1) * number(row, "amount") * number(row, "price"),
          capital - sum(fills, "fee"),
        );
        const held = of("positions")
          .filter((row) => row.ts === mark.ts && row["strategy"] === name)
          .reduce((total, row) => total + (row["side"] === "long" ? 1 : -1) * number(row, "notional_usd"), 0);
        expect(cash + held).toBeCloseTo(number(mark, "equity"), 4);
      }
    }
  });

  test("an account's balance is its strategies' capital and realized profit, and its margin that of its positions", () => {
    const leverageOf = new Map<unknown, number>(STRATEGIES.map(({ name, leverage }) => [name, leverage]));
    for (const mark of of("account_marks")) {
      const strategies = STRATEGIES.filter(({ venue }) => venue === mark["exchange"]);
      const names = new Set<unknown>(strategies.map(({ name }) => name));
      const capital = strategies.reduce((total, spec) => total + spec.capital, 0);
      const pnl = of("pnl").filter((row) => row.ts === mark.ts && names.has(row["strategy"]));
      expect(pnl).toHaveLength(strategies.length);
      expect(capital + sum(pnl, "realized_pnl")).toBeCloseTo(number(mark, "balance"), 5);
      const margin = of("positions")
        .filter((row) => row.ts === mark.ts && names.has(row["strategy"]))
        .reduce(
          (total, row) =>
            total +
            (number(row, "amount") * number(row, "entry_price")) / (leverageOf.get(row["strategy"]) ?? 0),
          0,
        );
      expect(margin).toBeCloseTo(number(mark, "margin_used"), 5);
      expect(margin / number(mark, "balance")).toBeCloseTo(number(mark, "capital_utilization"), 9);
      expect(number(mark, "capital_utilization")).toBeLessThan(1);
    }
  });

  test("prices are on the tick and move from second to second", () => {
    const bitcoin = of("positions").filter((row) => row["symbol"] === "BTC/USDT:USDT");
    expect(new Set(bitcoin.map((row) => row["mark_price"])).size).toBeGreaterThan(50);
    for (const row of bitcoin)
      expect(number(row, "mark_price") * 10).toBeCloseTo(Math.round(number(row, "mark_price") * 10), 6);
  });

  test("a gap is one row that opens, grows, closes and is filled in", () => {
    const gaps = groupedBy(of("data_gaps"), "ts");
    const [first] = gaps.values();
    expect(first?.map((row) => row["status"]).join(" ")).toMatch(/^(open )+closed backfilled$/);
    const lengths = first?.map((row) => number(row, "duration_s")) ?? [];
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    for (const row of of("data_gaps")) {
      expect((number(row, "gap_end") - row.ts) / 1e6).toBeCloseTo(number(row, "duration_s"), 6);
      expect(row["dataset"]).toContain("simulated");
    }
  });

  test("an alert fires and resolves in turn, under one fingerprint", () => {
    const states = of("alerts").map((row) => row["state"]);
    expect(states.length).toBeGreaterThan(4);
    states.forEach((state, i) => {
      expect(state).toBe(i % 2 === 0 ? "firing" : "resolved");
    });
    expect(new Set(of("alerts").map((row) => row["fingerprint"])).size).toBe(1);
    const [told, over] = of("alerts");
    expect(over?.["started_at"]).toBe(told?.["started_at"]);
    expect(Number(told?.["started_at"])).toBeLessThan(Number(told?.["notified_at"]));
  });

  test("no row of a table replaces another, but the growing gap", () => {
    for (const table of TRADING_TABLES.filter((name) => name !== "data_gaps")) {
      const keys = ["ts", ...(findEvent(table)?.keys ?? [])];
      const seen = new Set(of(table).map((row) => JSON.stringify(keys.map((key) => row[key]))));
      expect(seen.size, table).toBe(of(table).length);
    }
  });
});

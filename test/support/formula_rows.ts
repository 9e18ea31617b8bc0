// Rows made by hand for the formulas of dashboards: few enough to compute every figure on paper. Each account (or exchange) is
// one case and shares nothing with the others. Minutes count from the fixture's start, a full hour.
import type { Slot } from "../../bench/workload/w90/stream.ts";
import { slot } from "../../bench/workload/w90/stream.ts";
import type { EventInput, EventName } from "../../schema/registry.ts";

export type At = (minute: number, second?: number) => number;

/** The hundred returns of the account `tails`: every whole number of 1/10,000 from −40 to 59, in a mixed order. */
export const RETURNS_E4 = Array.from({ length: 100 }, (_, k) => ((k * 37) % 100) - 40);

export function formulaRows(at: At): readonly Slot[] {
  const slots = [
    ...equityOf(at),
    ...tailsOf(at),
    ...ordersOf(at),
    ...fillsOf(at),
    ...positionsOf(at),
    ...alertsOf(at),
    ...marketOf(at),
  ];
  return slots.toSorted((a, b) => a.tsUs - b.tsUs);
}

function one<N extends EventName>(table: N, row: EventInput<N> & { readonly ts: number }): Slot {
  return slot(table, row.ts, [row]);
}

/** Account `flows`: minute by minute, with a strategy that begins later and capital that is taken away. */
function equityOf(at: At): Slot[] {
  const mark = (minute: number, strategy: string, profit: number, equity: number, drawdown = 0) =>
    one("pnl", {
      ...{ ts: at(minute), account: "flows", strategy, currency: "USDT", equity, drawdown },
      ...{ realized_pnl: profit - 10, unrealized_pnl: 10 },
    });
  return [
    mark(0, "early", 0, 1000),
    mark(1, "early", 100, 1100),
    mark(2, "early", 45, 1045, -0.05),
    mark(3, "early", 45, 1045, -0.05),
    mark(3, "late", 0, 2000),
    // 500 are taken away: no loss.
    mark(4, "early", 45, 545, -0.05),
    mark(4, "late", 0, 2000),
    // 1 % of 2,545 is lost.
    mark(5, "early", 45, 545, -0.05),
    mark(5, "late", -25.45, 1974.55, -0.012725),
    // 10 % of 2,519.55 is won.
    mark(6, "early", 45, 545, -0.05),
    mark(6, "late", 226.505, 2226.505),
  ];
}

/** Account `tails`: a mark a minute whose returns are RETURNS_E4; then a mark of the minute that is not over, a ruin. */
function tailsOf(at: At): Slot[] {
  let equity = 1000;
  const mark = (ts: number) =>
    one("pnl", {
      ...{ ts, account: "tails", strategy: "only", currency: "USDT", equity },
      ...{ realized_pnl: equity - 1000, unrealized_pnl: 0 },
    });
  const marks = [mark(at(9, 30))];
  for (const [k, return_] of RETURNS_E4.entries()) {
    equity *= 1 + return_ / 10_000;
    marks.push(mark(at(10 + k, 30)));
  }
  equity *= 0.1;
  return [...marks, mark(at(110, 5)), ...gapOf(at)];
}

/** Account `gap`: forty minutes of one per mille up and down, then nothing for five minutes, in which half is lost. */
function gapOf(at: At): Slot[] {
  return Array.from({ length: 80 }, (_, k) => {
    const equity = (k >= 40 ? 500 : 1000) + (k % 2);
    const row = { account: "gap", strategy: "only", currency: "USDT", equity };
    const ts = at(10 + k + (k >= 40 ? 5 : 0), 30);
    return one("pnl", { ts, ...row, realized_pnl: equity - 1000, unrealized_pnl: 0 });
  });
}

function ordersOf(at: At): Slot[] {
  const order = (
    account: string,
    id: string,
    ts: number,
    status: EventInput<"orders">["status"],
    of: object = {},
  ) =>
    one("orders", {
      ...{ ts, account, exchange: "okx", order_id: id, seq: status === "new" ? 0 : 1, strategy: "only" },
      ...{ symbol: "BTC/USDT:USDT", side: "buy", order_type: "limit", status, amount: 2, ...of },
    });
  const pace = Array.from({ length: 20 * 6 }, (_, k) => order("pace", `p${k}`, at(0, 10 * k), "new"));
  return [
    ...pace,
    order("ends", "a", at(1), "filled", { filled_amount: 2, latency_ms: 10 }),
    order("ends", "b", at(2), "filled", { filled_amount: 2, latency_ms: 20 }),
    order("ends", "c", at(3), "canceled", { filled_amount: 1 }),
    order("ends", "d", at(4), "rejected", { reason: "post-only" }),
    order("ends", "e", at(4), "expired", { filled_amount: 0 }),
    order("ends", "f", at(3), "open", { strategy: null, latency_ms: 30 }),
  ];
}

/** Account `wins`: one order that wins in three fills, one that loses, one that comes out even, two that only open. */
function fillsOf(at: At): Slot[] {
  const fill = (order_id: string, minute: number, realized_pnl: number | null) =>
    one("fills", {
      ...{ ts: at(minute), account: "wins", exchange: "okx", fill_id: `${order_id}-${minute}`, order_id },
      ...{ strategy: "only", symbol: "BTC/USDT:USDT", side: "sell", price: 100, amount: 1, realized_pnl },
      is_maker: false,
    });
  return [
    fill("opens", 0, null),
    fill("opens too", 1, 0),
    fill("wins", 2, 5),
    fill("wins", 3, -2),
    fill("wins", 4, 1),
    fill("loses", 5, -3),
    fill("even", 6, 1),
    fill("even", 7, -1),
  ];
}

/** Account `holds`: one position replaced without a last mark, one closed with one, one short, and a silent strategy. */
function positionsOf(at: At): Slot[] {
  const mark = (minute: number, strategy: string, id: string, side: "long" | "short", value: number) =>
    one("positions", {
      ...{ ts: at(minute), account: "holds", strategy, exchange: "okx", symbol: "BTC/USDT:USDT", side },
      ...{ position_id: id, amount: value / 100, mark_price: 100, notional_usd: value },
    });
  const every = (from: number, to: number, make: (minute: number) => Slot) =>
    Array.from({ length: to - from + 1 }, (_, k) => make(from + k));
  return [
    ...every(0, 5, (minute) => mark(minute, "busy", "replaced", "long", 1000)),
    ...every(6, 10, (minute) => mark(minute, "busy", "new", "long", 300)),
    ...every(0, 3, (minute) => mark(minute, "busy", "closed", "long", 700)),
    mark(4, "busy", "closed", "long", 0),
    ...every(0, 10, (minute) => mark(minute, "busy", "short", "short", 100)),
    ...every(0, 2, (minute) => mark(minute, "silent", "old", "long", 50)),
  ];
}

function alertsOf(at: At): Slot[] {
  const row = (
    fingerprint: string,
    ts: number,
    state: EventInput<"alerts">["state"],
    started_at: number,
    of: object = {},
  ) =>
    one("alerts", {
      ts,
      fingerprint,
      state,
      rule: `Rule${fingerprint}`,
      severity: "critical",
      started_at,
      ...of,
    });
  return [
    row("A", at(1), "firing", at(1), { value: 8, receiver: "ops", notified_at: at(1, 4) }),
    row("A", at(3), "acknowledged", at(1), { receiver: "anna" }),
    row("A", at(5), "resolved", at(1), { ended_at: at(5), value: 1 }),
    row("A", at(8), "firing", at(8), { value: 9, notified_at: at(8, 8) }),
    // Its end is lost: it begins anew at minute 6.
    row("B", at(2), "firing", at(2), { notified_at: at(2, 6) }),
    row("B", at(6), "firing", at(6), { notified_at: at(6, 6) }),
    row("B", at(7), "resolved", at(6), { ended_at: at(7) }),
  ];
}

/** Symbol AAA on two exchanges, of which one is asked from minute 5 on; BBB pays funding every four hours. */
function marketOf(at: At): Slot[] {
  const interest = (exchange: string, minute: number, coins: number, price: number) =>
    one("open_interest", {
      ...{ ts: at(minute), exchange, symbol: "AAA/USDT:USDT", open_interest: coins },
      open_interest_usd: coins * price,
    });
  const liquidation = (minute: number, side: "buy" | "sell", value_usd: number) =>
    one("liquidations", {
      ...{ ts: at(minute), exchange: "old", symbol: "AAA/USDT:USDT", event_id: `l${minute}`, side },
      ...{ price: 10, amount: value_usd / 10, value_usd },
    });
  const funding = (symbol: string, funding_rate: number, interval_h: number) =>
    one("funding_rates", { ts: at(5), exchange: "old", symbol, funding_rate, interval_h });
  return [
    interest("old", 0, 100, 10),
    interest("old", 10, 110, 20),
    interest("late", 5, 50, 15),
    interest("late", 10, 50, 20),
    liquidation(3, "sell", 400),
    liquidation(62, "buy", 100),
    liquidation(118, "sell", 50),
    funding("AAA/USDT:USDT", 0.0001, 8),
    funding("BBB/USDT:USDT", 0.0002, 4),
  ];
}

// A little of everything for the dashboards: two hours of W90 that end now, minutes of it before, at distances up to the end of the
// retention, and every state that a connection, an alert, a gap or a fetch can have.
import { otherRows } from "../../bench/workload/other_rows.ts";
import { EXCHANGES } from "../../bench/workload/w90/exchanges.ts";
import { ACCOUNTS, STRATEGY_NAMES } from "../../bench/workload/w90/portfolio.ts";
import { MINUTE_US, SECOND_US, type Slot, slot, type TimedRow } from "../../bench/workload/w90/stream.ts";
import { w90 } from "../../bench/workload/w90.ts";

const HOUR_US = 60 * MINUTE_US;
const DAY_US = 24 * HOUR_US;
const SEED = 7;
/** Where the workload is taken from; it is moved to now. */
const START_US = Date.UTC(2026, 7, 1) * 1000;
/** Long enough for a hundred returns of a minute, which a tail needs. */
const RECENT_US = 2 * HOUR_US;
/** Ends of the earlier minutes, before now. */
const EARLIER_US = [
  3 * HOUR_US,
  5 * HOUR_US,
  23 * HOUR_US,
  3 * DAY_US,
  6 * DAY_US,
  20 * DAY_US,
  60 * DAY_US,
  89 * DAY_US,
];
/** Liquidations of one minute: far above those of the others. */
const BURST_ROWS = 1_000;
/** Of the rows that hold a moment beside their own. */
const MOMENTS = ["ts", "last_message_ts", "next_funding_ts"];

/** All rows; the newest is a moment before `nowUs`. About 150,000. */
export function* dashboardRows(nowUs: number): Generator<Slot> {
  yield* moved(taken(RECENT_US), nowUs - RECENT_US - START_US);
  for (const beforeUs of EARLIER_US) yield* moved(taken(2 * MINUTE_US), nowUs - beforeUs - START_US);
  for (const [fromUs, toUs] of [
    [nowUs - RECENT_US, nowUs],
    ...EARLIER_US.map((beforeUs) => [nowUs - beforeUs - HOUR_US, nowUs - beforeUs] as const),
  ] as const) {
    yield* otherRows({ seed: SEED, fromUs, toUs });
  }
  yield* hourlyMarks(nowUs);
  yield* everyState(nowUs);
}

function* taken(lengthUs: number): Generator<Slot> {
  for (const one of w90({ seed: SEED, startUs: START_US })) {
    if (one.tsUs >= START_US + lengthUs) return;
    yield one;
  }
}

function* moved(slots: Iterable<Slot>, byUs: number): Generator<Slot> {
  for (const { table, tsUs, rows } of slots) {
    yield { table, tsUs: tsUs + byUs, rows: rows.map((row) => movedRow(row, byUs)) };
  }
}

function movedRow(row: TimedRow, byUs: number): TimedRow {
  const copy = { ...row };
  for (const name of MOMENTS) if (typeof copy[name] === "number") copy[name] = copy[name] + byUs;
  return copy;
}

/** Equity of the last week by the hour: what is computed from returns needs many, without a gap. */
function* hourlyMarks(nowUs: number): Generator<Slot> {
  for (let hour = 7 * 24; hour > 1; hour--) {
    const ts = nowUs - hour * HOUR_US;
    const rows = STRATEGY_NAMES.map((strategy, index) => {
      const profit = 40_000 * Math.sin(hour / 3 + index);
      const marks = { realized_pnl: profit, unrealized_pnl: 0, equity: 1_000_000 + profit };
      const peaks = { peak_equity: 1_040_000, drawdown: (1_000_000 + profit) / 1_040_000 - 1 };
      const account = ACCOUNTS[index % ACCOUNTS.length] ?? "";
      return { ts, account, strategy, currency: "USDT", ...marks, ...peaks };
    });
    yield slot("pnl", ts, rows);
  }
}

/** States that W90 has none of, in the last hour and before it. */
function* everyState(nowUs: number): Generator<Slot> {
  const [first, second, third] = EXCHANGES;
  const states = ["connected", "disconnected", "degraded", "unsupported"] as const;
  for (const [index, state] of states.entries()) {
    for (const beforeUs of [30 * DAY_US, 50 * MINUTE_US]) {
      const ts = nowUs - beforeUs + index * MINUTE_US;
      const ids = {
        ts,
        exchange: EXCHANGES[index] ?? first,
        channel: "rest",
        instance: "collector-1",
        seq: 1_000 + index,
      };
      yield slot("connections", ts, [
        { ...ids, state, reason: "for the test", downtime_ms: state === "connected" ? 90_000 : null },
      ]);
    }
  }
  const statuses = ["ok", "error", "timeout", "rate_limited", "unsupported"] as const;
  for (const [index, status] of statuses.entries()) {
    const ts = nowUs - 20 * MINUTE_US + index;
    const ids = { ts, exchange: second, dataset: "open_interest", method: "fetchOpenInterest" };
    const id = `00000000-0000-4000-8000-00000000000${index}`;
    yield slot("fetches", ts, [{ ...ids, fetch_id: id, status, duration_ms: 10, row_count: 0 }]);
  }
  const orders = ["rejected", "expired", "partially_filled"] as const;
  for (const [index, status] of orders.entries()) {
    const ts = nowUs - 15 * MINUTE_US + index;
    const ids = {
      ts,
      account: "main",
      exchange: third,
      order_id: `state-${index}`,
      seq: 1,
      strategy: "momentum",
    };
    const order = {
      symbol: "BTC/USDT:USDT",
      side: "buy" as const,
      order_type: "limit",
      status,
      price: 61_000,
      amount: 1,
    };
    yield slot("orders", ts, [{ ...ids, ...order, latency_ms: 40, reason: "for the test" }]);
  }
  for (const [index, realized] of [120, -80, 45].entries()) {
    const ts = nowUs - 12 * MINUTE_US + index;
    const strategy = STRATEGY_NAMES[index] ?? "";
    const ids = {
      ts,
      account: ACCOUNTS[index] ?? "",
      exchange: first,
      fill_id: `closing-${index}`,
      order_id: `c-${index}`,
    };
    const trade = { strategy, symbol: "BTC/USDT:USDT", side: "sell" as const, price: 60_000, amount: 0.1 };
    yield slot("fills", ts, [
      { ...ids, ...trade, fee: 1, fee_currency: "USDT", realized_pnl: realized, is_maker: true },
    ]);
  }
  const lives = ["started", "config_changed", "crashed", "restarted", "stopped"] as const;
  for (const [index, event] of lives.entries()) {
    const ts = nowUs - 25 * MINUTE_US + index * MINUTE_US;
    const ids = {
      ts,
      daemon: "trader",
      instance: "trader-1",
      event_id: `life-${index}`,
      version: `1.4.${index}`,
    };
    yield slot("daemon_events", ts, [
      { ...ids, event, exit_code: event === "crashed" ? 137 : null, reason: "for the test" },
    ]);
  }
  const troubles = ["suspended", "invalid", "stale"] as const;
  for (const [index, state] of troubles.entries()) {
    const ts = nowUs - 10 * MINUTE_US + index;
    const ids = { ts, instance: "collector-1", table: ["pnl", "pnl_1h", "fetches_1h"][index] ?? "pnl" };
    const counts = { accepted: 1, written: 1, rejected: 0, dead_lettered: 0, retried: 0 };
    yield slot("ingest_health", ts, [{ ...ids, ...counts, state, reason: "for the test" }]);
  }
  for (let index = 0; index < BURST_ROWS; index++) {
    const ts = nowUs - 30 * MINUTE_US + index;
    const ids = { ts, exchange: first, symbol: "BTC/USDT:USDT", event_id: `burst-${index}` };
    yield slot("liquidations", ts, [{ ...ids, side: "sell", price: 60_000, amount: 0.1, value_usd: 6_000 }]);
  }
  // Now firing, and never acknowledged.
  const firing = {
    fingerprint: "now",
    rule: "DataGapOpen",
    severity: "critical",
    started_at: nowUs - 5 * MINUTE_US,
  };
  const ts = nowUs - 5 * MINUTE_US + SECOND_US;
  yield slot("alerts", ts, [{ ...firing, ts, state: "firing", value: 3, summary: "a gap is open" }]);
}

// The list of all rollups: materialized views that panels over more than a day read. Pure. A view cannot be changed, only
// dropped and made again from what its table still has: think twice before editing one that was released.
import {
  aggregate,
  average,
  countIf,
  defineRollup,
  greatest,
  last,
  least,
  percentileIf,
  type RollupColumn,
  type RollupDefinition,
  type RollupStep,
  rowCount,
  sum,
  sumIf,
} from "./define_rollup.ts";
import { accountMarks } from "./events/account_marks.ts";
import { connectivity } from "./events/connectivity.ts";
import { daemonErrors } from "./events/daemon_errors.ts";
import { daemonHealth } from "./events/daemon_health.ts";
import { fetches } from "./events/fetches.ts";
import { fundingRates } from "./events/funding_rates.ts";
import { ingestHealth } from "./events/ingest_health.ts";
import { liquidations } from "./events/liquidations.ts";
import { openInterest } from "./events/open_interest.ts";
import { pnl } from "./events/pnl.ts";
import { positions } from "./events/positions.ts";
import { storageUsage } from "./events/storage_usage.ts";

const TRIED = "status != 'unsupported'";

const FETCHES: Readonly<Record<string, RollupColumn>> = {
  fetches: rowCount("Attempts."),
  ok: countIf("status = 'ok'", "Those that ended well."),
  errors: countIf("status = 'error'", "Those that ended with an error."),
  timeouts: countIf("status = 'timeout'", "Those that took too long."),
  rate_limited: countIf("status = 'rate_limited'", "Those that the exchange or our limiter held back."),
  unsupported: countIf("status = 'unsupported'", "Those that the exchange does not offer."),
  row_count: sum("row_count", "Rows that came of them."),
  duration_max_ms: greatest("duration_ms", "Longest."),
};

const SIDES: Readonly<Record<string, RollupColumn>> = {
  buy_count: countIf("side = 'buy'", "Liquidations of shorts."),
  sell_count: countIf("side = 'sell'", "Liquidations of longs."),
  buy_usd: sumIf("value_usd", "side = 'buy'", "Value of the liquidated shorts."),
  sell_usd: sumIf("value_usd", "side = 'sell'", "Value of the liquidated longs."),
};

function errorsBy(step: RollupStep): RollupDefinition {
  return defineRollup({
    ...{ base: daemonErrors, step, keys: ["daemon"] },
    why: "How many errors, by how bad they were.",
    columns: {
      errors: rowCount("Rows of any severity."),
      critical: countIf("severity = 'critical'", "Critical ones."),
      error: countIf("severity = 'error'", "Errors."),
      warning: countIf("severity = 'warning'", "Warnings."),
    },
  });
}

/** All rollups, in the order of the documentation. */
export const ROLLUPS: readonly RollupDefinition[] = [
  defineRollup({
    ...{ base: daemonHealth, step: "1m", keys: ["daemon", "instance"] },
    why: "Memory, CPU and event-loop lag of the daemons over months.",
    columns: {
      uptime_s: last("uptime_s", "Uptime at the end of the minute."),
      cpu_percent: greatest("cpu_percent", "Highest."),
      rss_bytes: greatest("rss_bytes", "Highest."),
      heap_used_bytes: greatest("heap_used_bytes", "Highest."),
      event_loop_lag_ms: greatest("event_loop_lag_ms", "Highest."),
      restarts: greatest("restarts", "Highest."),
      open_fds: greatest("open_fds", "Highest."),
    },
  }),
  errorsBy("1m"),
  errorsBy("1h"),
  defineRollup({
    ...{ base: fetches, step: "1m", keys: ["exchange", "dataset"] },
    why: "How many fetches a minute, and how they ended, over days.",
    columns: FETCHES,
  }),
  defineRollup({
    ...{ base: fetches, step: "1h", keys: ["exchange", "dataset"] },
    why: "The same by the hour, with how long they took.",
    columns: {
      ...FETCHES,
      duration_p50_ms: percentileIf(
        "duration_ms",
        0.5,
        TRIED,
        "Median, to a tenth; without unsupported ones.",
      ),
      duration_p95_ms: percentileIf("duration_ms", 0.95, TRIED, "95th percentile of the same."),
    },
  }),
  defineRollup({
    ...{ base: openInterest, step: "1h", keys: ["exchange", "symbol"] },
    why: "Open interest over weeks and months.",
    columns: {
      open_interest: last("open_interest", "At the end of the hour."),
      open_interest_usd: last("open_interest_usd", "At the end of the hour."),
      row_count: rowCount("Rows of the hour."),
    },
  }),
  defineRollup({
    ...{ base: fundingRates, step: "1h", keys: ["exchange", "symbol"] },
    why: "Funding over weeks and months.",
    columns: {
      funding_rate: last("funding_rate", "At the end of the hour: the rate that is charged, not a mean."),
      interval_h: last("interval_h", "Hours between two charges."),
      mark_price: last("mark_price", "At the end of the hour."),
      row_count: rowCount("Rows of the hour."),
    },
  }),
  defineRollup({
    ...{ base: liquidations, step: "1m", keys: ["exchange"] },
    why: "Liquidations a minute with their bursts, over weeks.",
    columns: { liquidations: rowCount("Liquidations."), ...SIDES },
  }),
  defineRollup({
    ...{ base: liquidations, step: "1h", keys: ["exchange", "symbol"] },
    why: "Liquidations by symbol over months.",
    columns: {
      liquidations: rowCount("Liquidations."),
      ...SIDES,
      amount: sum("amount", "Size in base currency."),
      price_low: least("price", "Lowest price."),
      price_high: greatest("price", "Highest price."),
    },
  }),
  defineRollup({
    ...{ base: storageUsage, step: "1h", keys: ["store", "path"] },
    why: "Growth of the stores over months.",
    columns: {
      bytes: last("bytes", "At the end of the hour."),
      files: last("files", "At the end of the hour."),
      partitions: last("partitions", "At the end of the hour."),
    },
  }),
  defineRollup({
    ...{ base: connectivity, step: "1m", keys: ["exchange", "channel", "instance"] },
    why: "Latency, clock skew and rate limits of the exchanges over months.",
    columns: {
      samples: rowCount("Samples."),
      up_samples: countIf("up", "Samples that found it connected."),
      latency_ms: average("latency_ms", "Mean."),
      latency_max_ms: greatest("latency_ms", "Highest."),
      clock_skew_ms: last("clock_skew_ms", "At the end of the minute."),
      silence_max_ms: aggregate("max(ts - last_message_ts) / 1000.0", "Highest age of the last message."),
      message_count: last("message_count", "Messages since the process started."),
      reconnects: greatest("reconnects", "Reconnections since the process started."),
      rate_limit_share: aggregate("max(rate_limit_used / rate_limit_capacity)", "Highest share used."),
    },
  }),
  defineRollup({
    ...{ base: pnl, step: "1h", keys: ["account", "strategy"] },
    why: "Equity, profit and drawdown over weeks and months.",
    columns: {
      currency: last("currency", "Currency of all amounts."),
      realized_pnl: last("realized_pnl", "At the end of the hour."),
      unrealized_pnl: last("unrealized_pnl", "At the end of the hour."),
      equity: last("equity", "At the end of the hour."),
      equity_low: least("equity", "Lowest."),
      equity_high: greatest("equity", "Highest."),
      peak_equity: last("peak_equity", "At the end of the hour."),
      drawdown: least("drawdown", "Deepest."),
    },
  }),
  defineRollup({
    ...{ base: pnl, step: "1d", keys: ["account", "strategy"] },
    why: "Profit by day over years.",
    columns: {
      currency: last("currency", "Currency of all amounts."),
      realized_pnl: last("realized_pnl", "At the end of the day."),
      unrealized_pnl: last("unrealized_pnl", "At the end of the day."),
      equity: last("equity", "At the end of the day."),
      equity_low: least("equity", "Lowest."),
      equity_high: greatest("equity", "Highest."),
      drawdown: least("drawdown", "Deepest."),
    },
  }),
  defineRollup({
    ...{ base: positions, step: "1h", keys: ["account", "strategy", "exchange", "symbol", "position_id"] },
    why: "Exposure, leverage and distance to liquidation over weeks.",
    columns: {
      marked_ts: aggregate(
        'last("ts")',
        "Time of the last mark: a position closed within the hour has no newer one.",
      ),
      side: last("side", "At the last mark."),
      amount: last("amount", "At the last mark."),
      notional_usd: last("notional_usd", "At the last mark."),
      unrealized_pnl: last("unrealized_pnl", "At the last mark."),
      leverage: greatest("leverage", "Highest."),
      margin_ratio: greatest("margin_ratio", "Highest."),
      liquidation_distance: aggregate(
        "min(CASE WHEN liquidation_price > 0 THEN abs(mark_price - liquidation_price) / mark_price END)",
        "Nearest to liquidation, a fraction of the mark price.",
      ),
    },
  }),
  defineRollup({
    ...{ base: accountMarks, step: "1h", keys: ["account", "exchange"] },
    why: "Balance and use of capital over weeks.",
    columns: {
      balance: last("balance", "At the end of the hour."),
      margin_used: last("margin_used", "At the end of the hour."),
      capital_utilization: greatest("capital_utilization", "Highest."),
      open_orders: greatest("open_orders", "Most."),
    },
  }),
  defineRollup({
    ...{ base: ingestHealth, step: "1h", keys: ["instance", "table"] },
    why: "tickwatch about itself over months.",
    columns: {
      accepted: last("accepted", "Since the process started, at the end of the hour."),
      written: last("written", "The same."),
      rejected: last("rejected", "The same."),
      dead_lettered: last("dead_lettered", "The same."),
      retried: last("retried", "The same."),
      spool_bytes: greatest("spool_bytes", "Most."),
      oldest_pending_ms: greatest("oldest_pending_ms", "Oldest."),
      lag_txns: greatest("lag_txns", "Most."),
      pending_rows: greatest("pending_rows", "Most."),
      requests: last("requests", "Since the process started, at the end of the hour."),
      request_bytes: last("request_bytes", "The same."),
      queryable_p50_ms: average("queryable_p50_ms", "Mean of the medians."),
      queryable_p99_ms: greatest("queryable_p99_ms", "Highest."),
    },
  }),
];

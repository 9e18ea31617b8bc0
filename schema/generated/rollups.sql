-- Generated from schema/rollups.ts by `npm run gen`; do not edit.

-- Memory, CPU and event-loop lag of the daemons over months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "daemon_health_1m" WITH BASE "daemon_health" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "daemon",
  "instance",
  last("uptime_s") AS "uptime_s",
  max("cpu_percent") AS "cpu_percent",
  max("rss_bytes") AS "rss_bytes",
  max("heap_used_bytes") AS "heap_used_bytes",
  max("event_loop_lag_ms") AS "event_loop_lag_ms",
  max("restarts") AS "restarts",
  max("open_fds") AS "open_fds"
FROM "daemon_health"
SAMPLE BY 1m
) PARTITION BY DAY TTL 12 MONTHS;

-- How many errors, by how bad they were.
CREATE MATERIALIZED VIEW IF NOT EXISTS "daemon_errors_1m" WITH BASE "daemon_errors" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "daemon",
  count() AS "errors",
  sum(CASE WHEN severity = 'critical' THEN 1 ELSE 0 END) AS "critical",
  sum(CASE WHEN severity = 'error' THEN 1 ELSE 0 END) AS "error",
  sum(CASE WHEN severity = 'warning' THEN 1 ELSE 0 END) AS "warning"
FROM "daemon_errors"
SAMPLE BY 1m
) PARTITION BY DAY TTL 12 MONTHS;

-- How many errors, by how bad they were.
CREATE MATERIALIZED VIEW IF NOT EXISTS "daemon_errors_1h" WITH BASE "daemon_errors" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "daemon",
  count() AS "errors",
  sum(CASE WHEN severity = 'critical' THEN 1 ELSE 0 END) AS "critical",
  sum(CASE WHEN severity = 'error' THEN 1 ELSE 0 END) AS "error",
  sum(CASE WHEN severity = 'warning' THEN 1 ELSE 0 END) AS "warning"
FROM "daemon_errors"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- How many fetches a minute, and how they ended, over days.
CREATE MATERIALIZED VIEW IF NOT EXISTS "fetches_1m" WITH BASE "fetches" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  "dataset",
  count() AS "fetches",
  sum(CASE WHEN status = 'ok' THEN 1 ELSE 0 END) AS "ok",
  sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS "errors",
  sum(CASE WHEN status = 'timeout' THEN 1 ELSE 0 END) AS "timeouts",
  sum(CASE WHEN status = 'rate_limited' THEN 1 ELSE 0 END) AS "rate_limited",
  sum(CASE WHEN status = 'unsupported' THEN 1 ELSE 0 END) AS "unsupported",
  sum("row_count") AS "row_count",
  max("duration_ms") AS "duration_max_ms"
FROM "fetches"
SAMPLE BY 1m
) PARTITION BY DAY TTL 12 MONTHS;

-- The same by the hour, with how long they took.
CREATE MATERIALIZED VIEW IF NOT EXISTS "fetches_1h" WITH BASE "fetches" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  "dataset",
  count() AS "fetches",
  sum(CASE WHEN status = 'ok' THEN 1 ELSE 0 END) AS "ok",
  sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS "errors",
  sum(CASE WHEN status = 'timeout' THEN 1 ELSE 0 END) AS "timeouts",
  sum(CASE WHEN status = 'rate_limited' THEN 1 ELSE 0 END) AS "rate_limited",
  sum(CASE WHEN status = 'unsupported' THEN 1 ELSE 0 END) AS "unsupported",
  sum("row_count") AS "row_count",
  max("duration_ms") AS "duration_max_ms",
  approx_percentile(CASE WHEN status != 'unsupported' THEN "duration_ms" END, 0.5, 1) AS "duration_p50_ms",
  approx_percentile(CASE WHEN status != 'unsupported' THEN "duration_ms" END, 0.95, 1) AS "duration_p95_ms"
FROM "fetches"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Open interest over weeks and months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "open_interest_1h" WITH BASE "open_interest" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  "symbol",
  last("open_interest") AS "open_interest",
  last("open_interest_usd") AS "open_interest_usd",
  count() AS "row_count"
FROM "open_interest"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Funding over weeks and months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "funding_rates_1h" WITH BASE "funding_rates" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  "symbol",
  last("funding_rate") AS "funding_rate",
  last("interval_h") AS "interval_h",
  last("mark_price") AS "mark_price",
  count() AS "row_count"
FROM "funding_rates"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Liquidations a minute with their bursts, over weeks.
CREATE MATERIALIZED VIEW IF NOT EXISTS "liquidations_1m" WITH BASE "liquidations" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  count() AS "liquidations",
  sum(CASE WHEN side = 'buy' THEN 1 ELSE 0 END) AS "buy_count",
  sum(CASE WHEN side = 'sell' THEN 1 ELSE 0 END) AS "sell_count",
  sum(CASE WHEN side = 'buy' THEN "value_usd" END) AS "buy_usd",
  sum(CASE WHEN side = 'sell' THEN "value_usd" END) AS "sell_usd"
FROM "liquidations"
SAMPLE BY 1m
) PARTITION BY DAY TTL 12 MONTHS;

-- Liquidations by symbol over months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "liquidations_1h" WITH BASE "liquidations" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  "symbol",
  count() AS "liquidations",
  sum(CASE WHEN side = 'buy' THEN 1 ELSE 0 END) AS "buy_count",
  sum(CASE WHEN side = 'sell' THEN 1 ELSE 0 END) AS "sell_count",
  sum(CASE WHEN side = 'buy' THEN "value_usd" END) AS "buy_usd",
  sum(CASE WHEN side = 'sell' THEN "value_usd" END) AS "sell_usd",
  sum("amount") AS "amount",
  min("price") AS "price_low",
  max("price") AS "price_high"
FROM "liquidations"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Growth of the stores over months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "storage_usage_1h" WITH BASE "storage_usage" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "store",
  "path",
  last("bytes") AS "bytes",
  last("files") AS "files",
  last("partitions") AS "partitions"
FROM "storage_usage"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Latency, clock skew and rate limits of the exchanges over months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "connectivity_1m" WITH BASE "connectivity" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "exchange",
  "channel",
  "instance",
  count() AS "samples",
  sum(CASE WHEN up THEN 1 ELSE 0 END) AS "up_samples",
  avg("latency_ms") AS "latency_ms",
  max("latency_ms") AS "latency_max_ms",
  last("clock_skew_ms") AS "clock_skew_ms",
  max(ts - last_message_ts) / 1000.0 AS "silence_max_ms",
  last("message_count") AS "message_count",
  max("reconnects") AS "reconnects",
  max(rate_limit_used / rate_limit_capacity) AS "rate_limit_share"
FROM "connectivity"
SAMPLE BY 1m
) PARTITION BY DAY TTL 12 MONTHS;

-- Equity, profit and drawdown over weeks and months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "pnl_1h" WITH BASE "pnl" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "account",
  "strategy",
  last("currency") AS "currency",
  last("realized_pnl") AS "realized_pnl",
  last("unrealized_pnl") AS "unrealized_pnl",
  last("equity") AS "equity",
  min("equity") AS "equity_low",
  max("equity") AS "equity_high",
  last("peak_equity") AS "peak_equity",
  min("drawdown") AS "drawdown"
FROM "pnl"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Profit by day over years.
CREATE MATERIALIZED VIEW IF NOT EXISTS "pnl_1d" WITH BASE "pnl" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "account",
  "strategy",
  last("currency") AS "currency",
  last("realized_pnl") AS "realized_pnl",
  last("unrealized_pnl") AS "unrealized_pnl",
  last("equity") AS "equity",
  min("equity") AS "equity_low",
  max("equity") AS "equity_high",
  min("drawdown") AS "drawdown"
FROM "pnl"
SAMPLE BY 1d
) PARTITION BY YEAR TTL 10 YEARS;

-- Exposure, leverage and distance to liquidation over weeks.
CREATE MATERIALIZED VIEW IF NOT EXISTS "positions_1h" WITH BASE "positions" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "account",
  "strategy",
  "exchange",
  "symbol",
  "position_id",
  last("ts") AS "marked_ts",
  last("side") AS "side",
  last("amount") AS "amount",
  last("notional_usd") AS "notional_usd",
  last("unrealized_pnl") AS "unrealized_pnl",
  max("leverage") AS "leverage",
  max("margin_ratio") AS "margin_ratio",
  min(CASE WHEN liquidation_price > 0 THEN abs(mark_price - liquidation_price) / mark_price END) AS "liquidation_distance"
FROM "positions"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- Balance and use of capital over weeks.
CREATE MATERIALIZED VIEW IF NOT EXISTS "account_marks_1h" WITH BASE "account_marks" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "account",
  "exchange",
  last("balance") AS "balance",
  last("margin_used") AS "margin_used",
  max("capital_utilization") AS "capital_utilization",
  max("open_orders") AS "open_orders"
FROM "account_marks"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

-- tickwatch about itself over months.
CREATE MATERIALIZED VIEW IF NOT EXISTS "ingest_health_1h" WITH BASE "ingest_health" REFRESH EVERY 1m AS (
SELECT
  "ts",
  "instance",
  "table",
  last("accepted") AS "accepted",
  last("written") AS "written",
  last("rejected") AS "rejected",
  last("dead_lettered") AS "dead_lettered",
  last("retried") AS "retried",
  max("spool_bytes") AS "spool_bytes",
  max("oldest_pending_ms") AS "oldest_pending_ms",
  max("lag_txns") AS "lag_txns",
  max("pending_rows") AS "pending_rows",
  last("requests") AS "requests",
  last("request_bytes") AS "request_bytes",
  avg("queryable_p50_ms") AS "queryable_p50_ms",
  max("queryable_p99_ms") AS "queryable_p99_ms"
FROM "ingest_health"
SAMPLE BY 1h
) PARTITION BY MONTH TTL 24 MONTHS;

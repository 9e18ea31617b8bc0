-- Generated from schema/events by `npm run gen`; do not edit.

-- Is the trading daemon alive, and is it getting slower or fatter?
CREATE TABLE IF NOT EXISTS "daemon_health" (
  "ts" TIMESTAMP,
  "daemon" SYMBOL,
  "instance" SYMBOL,
  "uptime_s" DOUBLE,
  "cpu_percent" DOUBLE,
  "rss_bytes" LONG,
  "heap_used_bytes" LONG,
  "event_loop_lag_ms" DOUBLE,
  "restarts" LONG,
  "open_fds" LONG
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "daemon", "instance");

-- When did a daemon start, stop, crash or change, and why?
CREATE TABLE IF NOT EXISTS "daemon_events" (
  "ts" TIMESTAMP,
  "daemon" SYMBOL,
  "instance" SYMBOL,
  "event_id" VARCHAR,
  "event" SYMBOL,
  "exit_code" LONG,
  "reason" VARCHAR,
  "version" VARCHAR
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "daemon", "instance", "event_id");

-- What goes wrong, where, and how often?
CREATE TABLE IF NOT EXISTS "daemon_errors" (
  "ts" TIMESTAMP,
  "daemon" SYMBOL,
  "instance" SYMBOL,
  "event_id" VARCHAR,
  "component" SYMBOL,
  "exchange" SYMBOL,
  "severity" SYMBOL,
  "code" SYMBOL,
  "message" VARCHAR
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "daemon", "instance", "event_id");

-- Did the pipeline fetch what it should, how fast, and if not, why?
CREATE TABLE IF NOT EXISTS "fetches" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "dataset" SYMBOL,
  "method" SYMBOL,
  "fetch_id" UUID,
  "symbol" SYMBOL,
  "status" SYMBOL,
  "duration_ms" DOUBLE,
  "row_count" LONG,
  "http_status" LONG,
  "error_code" SYMBOL
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "dataset", "method", "fetch_id");

-- How many contracts are open, per symbol and exchange, over time?
CREATE TABLE IF NOT EXISTS "open_interest" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "open_interest" DOUBLE,
  "open_interest_usd" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "symbol");

-- What does holding a perpetual cost, per symbol and exchange?
CREATE TABLE IF NOT EXISTS "funding_rates" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "funding_rate" DOUBLE,
  "next_funding_ts" TIMESTAMP,
  "interval_h" DOUBLE,
  "mark_price" DOUBLE,
  "index_price" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "symbol");

-- Who was forced out, at what price, and how large was it?
CREATE TABLE IF NOT EXISTS "liquidations" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "event_id" VARCHAR,
  "side" SYMBOL,
  "price" DOUBLE,
  "amount" DOUBLE,
  "value_usd" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "symbol", "event_id");

-- Where is data missing, since when, and was it filled in?
CREATE TABLE IF NOT EXISTS "data_gaps" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "dataset" SYMBOL,
  "gap_end" TIMESTAMP,
  "duration_s" DOUBLE,
  "missing_rows" LONG,
  "status" SYMBOL
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "symbol", "dataset");

-- How much disk do the stores take, and how fast does it grow?
CREATE TABLE IF NOT EXISTS "storage_usage" (
  "ts" TIMESTAMP,
  "store" SYMBOL,
  "path" SYMBOL,
  "bytes" LONG,
  "files" LONG,
  "partitions" LONG
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "store", "path");

-- When did a connection to an exchange break and come back?
CREATE TABLE IF NOT EXISTS "connections" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "channel" SYMBOL,
  "instance" SYMBOL,
  "seq" LONG,
  "state" SYMBOL,
  "reason" VARCHAR,
  "close_code" LONG,
  "downtime_ms" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "channel", "instance", "seq");

-- How well is each exchange connection doing right now?
CREATE TABLE IF NOT EXISTS "connectivity" (
  "ts" TIMESTAMP,
  "exchange" SYMBOL,
  "channel" SYMBOL,
  "instance" SYMBOL,
  "up" BOOLEAN,
  "latency_ms" DOUBLE,
  "clock_skew_ms" DOUBLE,
  "last_message_ts" TIMESTAMP,
  "message_count" LONG,
  "reconnects" LONG,
  "rate_limit_used" DOUBLE,
  "rate_limit_capacity" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "exchange", "channel", "instance");

-- What did a strategy see, and how strongly?
CREATE TABLE IF NOT EXISTS "signals" (
  "ts" TIMESTAMP,
  "strategy" SYMBOL,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "event_id" VARCHAR,
  "indicator" SYMBOL,
  "signal" SYMBOL,
  "strength" DOUBLE,
  "price" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "strategy", "exchange", "symbol", "event_id");

-- What happened to each order, and how long did it take?
CREATE TABLE IF NOT EXISTS "orders" (
  "ts" TIMESTAMP,
  "account" SYMBOL,
  "exchange" SYMBOL,
  "order_id" VARCHAR,
  "seq" LONG,
  "strategy" SYMBOL,
  "symbol" SYMBOL,
  "side" SYMBOL,
  "order_type" SYMBOL,
  "status" SYMBOL,
  "price" DOUBLE,
  "amount" DOUBLE,
  "filled_amount" DOUBLE,
  "latency_ms" DOUBLE,
  "reason" VARCHAR
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "account", "exchange", "order_id", "seq");

-- What did we trade, at what price and cost?
CREATE TABLE IF NOT EXISTS "fills" (
  "ts" TIMESTAMP,
  "account" SYMBOL,
  "exchange" SYMBOL,
  "fill_id" VARCHAR,
  "order_id" VARCHAR,
  "strategy" SYMBOL,
  "symbol" SYMBOL,
  "side" SYMBOL,
  "price" DOUBLE,
  "amount" DOUBLE,
  "fee" DOUBLE,
  "fee_currency" SYMBOL,
  "realized_pnl" DOUBLE,
  "is_maker" BOOLEAN
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "account", "exchange", "fill_id");

-- Is a strategy making money, and how far is it below its best?
CREATE TABLE IF NOT EXISTS "pnl" (
  "ts" TIMESTAMP,
  "account" SYMBOL,
  "strategy" SYMBOL,
  "currency" SYMBOL,
  "realized_pnl" DOUBLE,
  "unrealized_pnl" DOUBLE,
  "equity" DOUBLE,
  "peak_equity" DOUBLE,
  "drawdown" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "account", "strategy");

-- What do we hold, and how near is it to liquidation?
CREATE TABLE IF NOT EXISTS "positions" (
  "ts" TIMESTAMP,
  "account" SYMBOL,
  "strategy" SYMBOL,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "position_id" VARCHAR,
  "side" SYMBOL,
  "amount" DOUBLE,
  "entry_price" DOUBLE,
  "mark_price" DOUBLE,
  "notional_usd" DOUBLE,
  "unrealized_pnl" DOUBLE,
  "leverage" DOUBLE,
  "margin_ratio" DOUBLE,
  "liquidation_price" DOUBLE
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "account", "strategy", "exchange", "symbol", "position_id");

-- How much capital is there, and how much of it works?
CREATE TABLE IF NOT EXISTS "account_marks" (
  "ts" TIMESTAMP,
  "account" SYMBOL,
  "exchange" SYMBOL,
  "balance" DOUBLE,
  "margin_used" DOUBLE,
  "capital_utilization" DOUBLE,
  "open_orders" LONG
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "account", "exchange");

-- Which alert fired when, for how long, and who was told?
CREATE TABLE IF NOT EXISTS "alerts" (
  "ts" TIMESTAMP,
  "fingerprint" SYMBOL,
  "state" SYMBOL,
  "rule" SYMBOL,
  "severity" SYMBOL,
  "value" DOUBLE,
  "labels" VARCHAR,
  "summary" VARCHAR,
  "receiver" SYMBOL,
  "started_at" TIMESTAMP,
  "ended_at" TIMESTAMP,
  "notified_at" TIMESTAMP
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "fingerprint", "state");

-- Any other measurement, so that nothing needs a new table to be seen.
CREATE TABLE IF NOT EXISTS "metrics" (
  "ts" TIMESTAMP,
  "name" SYMBOL,
  "source" SYMBOL,
  "labels_hash" SYMBOL,
  "value" DOUBLE,
  "labels" VARCHAR,
  "exchange" SYMBOL,
  "symbol" SYMBOL,
  "strategy" SYMBOL,
  "instance" SYMBOL
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "name", "source", "labels_hash");

-- Does tickwatch itself keep its promises, table by table?
CREATE TABLE IF NOT EXISTS "ingest_health" (
  "ts" TIMESTAMP,
  "instance" SYMBOL,
  "table" SYMBOL,
  "accepted" LONG,
  "written" LONG,
  "rejected" LONG,
  "dead_lettered" LONG,
  "retried" LONG,
  "spool_bytes" LONG,
  "oldest_pending_ms" DOUBLE,
  "queryable_p50_ms" DOUBLE,
  "queryable_p99_ms" DOUBLE,
  "state" SYMBOL,
  "reason" VARCHAR,
  "lag_txns" LONG,
  "pending_rows" LONG,
  "requests" LONG,
  "request_bytes" LONG
) TIMESTAMP("ts") PARTITION BY DAY TTL 90 DAYS WAL
DEDUP UPSERT KEYS("ts", "instance", "table");

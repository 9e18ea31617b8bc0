// Orders and fills: how many, how fast, how well. Both tables are small (thousands of rows a day) and are read as they are at
// every range. An order ends once: filled, canceled, rejected or expired.
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

local chosen = 'account IN (${account:sqlstring}) AND exchange IN (${exchange:sqlstring}) AND symbol IN (${symbol:sqlstring})'
               + " AND (strategy IN (${strategy:sqlstring}) OR (strategy IS NULL AND '(none)' IN (${strategy:sqlstring})))";
local orders = t.orders { chosen: chosen, ended: "status IN ('filled', 'canceled', 'rejected', 'expired')", whole: window.wholeBuckets('ts') };
local fills = t.fills { chosen: chosen };
local marks = t.account_marks;

// Share of the orders that ended which were filled completely; NULL when none ended.
local fillRate = "sum(CASE WHEN status = 'filled' THEN 1.0 ELSE 0.0 END) / nullif(count(), 0)";

local rated(condition, label) = |||
  SELECT %(ts)s AS time, %(label)s, %(rate)s AS orders
  FROM %(_table)s
  WHERE %(whole)s AND %(condition)s AND %(chosen)s
  SAMPLE BY $__sampleByInterval
||| % (orders { condition: condition, label: label, rate: window.perMinute('count()') });

// Profit of each order that closed something: the profits of its fills. A fill that only opens has none, or nought; for
// QuestDB NULL != 0 is true.
local closing = |||
  SELECT account, exchange, order_id, strategy, sum(realized_pnl) AS profit
  FROM %(_table)s
  WHERE $__timeFilter(%(ts)s) AND (%(realized_pnl)s > 0 OR %(realized_pnl)s < 0) AND %(chosen)s
  GROUP BY account, exchange, order_id, strategy
||| % fills;

{
  chosen: chosen,
  closing: closing,

  sent: rated("status = 'new'", "coalesce(strategy, '(none)') AS strategy"),
  ended: rated(orders.ended, 'status'),

  sentNow: |||
    SELECT %(rate)s AS orders FROM %(_table)s WHERE %(ts)s > dateadd('m', -5, %(end)s) AND %(ts)s <= $__toTime AND %(status)s = 'new' AND %(chosen)s
  ||| % (orders { rate: 'count() / 5.0', end: window.end }),

  fillRate: |||
    SELECT %(fillRate)s AS fill_rate FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ended)s AND %(chosen)s
  ||| % (orders { fillRate: fillRate }),

  fillRateOverTime: |||
    SELECT %(ts)s AS time, %(fillRate)s AS completely,
      avg(CASE WHEN %(amount)s > 0 THEN coalesce(%(filled_amount)s, 0) / %(amount)s END) AS by_size
    FROM %(_table)s WHERE %(whole)s AND %(ended)s AND %(chosen)s
    SAMPLE BY $__sampleByInterval
  ||| % (orders { fillRate: fillRate }),

  rejected: |||
    SELECT sum(CASE WHEN %(status)s = 'rejected' THEN 1.0 ELSE 0.0 END) / nullif(count(), 0) AS rejected
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ended)s AND %(chosen)s
  ||| % orders,

  rejections: |||
    SELECT coalesce(%(reason)s, 'no reason given') AS reason, %(exchange)s, %(symbol)s, coalesce(%(strategy)s, '(none)') AS strategy,
      count() AS orders, max(%(ts)s) AS last
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(status)s = 'rejected' AND %(chosen)s
    GROUP BY reason, exchange, symbol, strategy
    ORDER BY orders DESC, last DESC LIMIT 50
  ||| % orders,

  latencyNow: |||
    SELECT approx_percentile(%(latency_ms)s, 0.5, 2) AS p50, approx_percentile(%(latency_ms)s, 0.95, 2) AS p95
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(latency_ms)s >= 0 AND %(chosen)s
  ||| % orders,

  latency: |||
    SELECT %(ts)s AS time, %(exchange)s, approx_percentile(%(latency_ms)s, 0.5, 2) AS p50, approx_percentile(%(latency_ms)s, 0.95, 2) AS p95
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(latency_ms)s >= 0 AND %(chosen)s
    SAMPLE BY $__sampleByInterval
  ||| % orders,

  // As the exchanges count them.
  openOrders: |||
    SELECT sum(open_orders) AS open_orders FROM (
      SELECT open_orders FROM %(_table)s
      WHERE %(lastHour)s AND account IN (${account:sqlstring}) AND exchange IN (${exchange:sqlstring})
      LATEST ON %(ts)s PARTITION BY %(account)s, %(exchange)s
    )
  ||| % (marks { lastHour: window.lastHour('ts') }),

  // As the changes of the orders tell it.
  openOrdersList: |||
    SELECT changed, account, exchange, symbol, strategy, side, order_type, status, price, amount, filled, order_id FROM (
      SELECT %(ts)s AS changed, %(account)s, %(exchange)s, %(symbol)s, coalesce(%(strategy)s, '(none)') AS strategy, %(side)s, %(order_type)s, %(status)s,
        %(price)s, %(amount)s, coalesce(%(filled_amount)s, 0) / nullif(%(amount)s, 0) AS filled, %(order_id)s
      FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(chosen)s
      LATEST ON %(ts)s PARTITION BY %(account)s, %(exchange)s, %(order_id)s
    )
    WHERE status IN ('new', 'open', 'partially_filled')
    ORDER BY changed DESC LIMIT 100
  ||| % orders,

  winRate: |||
    SELECT sum(CASE WHEN profit > 0 THEN 1.0 ELSE 0.0 END) / nullif(count(), 0) AS win_rate FROM (%s)
  ||| % closing,

  recentFills: |||
    SELECT %(ts)s AS time, %(account)s, %(exchange)s, %(symbol)s, coalesce(%(strategy)s, '(none)') AS strategy, %(side)s, %(price)s, %(amount)s,
      %(price)s * %(amount)s AS value, %(fee)s, %(fee_currency)s, %(realized_pnl)s, CASE WHEN %(is_maker)s THEN 'maker' ELSE 'taker' END AS liquidity
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(chosen)s
    ORDER BY time DESC LIMIT 100
  ||| % fills,
}

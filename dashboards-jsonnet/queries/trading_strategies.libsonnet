// Strategies side by side: one row per strategy and account, each figure by the same rule as the panel that shows it for all.
local equity = import 'trading_equity.libsonnet';
local orders = import 'trading_orders.libsonnet';
local returns = import 'trading_returns.libsonnet';
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

// The newest mark of each bucket, the unfinished one included, and of the bucket before the range: profit starts there.
local marks = equity.sampled(
  t.pnl, "ts >= dateadd('m', -1, timestamp_floor('m', $__fromTime)) AND " + window.isShort, '1m', false
) + 'UNION ALL\n' + equity.sampled(
  t.pnl_1h, "ts >= dateadd('h', -1, timestamp_floor('h', $__fromTime)) AND " + window.isLong, '1h', false
);

{
  compared: |||
    WITH marked AS (
      SELECT account, strategy, max(currency) AS currency, min(drawdown) AS drawdown,
        max(CASE WHEN from_end = 1 THEN equity END) AS equity, max(CASE WHEN from_start = 1 THEN equity END) AS start_equity,
        max(CASE WHEN from_end = 1 THEN pnl END) - max(CASE WHEN from_start = 1 THEN pnl END) AS profit
      FROM (
        SELECT account, strategy, currency, equity, pnl, drawdown,
          row_number() OVER (PARTITION BY account, strategy ORDER BY ts) AS from_start,
          row_number() OVER (PARTITION BY account, strategy ORDER BY ts DESC) AS from_end
        FROM (SELECT ts, account, strategy, currency, equity, realized + unrealized AS pnl, drawdown FROM (%(marks)s))
      ) GROUP BY account, strategy
    ), steady AS (
      SELECT account, strategy, %(sharpe)s AS sharpe
      FROM (SELECT account, strategy, gain / base AS r, %(perYear)s AS per_year FROM (%(steps)s))
      GROUP BY account, strategy
    ), closed AS (
      SELECT account, strategy, count() AS closings, avg(CASE WHEN profit > 0 THEN 1.0 ELSE 0.0 END) AS win_rate
      FROM (%(closing)s) GROUP BY account, strategy
    ), ended AS (
      SELECT account, strategy, sum(ended) AS orders, sum(filled) / nullif(sum(ended), 0) AS fill_rate, sum(rejected) / nullif(sum(ended), 0) AS rejected,
        approx_percentile(latency_ms, 0.95, 2) AS latency_p95
      FROM (
        SELECT account, strategy, CASE WHEN status IN ('filled', 'canceled', 'rejected', 'expired') THEN 1.0 ELSE 0.0 END AS ended,
          CASE WHEN status = 'filled' THEN 1.0 ELSE 0.0 END AS filled, CASE WHEN status = 'rejected' THEN 1.0 ELSE 0.0 END AS rejected,
          CASE WHEN latency_ms >= 0 THEN latency_ms END AS latency_ms
        FROM %(orders)s WHERE $__timeFilter(ts) AND %(chosen)s
      )
      GROUP BY account, strategy
    )
    SELECT m.strategy, m.account, m.currency, m.equity, m.profit, m.profit / nullif(m.start_equity, 0) AS profit_share, m.drawdown,
      s.sharpe, c.win_rate, c.closings, e.orders, e.fill_rate, e.rejected, e.latency_p95
    FROM marked m
    LEFT JOIN steady s ON (account, strategy)
    LEFT JOIN closed c ON (account, strategy)
    LEFT JOIN ended e ON (account, strategy)
    ORDER BY profit DESC LIMIT 100
  ||| % {
    marks: marks,
    sharpe: returns.sharpeColumn,
    perYear: returns.perYear,
    steps: returns.stepsByStrategy,
    closing: orders.closing,
    orders: t.orders._table,
    chosen: orders.chosen,
  },
}

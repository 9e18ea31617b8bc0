// Equity, profit and drawdown over time from the marks of `pnl`. A mark belongs to one strategy on one account; sums take
// the newest mark of each. Profit and returns come from realized + unrealized profit and not from equity, so capital that is
// added, taken away or given to a new strategy is no gain and no loss. Nothing is summed over different currencies.
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

local filter = 'account IN (${account:sqlstring}) AND strategy IN (${strategy:sqlstring})';

// One row per strategy, account and bucket with the newest mark in it. `fill` repeats a mark where a strategy made none.
local sampled(table, condition, bucket, fill) = |||
  SELECT %(ts)s, %(account)s, %(strategy)s, last(%(currency)s) AS currency, last(%(realized_pnl)s) AS realized,
    last(%(unrealized_pnl)s) AS unrealized, last(%(equity)s) AS equity, min(%(drawdown)s) AS drawdown
  FROM %(_table)s
  WHERE %(condition)s AND %(ts)s <= $__toTime AND %(filter)s
  SAMPLE BY %(bucket)s%(fill)s
||| % (table { condition: condition, filter: filter, bucket: bucket, fill: if fill then ' FILL(PREV)' else '' });

// Marks for charts: buckets of the panel, or hours. The reading begins before the range, so that a strategy that marks
// rarely is there from the first bucket on.
local filled = sampled(
  t.pnl, "ts >= dateadd('m', -10, timestamp_floor('$__sampleByInterval', $__fromTime)) AND " + window.isShort, '$__sampleByInterval', true
) + 'UNION ALL\n' + sampled(t.pnl_1h, "ts >= dateadd('h', -2, $__fromTime) AND " + window.isLong, '1h', true);

// The growth of everything selected, as one curve per currency: the logarithms of (1 + gain ÷ equity before), added up.
// `marks` has rows ts, account, strategy, currency, realized, unrealized, equity of evenly filled buckets.
local growth(marks, from) = |||
  steps AS (
    SELECT ts, currency, pnl,
      lag(pnl) OVER (PARTITION BY account, strategy ORDER BY ts) AS before,
      lag(equity) OVER (PARTITION BY account, strategy ORDER BY ts) AS base
    FROM (SELECT ts, account, strategy, currency, equity, realized + unrealized AS pnl FROM %(marks)s WHERE equity IS NOT NULL)
  ), returns AS (
    SELECT ts, currency, ln(1 + sum(pnl - before) / sum(base)) AS log_return
    FROM steps WHERE base IS NOT NULL AND ts >= %(from)s GROUP BY ts, currency
  ), curve AS (
    SELECT ts, currency,
      sum(log_return) OVER (PARTITION BY currency ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS growth
    FROM returns
  ), peaks AS (
    SELECT ts, currency, growth,
      max(growth) OVER (PARTITION BY currency ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS peak
    FROM curve
  ), falls AS (
    SELECT ts, currency, exp(growth - CASE WHEN peak > 0 THEN peak ELSE 0 END) - 1 AS drawdown FROM peaks
  )
||| % { marks: marks, from: from };

{
  sampled: sampled,
  growth: growth,

  equity: |||
    SELECT ts AS time, currency, sum(equity) AS equity
    FROM (%s) WHERE equity IS NOT NULL AND ts >= $__fromTime
    GROUP BY ts, currency ORDER BY time
  ||| % filled,

  // Of each currency at the end of the range.
  equityNow: |||
    SELECT currency, sum(equity) AS equity FROM (
      SELECT %(currency)s, %(equity)s FROM %(_table)s WHERE %(lastHour)s AND %(filter)s LATEST ON %(ts)s PARTITION BY %(account)s, %(strategy)s
    ) GROUP BY currency
  ||| % (t.pnl { lastHour: window.lastHour('ts'), filter: filter }),

  profit: |||
    SELECT ts AS time, currency, sum(realized) AS realized, sum(unrealized) AS unrealized, sum(realized + unrealized) AS total
    FROM (%s) WHERE equity IS NOT NULL AND ts >= $__fromTime
    GROUP BY ts, currency ORDER BY time
  ||| % filled,

  // Each strategy's profit since its first mark in the range.
  profitByStrategy: |||
    SELECT ts AS time, strategy, currency, sum(pnl - start) AS profit
    FROM (
      SELECT ts, strategy, currency, pnl, first_value(pnl) OVER (PARTITION BY account, strategy ORDER BY ts) AS start
      FROM (
        SELECT ts, account, strategy, currency, realized + unrealized AS pnl
        FROM (%s) WHERE equity IS NOT NULL AND ts >= $__fromTime
      )
    )
    GROUP BY ts, strategy, currency ORDER BY time
  ||| % filled,

  profitInRange: |||
    SELECT time, currency, sum(profit) AS profit FROM (%s) GROUP BY time, currency ORDER BY time
  ||| % self.profitByStrategy,

  // As the daemon reports it, against the highest equity since the strategy began; the worst of each bucket.
  drawdownByStrategy: |||
    SELECT ts AS time, strategy, account, drawdown
    FROM (%s) WHERE drawdown IS NOT NULL AND ts >= $__fromTime
    ORDER BY time
  ||| % filled,

  // Of everything selected together, against its peak since the start of the range.
  drawdown: |||
    WITH marks AS (%s),
    %s
    SELECT ts AS time, 'all together' AS strategy, currency AS account, drawdown FROM falls ORDER BY time
  ||| % [filled, growth('marks', '$__fromTime')],

  // Seconds between the newest mark and the end of the range.
  ageOfMarks: |||
    SELECT (%(end)s - max(%(ts)s)) / 1000000.0 AS age FROM %(_table)s
    WHERE %(lastHour)s AND %(filter)s
  ||| % (t.pnl { end: window.end, lastHour: window.lastHour('ts'), filter: filter }),
}

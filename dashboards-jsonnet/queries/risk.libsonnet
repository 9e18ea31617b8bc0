// How near is the worst that can happen: margins, liquidation prices, leverage, falls of the equity curve.
local equity = import 'trading_equity.libsonnet';
local positions = import 'trading_positions.libsonnet';
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

local market = 'account IN (${account:sqlstring}) AND exchange IN (${exchange:sqlstring})';

// How far the mark price may move against the position, as a fraction of it; NULL when it cannot be liquidated.
local distance = "CASE WHEN amount > 0 AND liquidation_price > 0 AND mark_price > 0 THEN CASE WHEN side = 'long' THEN mark_price - liquidation_price ELSE liquidation_price - mark_price END / mark_price END";
local name = "concat(replace(symbol, ':USDT', ''), ' ', side, ', ', exchange, ', ', strategy)";

local accounts = |||
  SELECT %(account)s AS account, %(exchange)s AS exchange, %(balance)s AS balance, %(margin_used)s AS margin_used
  FROM %(_table)s WHERE %(lastHour)s AND %(market)s
  LATEST ON %(ts)s PARTITION BY %(account)s, %(exchange)s
||| % (t.account_marks { lastHour: window.lastHour('ts'), market: market });

local accountsOverTime = |||
  SELECT %(ts)s, %(account)s, %(exchange)s, last(%(balance)s) AS balance, last(%(margin_used)s) AS margin_used
  FROM %(_table)s WHERE %(whole)s AND %(isShort)s AND %(market)s
  SAMPLE BY $__sampleByInterval
||| % (t.account_marks { whole: window.wholeBuckets('ts'), isShort: window.isShort, market: market }) + 'UNION ALL\n' + |||
  SELECT %(ts)s, %(account)s, %(exchange)s, last(%(balance)s) AS balance, last(%(margin_used)s) AS margin_used
  FROM %(_table)s WHERE %(whole)s AND %(isLong)s AND %(market)s
  SAMPLE BY 1h
||| % (t.account_marks_1h { whole: window.wholeHours('ts'), isLong: window.isLong, market: market });

// The worst of each bucket, positions that were closed or liquidated within it included.
local worst(fromTable, fromView, column) = |||
  SELECT time, account, %(column)s FROM (
    SELECT %(ts)s AS time, %(account)s AS account, %(fromTable)s AS %(column)s
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(isShort)s AND %(chosen)s
    SAMPLE BY $__sampleByInterval
    UNION ALL
    SELECT ts AS time, account, %(fromView)s AS %(column)s
    FROM %(view)s WHERE $__timeFilter(ts) AND %(isLong)s AND %(chosen)s
    SAMPLE BY 1h
  ) ORDER BY time
||| % (t.positions {
         fromTable: fromTable,
         fromView: fromView,
         column: column,
         isShort: window.isShort,
         isLong: window.isLong,
         chosen: positions.chosen,
         view: t.positions_1h._table,
       });

// Marks a minute apart of the last hours before the end of the range.
local minutes(hours) = equity.sampled(t.pnl, "ts >= dateadd('h', -%d, timestamp_floor('h', %s))" % [hours, window.end], '1m', true);
// Before the last day they are an hour apart.
local week = equity.sampled(
  t.pnl_1h,
  "ts >= dateadd('d', -7, %(end)s) AND ts < dateadd('h', -24, timestamp_floor('h', %(end)s))" % { end: window.end },
  '1h',
  true
) + 'UNION ALL\n' + minutes(24);

local maxDrawdown(span, marks, from) = |||
  WITH marks AS (%(marks)s),
  %(growth)s
  SELECT concat('%(span)s, ', currency) AS span, min(drawdown) AS drawdown FROM falls GROUP BY currency
||| % { span: span, marks: marks, growth: equity.growth('marks', from) };

{
  positions: |||
    SELECT account, strategy, exchange, symbol, side, amount, entry_price, mark_price, notional, unrealized_pnl,
      leverage, margin_ratio, liquidation_price, %(distance)s AS distance, ts AS marked
    FROM (%(held)s) ORDER BY margin_ratio DESC LIMIT 200
  ||| % { distance: distance, held: positions.held },

  marginRatioByPosition: |||
    SELECT %(name)s AS position, margin_ratio FROM (%(held)s) WHERE margin_ratio IS NOT NULL ORDER BY margin_ratio DESC LIMIT 12
  ||| % { name: name, held: positions.held },

  distanceByPosition: |||
    SELECT position, distance FROM (SELECT %(name)s AS position, %(distance)s AS distance FROM (%(held)s))
    WHERE distance IS NOT NULL ORDER BY distance LIMIT 12
  ||| % { name: name, distance: distance, held: positions.held },

  worst: |||
    SELECT max(margin_ratio) AS margin_ratio, min(distance) AS distance, sum(unrealized_pnl) AS unrealized
    FROM (SELECT margin_ratio, unrealized_pnl, %(distance)s AS distance FROM (%(held)s))
  ||| % { distance: distance, held: positions.held },

  marginRatioOverTime: worst('max(margin_ratio)', 'max(margin_ratio)', 'margin_ratio'),
  distanceOverTime: worst('min(%s)' % distance, 'min(liquidation_distance)', 'distance'),

  // Value of all positions ÷ balance, by account.
  leverage: |||
    SELECT a.account, coalesce(p.gross, 0) / a.balance AS leverage
    FROM (SELECT account, sum(balance) AS balance FROM (%(accounts)s) GROUP BY account) a
    LEFT JOIN (SELECT account, sum(notional) AS gross FROM (%(held)s) GROUP BY account) p ON (account)
    WHERE a.balance > 0 ORDER BY leverage DESC
  ||| % { accounts: accounts, held: positions.held },

  leverageOverTime: |||
    SELECT a.ts AS time, a.account, p.gross / a.balance AS leverage
    FROM (SELECT ts, account, sum(balance) AS balance FROM (%(accounts)s) GROUP BY ts, account) a
    JOIN (SELECT ts, account, sum(notional) AS gross FROM (%(positions)s) GROUP BY ts, account) p ON (ts, account)
    WHERE a.balance > 0 ORDER BY time
  ||| % { accounts: accountsOverTime, positions: positions.valueAtEnds },

  // Margin in use ÷ balance, of everything selected and by account.
  utilizationNow: |||
    SELECT sum(margin_used) / sum(balance) AS utilization FROM (%s) WHERE balance > 0 AND margin_used IS NOT NULL
  ||| % accounts,

  utilizationOverTime: |||
    SELECT ts AS time, account, sum(margin_used) / sum(balance) AS utilization
    FROM (%s) WHERE balance > 0 AND margin_used IS NOT NULL GROUP BY ts, account ORDER BY time
  ||| % accountsOverTime,

  maxDrawdownHour: maxDrawdown('1 hour', minutes(1), "dateadd('h', -1, %s)" % window.end),
  maxDrawdownDay: maxDrawdown('1 day', minutes(24), "dateadd('d', -1, %s)" % window.end),
  maxDrawdownWeek: maxDrawdown('1 week', week, "dateadd('d', -7, %s)" % window.end),
}

// What is held. A position is held at the end of the range when its newest mark of the last hour is not of size nought and
// no more than a minute older than the newest mark of its strategy: marks of a position that was closed may just cease.
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

local owner = 'account IN (${account:sqlstring}) AND strategy IN (${strategy:sqlstring})';
local market = 'exchange IN (${exchange:sqlstring}) AND symbol IN (${symbol:sqlstring})';
local chosen = owner + ' AND ' + market;

// The newest mark of every position held at the end of the range.
local held = |||
  SELECT p.ts AS ts, p.account AS account, p.strategy AS strategy, p.exchange AS exchange, p.symbol AS symbol, p.side AS side, p.amount AS amount,
    p.entry_price AS entry_price, p.mark_price AS mark_price, coalesce(p.notional_usd, p.amount * p.mark_price) AS notional,
    p.unrealized_pnl AS unrealized_pnl, p.leverage AS leverage, p.margin_ratio AS margin_ratio, p.liquidation_price AS liquidation_price
  FROM (
    SELECT %(ts)s, %(account)s, %(strategy)s, %(exchange)s, %(symbol)s, %(side)s, %(amount)s, %(entry_price)s, %(mark_price)s, %(notional_usd)s,
      %(unrealized_pnl)s, %(leverage)s, %(margin_ratio)s, %(liquidation_price)s
    FROM %(_table)s WHERE %(lastHour)s AND %(owner)s
    LATEST ON %(ts)s PARTITION BY %(account)s, %(strategy)s, %(exchange)s, %(symbol)s, %(position_id)s
  ) p JOIN (
    SELECT %(account)s, %(strategy)s, max(%(ts)s) AS newest FROM %(_table)s WHERE %(lastHour)s AND %(owner)s GROUP BY %(account)s, %(strategy)s
  ) n ON (account, strategy)
  WHERE p.amount > 0 AND p.ts >= dateadd('m', -1, n.newest) AND p.exchange IN (${exchange:sqlstring}) AND p.symbol IN (${symbol:sqlstring})
||| % (t.positions { lastHour: window.lastHour('ts'), owner: owner });

local signed = "CASE WHEN side = 'long' THEN notional ELSE 0 - notional END";

// Value per position that was marked in the last minute of a whole bucket, or hour: what was held at its end.
local valueAtEnds = |||
  SELECT ts, account, side, notional FROM (
    SELECT %(ts)s AS ts, %(account)s AS account, %(strategy)s, %(exchange)s, %(symbol)s, %(position_id)s, last(%(side)s) AS side, last(%(ts)s) AS marked,
      coalesce(last(%(notional_usd)s), last(%(amount)s) * last(%(mark_price)s)) AS notional
    FROM %(_table)s WHERE %(wholeBuckets)s AND %(isShort)s AND %(chosen)s
    SAMPLE BY $__sampleByInterval
  ) WHERE marked >= dateadd('s', cast($__interval_ms / 1000 - 60 AS int), ts)
||| % (t.positions { wholeBuckets: window.wholeBuckets('ts'), isShort: window.isShort, chosen: chosen }) + 'UNION ALL\n' + |||
  SELECT %(ts)s AS ts, %(account)s AS account, %(side)s AS side, %(notional_usd)s AS notional
  FROM %(_table)s WHERE %(wholeHours)s AND %(isLong)s AND %(marked_ts)s >= dateadd('m', 59, %(ts)s) AND %(chosen)s
||| % (t.positions_1h { wholeHours: window.wholeHours('ts'), isLong: window.isLong, chosen: chosen });

{
  chosen: chosen,
  held: held,
  valueAtEnds: valueAtEnds,

  // `by`: an expression over the columns of `held`, and the name it gets.
  exposure(by, name): |||
    SELECT %(name)s, sum(%(signed)s) AS net, sum(notional) AS gross
    FROM (SELECT %(by)s AS %(name)s, side, notional FROM (%(held)s))
    GROUP BY %(name)s ORDER BY gross DESC LIMIT 30
  ||| % { by: by, name: name, signed: signed, held: held },

  exposureNow: |||
    SELECT sum(%(signed)s) AS net, sum(notional) AS gross FROM (%(held)s)
  ||| % { signed: signed, held: held },

  exposureOverTime: |||
    SELECT ts AS time, sum(%(signed)s) AS net, sum(notional) AS gross
    FROM (%(ends)s)
    GROUP BY ts ORDER BY time
  ||| % { signed: signed, ends: valueAtEnds },
}

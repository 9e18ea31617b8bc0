// Liquidations a minute. A burst lasts a minute or two: what is drawn is the busiest minute of each interval, so that none
// is averaged away in a long range.
local config = import '../config.libsonnet';
local t = import 'schema/generated/columns.libsonnet';
local ranges = import 'ranges.libsonnet';

local ours = 'exchange IN (${exchange:sqlstring})';

local minutes = {
  short: |||
    SELECT %(ts)s, %(exchange)s, count() AS n FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(guard)s SAMPLE BY 1m
  ||| % (t.liquidations { ours: ours, guard: ranges.upToDay }),
  long: |||
    SELECT %(ts)s, %(exchange)s, %(liquidations)s AS n FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(guard)s
  ||| % (t.liquidations_1m { ours: ours, guard: ranges.beyondDay }),
};

local busiest(condition) = ranges.join([
  'SELECT ts AS time, exchange, max(n) AS busiest FROM (%s) WHERE %s SAMPLE BY $__sampleByInterval\n' % [minutes[length], condition]
  for length in ['short', 'long']
]);

{
  busiestMinute: busiest('n > 0') + 'ORDER BY time',
  bursts: |||
    SELECT time, 'burst' AS exchange, max(busiest) AS burst FROM (%s) GROUP BY time ORDER BY time
  ||| % busiest('n > %d' % config.alerts.LiquidationBurst.at),
  burstsOfRange: |||
    SELECT count() AS bursts FROM (%s)
  ||| % std.join('UNION ALL\n', ['SELECT ts, exchange FROM (%s) WHERE n > %d\n' % [minutes[length], config.alerts.LiquidationBurst.at] for length in ['short', 'long']]),

  // Value a minute by the side that was liquidated.
  value: ranges.series([
    |||
      SELECT %(ts)s AS time, sum(CASE WHEN %(side)s = 'sell' THEN %(value_usd)s ELSE 0 END)%(per)s AS "longs",
        sum(CASE WHEN %(side)s = 'buy' THEN %(value_usd)s ELSE 0 END)%(per)s AS "shorts"
      FROM %(_table)s WHERE %(whole)s AND %(ours)s AND %(guard)s SAMPLE BY $__sampleByInterval FILL(0, 0)
    ||| % (t.liquidations { per: ranges.per(60000, 1), whole: ranges.wholeBuckets('ts'), ours: ours, guard: ranges.upToDay }),
    |||
      SELECT %(ts)s AS time, sum(coalesce(%(sell_usd)s, 0))%(per)s AS "longs", sum(coalesce(%(buy_usd)s, 0))%(per)s AS "shorts"
      FROM %(_table)s WHERE %(whole)s AND %(ours)s AND %(guard)s SAMPLE BY $__sampleByInterval FILL(0, 0)
    ||| % (t.liquidations_1m { per: ranges.per(60000, 60000), whole: ranges.wholeBuckets('ts'), ours: ours, guard: ranges.beyondDay }),
  ]),

  largest: |||
    SELECT %(ts)s AS time, %(exchange)s, %(symbol)s, %(side)s, %(price)s, %(amount)s, %(value_usd)s
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(symbol)s IN (${symbol:sqlstring})
    ORDER BY %(value_usd)s DESC LIMIT 25
  ||| % (t.liquidations { ours: ours }),
}

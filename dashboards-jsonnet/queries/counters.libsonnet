// Counters of ingest_health, which begin anew when a process does, as growth and rates; and its figures of a moment.
local t = import 'schema/generated/columns.libsonnet';
local ranges = import 'ranges.libsonnet';

// A bucket before the range is read as well: growth needs a value to begin at.
local since(ts) = "%s >= dateadd('s', -greatest(20, $__interval_ms / 1000), timestamp_floor('$__sampleByInterval', $__fromTime)) AND %s <= $__toTime" % [ts, ts];
local sinceHour(ts) = "%s >= dateadd('h', -2, $__fromTime) AND %s <= $__toTime" % [ts, ts];

local sampled(table, column, condition) = |||
  SELECT %(ts)s AS time, %(instance)s AS instance, "%(table)s" AS name, last(%(column)s) AS value
  FROM %(_table)s WHERE %(condition)s AND %(column)s IS NOT NULL
  SAMPLE BY $__sampleByInterval
||| % (table { column: column, condition: condition });

// time, name, growth and the seconds in which it grew, per process.
local growth(column) =
  local steps(samples) = |||
    SELECT time, name, CASE WHEN value >= before THEN value - before ELSE value END AS growth, (time - since) / 1000000.0 AS seconds
    FROM (
      SELECT time, name, value, lag(value) OVER (PARTITION BY instance, name ORDER BY time) AS before,
        lag(time) OVER (PARTITION BY instance, name ORDER BY time) AS since
      FROM (%s)
    ) WHERE before IS NOT NULL
  ||| % samples;
  ranges.join([
    steps(sampled(t.ingest_health, column, '%s AND %s' % [since('ts'), ranges.upToDay])),
    steps(sampled(t.ingest_health_1h, column, '%s AND %s' % [sinceHour('ts'), ranges.beyondDay])),
  ]);

{
  // Growth of each bucket by table; tables without any are left out.
  growth(column): |||
    SELECT time, name, sum(growth) AS value FROM (%s) WHERE growth > 0 GROUP BY time, name ORDER BY time
  ||| % growth(column),

  // A second, by table.
  rate(column): |||
    SELECT time, name, sum(growth / seconds) AS value FROM (%s) GROUP BY time, name ORDER BY time
  ||| % growth(column),

  // One number for the range.
  total(column): 'SELECT sum(growth) AS total FROM (%s)' % growth(column),

  // Growth of one counter for each step of another, by table.
  ratio(column, per): |||
    SELECT a.time AS time, a.name AS name, a.value * 1.0 / b.value AS value
    FROM (SELECT time, name, sum(growth) AS value FROM (%s)) a
    JOIN (SELECT time, name, sum(growth) AS value FROM (%s) WHERE growth > 0) b ON a.time = b.time AND a.name = b.name
    ORDER BY time
  ||| % [growth(column), growth(per)],

  // The highest of a figure in each bucket, by table.
  highest(column): ranges.series([
    |||
      SELECT %(ts)s AS time, "%(table)s" AS name, max(%(column)s) AS value
      FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(column)s IS NOT NULL AND %(guard)s
      SAMPLE BY $__sampleByInterval
    ||| % (source.table { column: column, guard: source.guard })
    for source in [{ table: t.ingest_health, guard: ranges.upToDay }, { table: t.ingest_health_1h, guard: ranges.beyondDay }]
  ]),

  // The same over all tables, as one line.
  highestOfAll(column, as='value', how='max'): ranges.series([
    |||
      SELECT %(ts)s AS time, %(how)s(%(column)s) AS %(as)s
      FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(column)s IS NOT NULL AND %(guard)s
      SAMPLE BY $__sampleByInterval
    ||| % (source.table { column: column, guard: source.guard, as: as, how: how })
    for source in [{ table: t.ingest_health, guard: ranges.upToDay }, { table: t.ingest_health_1h, guard: ranges.beyondDay }]
  ]),

  // Sum over the tables of each process, the highest of each bucket: for bytes and rows that wait.
  summed(column):
    local sums(source) = |||
      SELECT %(ts)s AS time, %(instance)s AS instance, sum(%(column)s) AS value
      FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(guard)s
      GROUP BY time, instance
    ||| % (source.table { column: column, guard: source.guard });
    |||
      SELECT time, instance, max(value) AS value FROM (
        SELECT timestamp_floor('$__sampleByInterval', time) AS time, instance, value FROM (%s)
      ) GROUP BY time, instance ORDER BY time
    ||| % ranges.join([
      sums({ table: t.ingest_health, guard: ranges.upToDay }),
      sums({ table: t.ingest_health_1h, guard: ranges.beyondDay }),
    ]),

  // The newest row of each table and process of the five minutes before the end of the range.
  newest(columns): |||
    SELECT %(columns)s FROM %(_table)s
    WHERE %(ts)s > dateadd('m', -5, least($__toTime, now())) AND %(ts)s <= $__toTime
    LATEST ON %(ts)s PARTITION BY %(instance)s, "%(table)s"
  ||| % (t.ingest_health { columns: columns }),
}

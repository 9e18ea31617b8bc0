// SQL of the dashboard Pipeline: fetches and the data that they bring.
local config = import '../config.libsonnet';
local t = import 'schema/generated/columns.libsonnet';
local ranges = import 'ranges.libsonnet';

local ours = 'exchange IN (${exchange:sqlstring})';
local minuteMs = 60000;
local hourMs = 3600000;

// Attempts an hour of one dataset, by exchange.
local fetchesPerHour(dataset) =
  local part(table, count, stepMs, guard) = |||
    SELECT %(ts)s AS time, %(exchange)s, %(count)s%(per)s AS fetches
    FROM %(_table)s WHERE %(whole)s AND %(ours)s AND %(dataset)s = '%(wanted)s' AND %(guard)s
    SAMPLE BY $__sampleByInterval FILL(0)
  ||| % (table { count: count, per: ranges.per(hourMs, stepMs), whole: ranges.wholeBuckets('ts'), ours: ours, wanted: dataset, guard: guard });
  ranges.series([
    part(t.fetches, 'count()', 1, ranges.upToDay),
    part(t.fetches_1m, 'sum(fetches)', minuteMs, ranges.upToWeek),
    part(t.fetches_1h, 'sum(fetches)', hourMs, ranges.beyondWeek),
  ]);

// How attempts ended, from the table or a rollup.
local ended = {
  tried: { table: "sum(CASE WHEN status != 'unsupported' THEN 1.0 ELSE 0 END)", rollup: 'sum(fetches - unsupported) * 1.0' },
  ok: { table: "sum(CASE WHEN status = 'ok' THEN 1.0 ELSE 0 END)", rollup: 'sum(ok) * 1.0' },
  failed: { table: "sum(CASE WHEN status IN ('error', 'timeout', 'rate_limited') THEN 1.0 ELSE 0 END)", rollup: 'sum(errors + timeouts + rate_limited) * 1.0' },
  errors: { table: "sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END)", rollup: 'sum(errors)' },
  timeouts: { table: "sum(CASE WHEN status = 'timeout' THEN 1 ELSE 0 END)", rollup: 'sum(timeouts)' },
  rate_limited: { table: "sum(CASE WHEN status = 'rate_limited' THEN 1 ELSE 0 END)", rollup: 'sum(rate_limited)' },
};

local levels = [
  { table: t.fetches, from: 'table', stepMs: 1, guard: ranges.upToDay },
  { table: t.fetches_1m, from: 'rollup', stepMs: minuteMs, guard: ranges.upToWeek },
  { table: t.fetches_1h, from: 'rollup', stepMs: hourMs, guard: ranges.beyondWeek },
];

local share(of, keys) = ranges.series([
  |||
    SELECT %(ts)s AS time, %(by)s, %(of)s / %(tried)s AS share
    FROM %(_table)s WHERE %(whole)s AND %(ours)s AND %(guard)s
    SAMPLE BY $__sampleByInterval
  ||| % (level.table {
           by: std.join(', ', keys),
           of: ended[of][level.from],
           tried: ended.tried[level.from],
           whole: ranges.wholeBuckets('ts'),
           ours: ours,
           guard: level.guard,
         })
  for level in levels
]);

local shareOfRange(of) = |||
  SELECT sum(wanted) / sum(tried) AS share FROM (%s)
||| % ranges.join([
  |||
    SELECT %(of)s AS wanted, %(tried)s AS tried FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(guard)s
  ||| % (level.table { of: ended[of][level.from], tried: ended.tried[level.from], ours: ours, guard: level.guard })
  for level in [levels[0], levels[2] { guard: ranges.beyondDay }]
]);

local duration(fraction, rollup) = ranges.series([
  |||
    SELECT %(ts)s AS time, %(exchange)s, %(dataset)s, approx_percentile(%(duration_ms)s, %(fraction)s, 2) AS ms
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(status)s != 'unsupported' AND %(guard)s
    SAMPLE BY $__sampleByInterval
  ||| % (t.fetches { fraction: fraction, ours: ours, guard: ranges.upToDay }),
  |||
    SELECT %(ts)s AS time, %(exchange)s, %(dataset)s, avg(%(rollup)s) AS ms
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(guard)s
    SAMPLE BY $__sampleByInterval
  ||| % (t.fetches_1h { rollup: rollup, ours: ours, guard: ranges.beyondDay }),
]);

// Good fetches of the range, and as many as there would be if every hour of it were a usual one: the median of the whole
// hours of the range and of the day before it.
local againstUsual = |||
  SELECT r.exchange AS exchange, r.dataset AS dataset, u.usual AS usual_hour, round(u.usual * u.hours) AS expected, r.ok AS actual,
    r.ok / (u.usual * u.hours) AS share
  FROM (
    SELECT exchange, dataset, sum(ok) AS ok FROM (%(actual)s) GROUP BY exchange, dataset
  ) r LEFT JOIN (
    SELECT %(exchange)s AS exchange, %(dataset)s AS dataset, approx_percentile(%(ok)s, 0.5, 2) AS usual,
      datediff('s', greatest($__fromTime, min(%(ts)s)), %(end)s) / 3600.0 AS hours
    FROM %(_table)s
    WHERE %(ts)s >= dateadd('d', -1, $__fromTime) AND %(ts)s < timestamp_floor('h', %(end)s) AND %(ours)s
  ) u ON r.exchange = u.exchange AND r.dataset = u.dataset
||| % (t.fetches_1h {
         end: ranges.end,
         ours: ours,
         actual: std.join('UNION ALL\n', [
           'SELECT exchange, dataset, %s AS ok FROM %s WHERE $__timeFilter(ts) AND %s AND %s\n' % [ended.ok[level.from], level.table._table, ours, level.guard]
           for level in [levels[0], levels[2] { guard: ranges.beyondDay }]
         ]),
       });

// Rows stored of each dataset, and those that its symbols and slots ask for since the range or the table began.
local rowsOf(table, rollup) = |||
  SELECT '%(name)s' AS dataset, exchange, symbols, rows,
    symbols * (datediff('s', begun, %(end)s) / %(slot)d.0) AS expected
  FROM (
    SELECT exchange, count_distinct(symbol) AS symbols, sum(n) AS rows, greatest($__fromTime, min(first)) AS begun FROM (
      SELECT exchange, symbol, count() AS n, min(ts) AS first FROM %(name)s WHERE $__timeFilter(ts) AND %(ours)s AND %(upToDay)s
      UNION ALL
      SELECT exchange, symbol, sum(row_count) AS n, min(ts) AS first FROM %(rollup)s WHERE $__timeFilter(ts) AND %(ours)s AND %(beyondDay)s
    ) GROUP BY exchange
  )
||| % {
  name: table._table,
  rollup: rollup._table,
  slot: config.slotS[table._table],
  ours: ours,
  end: ranges.end,
  upToDay: ranges.upToDay,
  beyondDay: ranges.beyondDay,
};
local rowsExpected = ranges.join([rowsOf(t.open_interest, t.open_interest_1h), rowsOf(t.funding_rates, t.funding_rates_1h)]);

local freshest(table) = |||
  SELECT '%(_table)s' AS dataset, %(exchange)s AS exchange, %(symbol)s AS symbol, %(ts)s AS last_row,
    datediff('s', %(ts)s, %(end)s) AS age_s, datediff('s', %(ts)s, %(end)s) / %(slot)d.0 AS missed
  FROM %(_table)s
  WHERE %(ts)s > dateadd('d', -2, $__toTime) AND %(ts)s <= $__toTime AND %(ours)s AND %(symbol)s IN (${symbol:sqlstring})
  LATEST ON %(ts)s PARTITION BY %(exchange)s, %(symbol)s
||| % (table { end: ranges.end, slot: config.slotS[table._table], ours: ours });
local freshness = ranges.join([freshest(t.open_interest), freshest(t.funding_rates)]);

{
  openInterestPerHour: fetchesPerHour('open_interest'),
  fundingPerHour: fetchesPerHour('funding_rates'),

  successRate: share('ok', ['exchange', 'dataset']),
  errorRate: share('failed', ['exchange']),
  successOfRange: shareOfRange('ok'),
  errorsOfRange: shareOfRange('failed'),

  durationP50: duration('0.5', t.fetches_1h.duration_p50_ms),
  durationP95: duration('0.95', t.fetches_1h.duration_p95_ms),

  // Failures an hour, by how they ended.
  failures: ranges.series([
    |||
      SELECT %(ts)s AS time, %(errors)s%(per)s AS "error", %(timeouts)s%(per)s AS "timeout", %(limited)s%(per)s AS "rate limited"
      FROM %(_table)s WHERE %(whole)s AND %(ours)s AND %(guard)s
      SAMPLE BY $__sampleByInterval FILL(0, 0, 0)
    ||| % (level.table {
             errors: ended.errors[level.from],
             timeouts: ended.timeouts[level.from],
             limited: ended.rate_limited[level.from],
             per: ranges.per(hourMs, level.stepMs),
             whole: ranges.wholeBuckets('ts'),
             ours: ours,
             guard: level.guard,
           })
    for level in levels
  ]),

  failureList: |||
    SELECT %(exchange)s, %(dataset)s, %(method)s, %(status)s, %(error_code)s, %(http_status)s, count() AS failures, max(%(ts)s) AS last_seen
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(status)s IN ('error', 'timeout', 'rate_limited')
    ORDER BY failures DESC LIMIT 100
  ||| % (t.fetches { ours: ours }),

  againstUsual: '%s ORDER BY share LIMIT 100' % std.stripChars(againstUsual, '\n'),
  shareOfUsual: 'SELECT sum(actual) / sum(expected) AS share FROM (%s) WHERE expected > 0' % againstUsual,
  rowsExpected: 'SELECT dataset, exchange, symbols, round(expected) AS expected, rows AS stored, rows / expected AS share FROM (%s) WHERE expected > 0 ORDER BY share LIMIT 100' % rowsExpected,

  openGaps: |||
    SELECT count() AS gaps FROM %(_table)s
    WHERE %(ts)s <= $__toTime AND %(ours)s AND (%(status)s = 'open' OR %(gap_end)s > $__toTime)
  ||| % (t.data_gaps { ours: ours }),

  // Open gaps by dataset: one more where a gap begins, one less where it ends, and both ends of the range. A series is
  // complete from its first good fetch on: before that nothing was recorded, which is not the same.
  gapTimeline: |||
    SELECT time, exchange, dataset, sum(change) OVER (PARTITION BY exchange, dataset ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS gaps
    FROM (
      SELECT time, exchange, dataset, sum(change) AS change FROM (
        SELECT greatest(%(ts)s, $__fromTime) AS time, %(exchange)s AS exchange, %(dataset)s AS dataset, 1 AS change FROM %(_table)s
        WHERE %(ts)s <= $__toTime AND (%(status)s = 'open' OR %(gap_end)s >= $__fromTime) AND %(ours)s
        UNION ALL
        SELECT %(gap_end)s AS time, %(exchange)s AS exchange, %(dataset)s AS dataset, -1 AS change FROM %(_table)s
        WHERE %(status)s != 'open' AND $__timeFilter(%(gap_end)s) AND %(ours)s
        UNION ALL
        SELECT greatest(first, $__fromTime) AS time, exchange, dataset, 0 AS change FROM (%(known)s)
        UNION ALL
        SELECT %(end)s AS time, exchange, dataset, 0 AS change FROM (%(known)s)
      ) GROUP BY time, exchange, dataset
    ) ORDER BY time
  ||| % (t.data_gaps {
           ours: ours,
           end: ranges.end,
           known: |||
             SELECT exchange, dataset, min(first) AS first FROM (
               SELECT %(exchange)s, %(dataset)s, min(%(ts)s) AS first FROM %(_table)s
               WHERE %(ts)s > dateadd('d', -1, $__fromTime) AND %(ts)s <= $__toTime AND %(status)s = 'ok' AND %(ours)s AND %(upToDay)s
               UNION ALL
               SELECT exchange, dataset, min(ts) AS first FROM %(rollup)s
               WHERE ts > dateadd('d', -1, $__fromTime) AND ts <= $__toTime AND ok > 0 AND %(ours)s AND %(beyondDay)s
               UNION ALL
               SELECT exchange, dataset, min(ts) AS first FROM data_gaps
               WHERE ts <= $__toTime AND (status = 'open' OR gap_end >= $__fromTime) AND %(ours)s
             )
           ||| % (t.fetches { ours: ours, rollup: t.fetches_1m._table, upToDay: ranges.upToDay, beyondDay: ranges.beyondDay }),
         }),

  gapList: |||
    SELECT %(ts)s AS began, CASE WHEN %(status)s = 'open' THEN NULL ELSE %(gap_end)s END AS ended,
      CASE WHEN %(status)s = 'open' THEN datediff('s', %(ts)s, %(end)s) ELSE %(duration_s)s END AS duration,
      %(exchange)s, %(symbol)s, %(dataset)s, %(missing_rows)s, %(status)s
    FROM %(_table)s
    WHERE %(ts)s <= $__toTime AND (%(status)s = 'open' OR %(gap_end)s >= $__fromTime) AND %(ours)s AND %(symbol)s IN (${symbol:sqlstring})
    ORDER BY began DESC LIMIT 200
  ||| % (t.data_gaps { ours: ours, end: ranges.end }),

  freshness: 'SELECT dataset, exchange, symbol, last_row, age_s, missed FROM (%s) ORDER BY missed DESC LIMIT 500' % freshness,
  stalest: 'SELECT max(missed) AS missed FROM (%s)' % freshness,

  storageByPath(store): ranges.series([
    |||
      SELECT %(ts)s AS time, %(path)s, last(%(bytes)s) AS bytes
      FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(store)s = '%(wanted)s' AND %(guard)s
      SAMPLE BY $__sampleByInterval
    ||| % (source.table { wanted: store, guard: source.guard })
    for source in [{ table: t.storage_usage, guard: ranges.upToDay }, { table: t.storage_usage_1h, guard: ranges.beyondDay }]
  ]),

  storageNow(store): |||
    SELECT sum(bytes) AS bytes FROM (
      SELECT %(bytes)s AS bytes FROM %(_table)s
      WHERE %(ts)s > dateadd('h', -1, least($__toTime, now())) AND %(ts)s <= $__toTime AND %(store)s = '%(wanted)s'
      LATEST ON %(ts)s PARTITION BY %(path)s
    )
  ||| % (t.storage_usage { wanted: store }),
}

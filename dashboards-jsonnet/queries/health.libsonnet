// SQL of the dashboard Health. "Now" is the end of the chosen range, so that the tiles follow a zoom into the past.
local t = import 'schema/generated/columns.libsonnet';
local ranges = import 'ranges.libsonnet';

local health = t.daemon_health { filter: 'daemon IN (${daemon:sqlstring})' };
local errors = t.daemon_errors { filter: 'daemon IN (${daemon:sqlstring})' };
local events = t.daemon_events { filter: 'daemon IN (${daemon:sqlstring})' };
local storage = t.storage_usage;

// The newest sample of each daemon of the week before the end of the range; who is silent for longer is retired.
local newest(columns) = |||
  SELECT %(columns)s FROM %(_table)s
  WHERE %(ts)s > dateadd('d', -7, $__toTime) AND %(ts)s <= $__toTime AND %(filter)s
  LATEST ON %(ts)s PARTITION BY %(daemon)s
||| % (health { columns: columns });

// The highest of each interval, per process.
local sampled(column) = ranges.series([
  |||
    SELECT %(ts)s AS time, %(daemon)s, %(instance)s, max(%(column)s) AS value
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(filter)s AND %(guard)s
    SAMPLE BY $__sampleByInterval
  ||| % (source { column: column, filter: health.filter })
  for source in [t.daemon_health { guard: ranges.upToDay }, t.daemon_health_1m { guard: ranges.beyondDay }]
]);

{
  // 2 up, 1 late, 0 silent.
  status(limits): |||
    SELECT %(daemon)s, CASE WHEN silent_s <= %(late)d THEN 2 WHEN silent_s <= %(gone)d THEN 1 ELSE 0 END AS status
    FROM (%(newest)s)
    ORDER BY %(daemon)s
  ||| % (health {
           late: limits[0],
           gone: limits[1],
           newest: newest("daemon, datediff('s', ts, least($__toTime, now())) AS silent_s"),
         }),

  uptime: 'SELECT daemon, uptime_s FROM (%s) ORDER BY daemon' % newest('daemon, uptime_s'),
  memoryNow: 'SELECT daemon, rss_bytes FROM (%s) ORDER BY daemon' % newest('daemon, rss_bytes'),

  restartsInRange: |||
    SELECT count() AS restarts FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(event)s IN ('restarted', 'crashed') AND %(filter)s
  ||| % events,

  errorsInRange: 'SELECT sum(n) AS errors FROM (%s)' % ranges.join([
    |||
      SELECT count() AS n FROM %(_table)s
      WHERE $__timeFilter(%(ts)s) AND %(severity)s IN ('error', 'critical') AND %(filter)s AND %(guard)s
    ||| % (errors { guard: ranges.upToDay }),
    |||
      SELECT sum(%(error)s + %(critical)s) AS n FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(filter)s AND %(guard)s
    ||| % (t.daemon_errors_1h { filter: errors.filter, guard: ranges.beyondDay }),
  ]),

  lastError: |||
    SELECT %(ts)s AS time, concat(%(daemon)s, ' ', %(component)s, ': ', coalesce(%(code)s, %(severity)s)) AS what
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(severity)s IN ('error', 'critical') AND %(filter)s
    ORDER BY time DESC LIMIT 1
  ||| % errors,

  memory: sampled(health.rss_bytes),
  heap: sampled(health.heap_used_bytes),
  cpu: sampled(health.cpu_percent),
  eventLoopLag: sampled(health.event_loop_lag_ms),
  openFiles: sampled(health.open_fds),

  errorsOverTime: |||
    SELECT %(ts)s AS time, %(component)s, count() AS errors
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(filter)s
    SAMPLE BY $__sampleByInterval
  ||| % errors,

  errorsByCode: |||
    SELECT %(component)s, %(code)s, %(severity)s, count() AS errors, max(%(ts)s) AS last_seen, last(%(message)s) AS message
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(filter)s
    ORDER BY errors DESC LIMIT 50
  ||| % errors,

  recentErrors: |||
    SELECT %(ts)s AS time, %(message)s AS message, %(severity)s AS level, %(daemon)s, %(component)s, %(exchange)s, %(code)s
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(filter)s
    ORDER BY time DESC LIMIT 200
  ||| % errors,

  lifecycle: |||
    SELECT %(ts)s AS time, %(daemon)s, %(instance)s, %(event)s, %(exit_code)s, %(version)s, %(reason)s
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(filter)s
    ORDER BY time DESC LIMIT 100
  ||| % events,

  diskByStore: |||
    SELECT %(store)s, sum(%(bytes)s) AS bytes
    FROM (
      SELECT %(store)s, %(bytes)s FROM %(_table)s
      WHERE %(ts)s > dateadd('h', -1, $__toTime) AND %(ts)s <= $__toTime
      LATEST ON %(ts)s PARTITION BY %(store)s, %(path)s
    )
    ORDER BY bytes DESC
  ||| % storage,

  diskOverTime: |||
    SELECT time, store, sum(bytes) AS bytes FROM (%s) GROUP BY time, store ORDER BY time
  ||| % ranges.join([
    |||
      SELECT %(ts)s AS time, %(store)s AS store, %(path)s AS path, last(%(bytes)s) AS bytes
      FROM %(_table)s
      WHERE $__timeFilter(%(ts)s) AND %(guard)s
      SAMPLE BY $__sampleByInterval
    ||| % source
    for source in [storage { guard: ranges.upToDay }, t.storage_usage_1h { guard: ranges.beyondDay }]
  ]),

  largestTables: |||
    SELECT %(path)s AS "table", %(bytes)s AS bytes
    FROM %(_table)s
    WHERE %(ts)s > dateadd('h', -1, $__toTime) AND %(ts)s <= $__toTime AND %(store)s = 'questdb'
    LATEST ON %(ts)s PARTITION BY %(path)s
    ORDER BY bytes DESC LIMIT 7
  ||| % storage,
}

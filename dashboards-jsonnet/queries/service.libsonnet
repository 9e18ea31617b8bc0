// SQL of the dashboard tickwatch: the service about itself, and the tables and rollups behind it.
local t = import 'schema/generated/columns.libsonnet';
local counters = import 'counters.libsonnet';
local ranges = import 'ranges.libsonnet';

local tableColumns = 'instance, "table" AS name, ts, written, state, reason, lag_txns, pending_rows, oldest_pending_ms, queryable_p50_ms, queryable_p99_ms';
local newest = counters.newest(tableColumns);

local own(column) = ranges.series([
  |||
    SELECT %(ts)s AS time, %(instance)s, max(%(column)s) AS value
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(guard)s AND %(instance)s IN (SELECT DISTINCT instance FROM ingest_health WHERE ts > dateadd('h', -1, $__toTime) AND ts <= $__toTime)
    SAMPLE BY $__sampleByInterval
  ||| % (source.table { column: column, guard: source.guard })
  for source in [{ table: t.daemon_health, guard: ranges.upToDay }, { table: t.daemon_health_1m, guard: ranges.beyondDay }]
]);

{
  troubled(states): "SELECT count() AS troubled FROM (%s) WHERE state IN (%s)" % [newest, std.join(', ', ["'%s'" % state for state in states])],
  worstP99: 'SELECT max(queryable_p99_ms) AS ms FROM (%s)' % newest,
  oldestPending: 'SELECT max(oldest_pending_ms) AS ms FROM (%s)' % newest,

  // Rows a second over the five minutes before the end of the range.
  rowsPerSecond: |||
    SELECT sum(rate) AS rate FROM (
      SELECT "table", instance, (last(%(written)s) - first(%(written)s)) * 1000000.0 / (last(%(ts)s) - first(%(ts)s)) AS rate
      FROM %(_table)s WHERE %(ts)s > dateadd('m', -5, %(end)s) AND %(ts)s <= $__toTime
    ) WHERE rate >= 0
  ||| % (t.ingest_health { end: ranges.end }),

  median: counters.highestOfAll('queryable_p50_ms', '"median"', 'avg'),
  p99: counters.highestOfAll('queryable_p99_ms', '"99th percentile"'),
  p99ByTable: counters.highest('queryable_p99_ms'),
  rowsByTable: counters.rate('written'),
  rowsPerRequest: counters.ratio('written', 'requests'),
  bytesPerRequest: counters.ratio('request_bytes', 'requests'),
  requests: counters.rate('requests'),
  retries: counters.growth('retried'),
  rejected: counters.growth('rejected'),
  deadLettered: counters.growth('dead_lettered'),
  retriesOfRange: counters.total('retried'),

  lag: counters.highest('lag_txns'),
  pendingRows: counters.highest('pending_rows'),
  spool: counters.summed('spool_bytes'),
  oldest: counters.highestOfAll('oldest_pending_ms', '"oldest waiting"'),

  tables: |||
    SELECT name AS "table", state, reason, lag_txns, pending_rows, queryable_p50_ms, queryable_p99_ms, written, ts AS reported
    FROM (%s) ORDER BY state DESC, name LIMIT 200
  ||| % newest,

  memory: own('rss_bytes'),
  cpu: own('cpu_percent'),
  eventLoopLag: own('event_loop_lag_ms'),
}

// tickwatch's own promises, and the database and the disk under it.
local t = import '../../schema/generated/columns.libsonnet';
local r = import 'rule.libsonnet';

// How much a counter of ingest_health has grown within ten minutes, by instance and table. After a restart it begins
// again at nothing, so that what it says then is all new.
local growthOf(counter) =
  |||
    SELECT %(instance)s, "%(table)s",
      CASE WHEN last(%(counter)s) < first(%(counter)s) THEN last(%(counter)s) + 0.0
        ELSE last(%(counter)s) - first(%(counter)s) + 0.0 END AS value
    FROM %(_table)s WHERE %(ts)s > dateadd('m', -10, now())
  ||| % (t.ingest_health { counter: counter });

[
  r.limited('IngestLagHigh', {
    severity: 'warning',
    sql: |||
      SELECT instance, max(lag) AS value FROM (
        SELECT %(instance)s AS instance, "%(table)s", coalesce(last(%(oldest_pending_ms)s), 0.0) AS lag
        FROM %(_table)s WHERE %(ts)s > dateadd('m', -1, now())
      )
    ||| % t.ingest_health,
    unit: 'milliseconds',
    op: 'gt',
    'for': '20s',
    noData: 'OK',
    summary: 'rows of {{ $labels.instance }} have waited [value] for QuestDB',
    panel: { dashboard: 'tickwatch-pipeline', id: 601 },
  }),

  // Bytes that have come to those waiting, within ten minutes.
  r.limited('SpoolGrowing', {
    severity: 'warning',
    sql: |||
      SELECT instance, sum(grown) AS value FROM (
        SELECT %(instance)s AS instance, "%(table)s",
          coalesce(last(%(spool_bytes)s), 0) - coalesce(first(%(spool_bytes)s), 0) + 0.0 AS grown
        FROM %(_table)s WHERE %(ts)s > dateadd('m', -10, now())
      )
    ||| % t.ingest_health,
    unit: 'bytes',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: 'the spool of {{ $labels.instance }} has grown by [value] within ten minutes',
    panel: { dashboard: 'tickwatch-pipeline', id: 602 },
  }),

  r.limited('RowsRejected', {
    severity: 'warning',
    sql: growthOf(t.ingest_health.rejected),
    unit: 'count',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '[value] rows for {{ $labels.table }} were refused within ten minutes',
    panel: { dashboard: 'tickwatch-pipeline', id: 603 },
  }),

  r.limited('DeadLetters', {
    severity: 'warning',
    sql: growthOf(t.ingest_health.dead_lettered),
    unit: 'count',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: 'QuestDB would not take [value] rows of {{ $labels.table }} within ten minutes',
    panel: { dashboard: 'tickwatch-pipeline', id: 603 },
  }),

  // A suspended table takes rows and shows none of them.
  r.flagged('TableSuspended', {
    severity: 'critical',
    sql: 'SELECT name AS "table", CASE WHEN suspended THEN 1.0 ELSE 0.0 END AS value FROM wal_tables()',
    unit: 'flag',
    'for': '0s',
    noData: 'OK',
    summary: 'table {{ $labels.table }} is suspended: rows come in and cannot be seen',
    panel: { dashboard: 'tickwatch-tickwatch', id: 104 },
  }),

  r.flagged('RollupInvalid', {
    severity: 'warning',
    sql: |||
      SELECT view_name AS view, CASE WHEN view_status = 'invalid' THEN 1.0 ELSE 0.0 END AS value
      FROM materialized_views()
    |||,
    unit: 'flag',
    'for': '0s',
    noData: 'OK',
    summary: 'rollup {{ $labels.view }} is invalid: panels over more than a day stand still',
    panel: { dashboard: 'tickwatch-tickwatch', id: 105 },
  }),

  // The one rule that speaks up when queries fail; all others keep their state, so that a restart is one message.
  r.rule('QuestDBDown', {
    severity: 'critical',
    fast: true,
    sql: 'SELECT 1 AS value',
    threshold: { at: 1 },
    fixed: true,
    unit: 'flag',
    op: 'lt',
    'for': '10s',
    noData: 'Alerting',
    execError: 'Alerting',
    summary: 'QuestDB does not answer Grafana: no other rule can be evaluated',
    panel: { dashboard: 'tickwatch-tickwatch', id: 101 },
  }),

  r.limited('DiskSpaceLow', {
    severity: 'critical',
    sql: |||
      SELECT %(instance)s, %(labels)s AS disk, last(%(value)s) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('m', -10, now()) AND %(name)s = 'disk_free_ratio'
    ||| % t.metrics,
    unit: 'fraction',
    op: 'lt',
    'for': '0s',
    noData: 'OK',
    summary: '[value] of the disk of {{ $labels.instance }} is free',
    panel: { dashboard: 'tickwatch-health', id: 502 },
  }),

  // Everything that is kept, by store.
  r.limited('StorageBudget', {
    severity: 'warning',
    sql: |||
      SELECT store, sum(bytes) + 0.0 AS value FROM (
        SELECT %(store)s AS store, %(path)s, last(%(bytes)s) AS bytes
        FROM %(_table)s WHERE %(ts)s > dateadd('m', -10, now())
      )
    ||| % t.storage_usage,
    unit: 'bytes',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.store }} takes [value] of disk',
    panel: { dashboard: 'tickwatch-health', id: 501 },
  }),
]

// What the pipeline fetches: too little, too late, with errors or holes, and bursts in what it brings.
local t = import '../../schema/generated/columns.libsonnet';
local config = import '../config.libsonnet';
local r = import 'rule.libsonnet';

local slots = config.slotS;

// Age of the newest row of each exchange, in slots. A series without a row for two days has been given up.
local staleSlots(table) =
  |||
    SELECT '%(_table)s' AS dataset, %(exchange)s, datediff('s', %(ts)s, now()) / %(slot)d.0 AS value
    FROM (
      SELECT %(exchange)s, %(ts)s FROM %(_table)s WHERE %(ts)s > dateadd('d', -2, now())
      LATEST ON %(ts)s PARTITION BY %(exchange)s
    )
  ||| % (t[table] { slot: slots[table] });

[
  r.limited('FeedStale', {
    severity: 'warning',
    sql: std.join(' UNION ALL ', [staleSlots(table) for table in std.objectFields(slots)]),
    unit: 'factor',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.exchange }} has brought no {{ $labels.dataset }} for [value] its interval',
    panel: { dashboard: 'tickwatch-pipeline', id: 503 },
  }),

  // Over ten minutes; fewer than ten attempts say nothing.
  r.limited('ApiErrorRateHigh', {
    severity: 'warning',
    sql: |||
      SELECT %(exchange)s,
        CASE WHEN sum(CASE WHEN %(status)s != 'unsupported' THEN 1 ELSE 0 END) < 10 THEN 0.0
          ELSE sum(CASE WHEN %(status)s IN ('error', 'timeout', 'rate_limited') THEN 1.0 ELSE 0.0 END)
            / sum(CASE WHEN %(status)s != 'unsupported' THEN 1 ELSE 0 END) END AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('m', -10, now())
    ||| % t.fetches,
    unit: 'fraction',
    op: 'gt',
    'for': '1m',
    noData: 'OK',
    summary: '[value] of the calls to {{ $labels.exchange }} fail',
    panel: { dashboard: 'tickwatch-exchange', id: 307 },
  }),

  // Good fetches of the last 15 minutes against the usual number in 15 minutes of the day before; nothing is usual
  // before an hour of them.
  r.limited('FetchesBelowExpected', {
    severity: 'warning',
    sql: |||
      SELECT %(exchange)s, dataset,
        CASE WHEN before < 20 OR minutes < 60 THEN 1.0 ELSE recent / (before * 15.0 / minutes) END AS value
      FROM (
        SELECT %(exchange)s, %(dataset)s AS dataset,
          sum(CASE WHEN %(ts)s > dateadd('m', -15, now()) AND %(status)s = 'ok' THEN 1 ELSE 0 END) AS recent,
          sum(CASE WHEN %(ts)s <= dateadd('m', -15, now()) AND %(status)s = 'ok' THEN 1 ELSE 0 END) AS before,
          datediff('m', min(%(ts)s), dateadd('m', -15, now())) AS minutes
        FROM %(_table)s WHERE %(ts)s > dateadd('h', -24, now())
      )
    ||| % t.fetches,
    unit: 'fraction',
    op: 'lt',
    'for': '1m',
    noData: 'OK',
    summary: '{{ $labels.exchange }} brings [value] of the usual fetches of {{ $labels.dataset }}',
    panel: { dashboard: 'tickwatch-pipeline', id: 301 },
  }),

  r.limited('DataGapOpen', {
    severity: 'warning',
    sql: |||
      SELECT %(exchange)s, %(dataset)s,
        max(CASE WHEN %(status)s = 'open' THEN datediff('s', %(ts)s, now()) + 0.0 ELSE 0.0 END) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('d', -7, now())
    ||| % t.data_gaps,
    unit: 'seconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.dataset }} of {{ $labels.exchange }} has had a hole for [value]',
    panel: { dashboard: 'tickwatch-pipeline', id: 501 },
  }),

  r.limited('LiquidationBurst', {
    severity: 'info',
    sql: |||
      SELECT %(exchange)s,
        sum(CASE WHEN %(ts)s > dateadd('s', -60, now()) THEN 1.0 ELSE 0.0 END) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('h', -1, now())
    ||| % t.liquidations,
    unit: 'count',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '[value] liquidations within a minute on {{ $labels.exchange }}',
    panel: { dashboard: 'tickwatch-pipeline', id: 401 },
  }),
]

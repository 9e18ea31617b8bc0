// Processes that report their health: silent, restarting, fat, busy, or in trouble.
local t = import '../../schema/generated/columns.libsonnet';
local r = import 'rule.libsonnet';

// The mean of two minutes, so that a short peak is none.
local meanOf(column) =
  |||
    SELECT %(daemon)s, %(instance)s, coalesce(avg(%(value)s), 0.0) AS value
    FROM %(_table)s WHERE %(ts)s > dateadd('m', -2, now())
  ||| % (t.daemon_health { value: column });

[
  // Per daemon, not per instance: the instance of a container or process that was replaced never comes back. One that
  // was stopped in order is not down.
  r.limited('DaemonDown', {
    severity: 'critical',
    fast: true,
    sql: |||
      SELECT h.daemon AS daemon,
        CASE WHEN e.stopped AND e.at >= h.seen THEN 0.0 ELSE datediff('s', h.seen, now()) + 0.0 END AS value
      FROM (
        SELECT %(h_daemon)s AS daemon, %(h_ts)s AS seen FROM %(h)s
        WHERE %(h_ts)s > dateadd('d', -7, now()) LATEST ON %(h_ts)s PARTITION BY %(h_daemon)s
      ) h LEFT JOIN (
        SELECT %(e_daemon)s AS daemon, %(e_ts)s AS at, %(e_event)s = 'stopped' AS stopped FROM %(e)s
        WHERE %(e_ts)s > dateadd('d', -7, now()) LATEST ON %(e_ts)s PARTITION BY %(e_daemon)s
      ) e ON h.daemon = e.daemon
    ||| % {
      h: t.daemon_health._table,
      h_daemon: t.daemon_health.daemon,
      h_ts: t.daemon_health.ts,
      e: t.daemon_events._table,
      e_daemon: t.daemon_events.daemon,
      e_ts: t.daemon_events.ts,
      e_event: t.daemon_events.event,
    },
    unit: 'seconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.daemon }} has not reported for [value]',
    panel: { dashboard: 'tickwatch-health', id: 101 },
  }),

  // Starts and restarts within 15 minutes.
  r.limited('DaemonRestartLoop', {
    severity: 'critical',
    sql: |||
      SELECT %(daemon)s,
        sum(CASE WHEN %(event)s IN ('started', 'restarted') AND %(ts)s > dateadd('m', -15, now())
          THEN 1.0 ELSE 0.0 END) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('d', -1, now())
    ||| % t.daemon_events,
    unit: 'count',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.daemon }} has started [value] times within 15 minutes',
    panel: { dashboard: 'tickwatch-health', id: 401 },
  }),

  r.limited('MemoryHigh', {
    severity: 'warning',
    sql: meanOf(t.daemon_health.rss_bytes),
    unit: 'bytes',
    op: 'gt',
    'for': '1m',
    noData: 'OK',
    summary: '{{ $labels.daemon }} ({{ $labels.instance }}) takes [value] of memory',
    panel: { dashboard: 'tickwatch-health', id: 201 },
  }),

  r.limited('CpuHigh', {
    severity: 'warning',
    sql: meanOf(t.daemon_health.cpu_percent),
    unit: 'percent',
    op: 'gt',
    'for': '1m',
    noData: 'OK',
    summary: '{{ $labels.daemon }} ({{ $labels.instance }}) uses [value] of a core',
    panel: { dashboard: 'tickwatch-health', id: 202 },
  }),

  r.limited('EventLoopLag', {
    severity: 'warning',
    sql: meanOf(t.daemon_health.event_loop_lag_ms),
    unit: 'milliseconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: 'the event loop of {{ $labels.daemon }} ({{ $labels.instance }}) lags by [value]',
    panel: { dashboard: 'tickwatch-health', id: 203 },
  }),

  // Errors that a daemon itself calls critical, within five minutes.
  r.limited('SystemError', {
    severity: 'critical',
    fast: true,
    sql: |||
      SELECT %(daemon)s, %(component)s,
        sum(CASE WHEN %(severity)s = 'critical' AND %(ts)s > dateadd('m', -5, now()) THEN 1.0 ELSE 0.0 END) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('h', -1, now())
    ||| % t.daemon_errors,
    unit: 'count',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.component }} of {{ $labels.daemon }} reported a critical error',
    panel: { dashboard: 'tickwatch-health', id: 303 },
  }),
]

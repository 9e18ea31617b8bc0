// Connections to exchanges: away, slow, close to their limits, or with another clock.
local t = import '../../schema/generated/columns.libsonnet';
local r = import 'rule.libsonnet';

// Seconds that a channel has been disconnected; 0 for any other state. An exchange and channel that has not changed its
// state for 30 days has no row, which is as good as a healthy one.
local downSeconds = |||
  SELECT %(exchange)s, %(channel)s,
    CASE WHEN %(state)s = 'disconnected' THEN datediff('s', %(ts)s, now()) + 1.0 ELSE 0.0 END AS value
  FROM %(_table)s WHERE %(ts)s > dateadd('d', -30, now())
  LATEST ON %(ts)s PARTITION BY %(exchange)s, %(channel)s
||| % t.connections;

[
  r.flagged('ExchangeDisconnected', {
    severity: 'critical',
    fast: true,
    sql: downSeconds,
    unit: 'seconds',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.exchange }} {{ $labels.channel }} is disconnected',
    panel: { dashboard: 'tickwatch-exchange', id: 201 },
  }),

  r.limited('ExchangeDown5m', {
    severity: 'critical',
    sql: downSeconds,
    unit: 'seconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.exchange }} {{ $labels.channel }} has been away for [value]',
    panel: { dashboard: 'tickwatch-exchange', id: 201 },
  }),

  r.limited('RateLimitNearLimit', {
    severity: 'warning',
    sql: |||
      SELECT %(exchange)s, %(channel)s,
        coalesce(last_not_null(%(rate_limit_used)s) / last_not_null(%(rate_limit_capacity)s), 0.0) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('m', -2, now())
    ||| % t.connectivity,
    unit: 'fraction',
    op: 'gt',
    'for': '30s',
    noData: 'OK',
    summary: '{{ $labels.exchange }} {{ $labels.channel }} uses [value] of its rate limit',
    panel: { dashboard: 'tickwatch-exchange', id: 306 },
  }),

  // The smallest skew of two minutes: one slow answer does not count, a clock that is wrong does.
  r.limited('ClockSkew', {
    severity: 'warning',
    sql: |||
      SELECT %(exchange)s, coalesce(min(abs(%(clock_skew_ms)s)), 0.0) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('m', -2, now())
    ||| % t.connectivity,
    unit: 'milliseconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: 'our clock and the one of {{ $labels.exchange }} differ by [value]',
    panel: { dashboard: 'tickwatch-exchange', id: 305 },
  }),
]

// Alerts about alerts: what nobody has answered goes to somebody else.
local t = import '../../schema/generated/columns.libsonnet';
local r = import 'rule.libsonnet';

[
  // Seconds since a critical alert began, unless it ended or was acknowledged. `after` comes from alerts.yaml.
  r.limited('AlertUnacknowledged', {
    severity: 'critical',
    sql: |||
      SELECT %(fingerprint)s, %(rule)s, %(labels)s AS alert,
        CASE WHEN %(state)s = 'firing' AND %(severity)s = 'critical'
          THEN datediff('s', %(ts)s, now()) + 0.0 ELSE 0.0 END AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('d', -1, now()) AND %(rule)s != 'AlertUnacknowledged'
      LATEST ON %(ts)s PARTITION BY %(fingerprint)s
    ||| % t.alerts,
    unit: 'seconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.rule }} has fired for [value] and nobody has acknowledged it: tickwatch alerts ack {{ $labels.fingerprint }}',
    panel: { dashboard: 'tickwatch-alerts', id: 201 },
  }),
]

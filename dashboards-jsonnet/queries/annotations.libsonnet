// Events for annotations: time, title, text, tags.
local t = import 'schema/generated/columns.libsonnet';

{
  connections(byExchange): |||
    SELECT %(ts)s AS time, concat(%(exchange)s, ' ', %(channel)s, ' ', %(state)s) AS title,
      coalesce(%(reason)s, '') AS text, concat('connection,', %(exchange)s) AS tags
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(state)s IN ('connected', 'disconnected')%(more)s
    ORDER BY time DESC LIMIT 200
  ||| % (t.connections { more: if byExchange then ' AND exchange IN (${exchange:sqlstring})' else '' }),

  restarts(byDaemon): |||
    SELECT %(ts)s AS time, concat(%(daemon)s, ' ', %(event)s) AS title, coalesce(%(reason)s, '') AS text,
      concat('restart,', %(daemon)s) AS tags
    FROM %(_table)s
    WHERE $__timeFilter(%(ts)s) AND %(event)s IN ('restarted', 'crashed', 'stopped')%(more)s
    ORDER BY time DESC LIMIT 200
  ||| % (t.daemon_events { more: if byDaemon then ' AND daemon IN (${daemon:sqlstring})' else '' }),

  // A start is a deploy when the version differs from that of the start before it.
  deploys(byDaemon): |||
    SELECT time, concat(daemon, ' ', version) AS title, concat('before: ', before) AS text, 'deploy' AS tags
    FROM (
      SELECT %(ts)s AS time, %(daemon)s AS daemon, %(version)s AS version,
        lag(%(version)s) OVER (PARTITION BY %(daemon)s ORDER BY %(ts)s) AS before
      FROM %(_table)s
      WHERE %(event)s IN ('started', 'restarted') AND %(version)s IS NOT NULL%(more)s
    )
    WHERE version != before AND $__timeFilter(time)
    ORDER BY time DESC LIMIT 200
  ||| % (t.daemon_events { more: if byDaemon then ' AND daemon IN (${daemon:sqlstring})' else '' }),
}

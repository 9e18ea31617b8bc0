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
  deploys(byDaemon):
    local starts = |||
      SELECT %(ts)s, %(daemon)s, %(version)s FROM %(_table)s
      WHERE %(event)s IN ('started', 'restarted') AND %(version)s IS NOT NULL%(more)s
    ||| % (t.daemon_events { more: if byDaemon then ' AND daemon IN (${daemon:sqlstring})' else '' });
    |||
      SELECT a.%(ts)s AS time, concat(a.%(daemon)s, ' ', a.%(version)s) AS title,
        concat('before: ', b.%(version)s) AS text, 'deploy' AS tags
      FROM (%(starts)s) a LT JOIN (%(starts)s) b ON (%(daemon)s)
      WHERE b.%(version)s IS NOT NULL AND a.%(version)s != b.%(version)s AND $__timeFilter(a.%(ts)s)
      ORDER BY time DESC LIMIT 200
    ||| % (t.daemon_events { starts: std.stripChars(starts, '\n') }),
}

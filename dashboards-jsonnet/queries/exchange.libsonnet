// SQL of the dashboard Exchange: connections, how well they do, and for how long they were away.
local t = import 'schema/generated/columns.libsonnet';
local ranges = import 'ranges.libsonnet';

local ours = 'exchange IN (${exchange:sqlstring})';

// Codes of the states, for colours: the first ones are those of connections, the last says that nobody reports any more.
local codes = "CASE %s WHEN 'connected' THEN 1 WHEN 'disconnected' THEN 0 WHEN 'degraded' THEN 2 WHEN 'unsupported' THEN 3 END";

// Newest change of each exchange and channel up to a moment; the table has changes only, so it is read from its end.
local stateAt(moment, columns) = |||
  SELECT %(columns)s FROM %(_table)s WHERE %(ts)s <= %(moment)s AND %(ours)s
  LATEST ON %(ts)s PARTITION BY %(exchange)s, %(channel)s
||| % (t.connections { moment: moment, columns: columns, ours: ours });

// A channel of which no sample came within a minute is not known to be connected.
local status = |||
  SELECT c.exchange AS exchange, c.channel AS channel,
    CASE WHEN c.state = 'unsupported' THEN 3 WHEN s.ts IS NULL OR datediff('s', s.ts, %(end)s) > 60 THEN 4 ELSE %(code)s END AS state
  FROM (%(changes)s) c
  LEFT JOIN (
    SELECT %(exchange)s, %(channel)s, %(ts)s FROM %(_table)s
    WHERE %(ts)s > dateadd('h', -1, %(end)s) AND %(ts)s <= $__toTime AND %(ours)s
    LATEST ON %(ts)s PARTITION BY %(exchange)s, %(channel)s
  ) s ON c.exchange = s.exchange AND c.channel = s.channel
||| % (t.connectivity {
         end: ranges.end,
         ours: ours,
         code: codes % 'c.state',
         changes: stateAt('$__toTime', 'exchange, channel, state'),
       });

// Every time of being away since the tables begin: exchange, channel, began, ended (null: still away).
local outages = |||
  SELECT exchange, channel, began, coalesce(ended, %(end)s) AS ended, ended IS NULL AS lasts FROM (
    SELECT %(exchange)s AS exchange, %(channel)s AS channel, %(state)s AS state, %(ts)s AS began,
      lead(%(ts)s) OVER (PARTITION BY %(exchange)s, %(channel)s ORDER BY %(ts)s) AS ended
    FROM %(_table)s WHERE %(ts)s <= $__toTime AND %(ours)s
  ) WHERE state = 'disconnected'
||| % (t.connections { end: ranges.end, ours: ours });

local inRange = |||
  SELECT exchange, channel, began, ended, lasts,
    (least(ended, %(end)s) - greatest(began, $__fromTime)) / 1000000.0 AS seconds
  FROM (%(outages)s) WHERE began <= $__toTime AND ended >= $__fromTime
||| % { outages: outages, end: ranges.end };

// A figure of the samples by exchange and channel.
local sampled(column, rollup, which, keys=['exchange', 'channel']) = ranges.series([
  |||
    SELECT %(ts)s AS time, %(by)s, %(value)s AS value
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ours)s AND %(which)s AND %(guard)s
    SAMPLE BY $__sampleByInterval
  ||| % (source.table { by: std.join(', ', keys), value: source.value, ours: ours, which: which, guard: source.guard })
  for source in [
    { table: t.connectivity, value: column, guard: ranges.upToDay },
    { table: t.connectivity_1m, value: rollup, guard: ranges.beyondDay },
  ]
]);

local rest = "channel = 'rest'";
local streams = "channel != 'rest'";
local all = 'channel IS NOT NULL';
local silence = 'max(ts - last_message_ts) / 1000.0';

// Newest sample of each exchange and channel of the five minutes before the end of the range.
local newest(columns) = |||
  SELECT %(columns)s FROM %(_table)s
  WHERE %(ts)s > dateadd('m', -5, %(end)s) AND %(ts)s <= $__toTime AND %(ours)s
  LATEST ON %(ts)s PARTITION BY %(exchange)s, %(channel)s
||| % (t.connectivity { columns: columns, end: ranges.end, ours: ours });

{
  status: "SELECT concat(exchange, ' ', channel) AS channel, state FROM (%s) ORDER BY channel" % status,
  down: 'SELECT count() AS down FROM (%s) WHERE state IN (0, 4)' % status,

  timeline: |||
    SELECT time, exchange, channel, %(code)s AS state FROM (
      SELECT $__fromTime AS time, exchange, channel, state FROM (%(before)s)
      UNION ALL
      SELECT %(ts)s AS time, %(exchange)s, %(channel)s, %(state)s FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ours)s
      UNION ALL
      SELECT %(end)s AS time, exchange, channel, state FROM (%(after)s)
    ) ORDER BY time
  ||| % (t.connections {
           code: codes % 'state',
           before: stateAt('$__fromTime', 'exchange, channel, state'),
           after: stateAt('$__toTime', 'exchange, channel, state'),
           end: ranges.end,
           ours: ours,
         }),

  outagesInRange: 'SELECT count() AS outages FROM (%s)' % inRange,
  longestOutage: 'SELECT max(seconds) AS seconds FROM (%s)' % inRange,

  // A share of the time that there was something to measure: since the range or the first change of the channel began.
  availability: |||
    SELECT a.exchange AS exchange, a.channel AS channel, coalesce(o.outages, 0) AS outages, coalesce(o.downtime, 0.0) AS downtime, o.longest AS longest,
      o.last_outage AS last_outage, 1 - coalesce(o.downtime, 0.0) / (datediff('s', greatest($__fromTime, a.since), %(end)s) + 1.0) AS availability
    FROM (
      SELECT %(exchange)s AS exchange, %(channel)s AS channel, min(%(ts)s) AS since, last(%(state)s) AS state FROM %(_table)s
      WHERE %(ts)s <= $__toTime AND %(ours)s
    ) a LEFT JOIN (
      SELECT exchange, channel, count() AS outages, sum(seconds) AS downtime, max(seconds) AS longest, max(began) AS last_outage FROM (%(inRange)s)
    ) o ON a.exchange = o.exchange AND a.channel = o.channel
    WHERE a.state != 'unsupported' ORDER BY availability LIMIT 200
  ||| % (t.connections { end: ranges.end, ours: ours, inRange: inRange }),

  // Whole UTC days that the range touches, but at least a week, so that today has something to be compared with.
  downtimePerDay: |||
    SELECT to_str(day, 'MM-dd') AS day, exchange, sum(seconds) AS downtime FROM (
      SELECT d.day AS day, o.exchange AS exchange,
        CASE WHEN o.began < dateadd('d', 1, d.day) AND o.ended > d.day
          THEN (least(o.ended, dateadd('d', 1, d.day)) - greatest(o.began, d.day)) / 1000000.0 ELSE 0.0 END AS seconds
      FROM (
        SELECT dateadd('d', (x - 1)::INT, timestamp_floor('d', least($__fromTime, dateadd('d', -6, $__toTime)))) AS day
        FROM long_sequence(greatest(7, datediff('d', $__fromTime, $__toTime) + 2))
      ) d CROSS JOIN (%(outages)s UNION ALL SELECT exchange, channel, began, began AS ended, false AS lasts FROM (%(known)s)) o
      WHERE d.day <= %(end)s
    ) GROUP BY day, exchange ORDER BY day
  ||| % {
    outages: outages,
    known: stateAt('$__toTime', 'exchange, channel, ts AS began'),
    end: ranges.end,
  },

  restLatency: sampled('avg(latency_ms)', 'avg(latency_ms)', rest, ['exchange']),
  restLatencyPeak: sampled('max(latency_ms)', 'max(latency_max_ms)', rest, ['exchange']),
  streamLatency: sampled('avg(latency_ms)', 'avg(latency_ms)', streams),
  clockSkew: sampled('avg(clock_skew_ms)', 'avg(clock_skew_ms)', rest, ['exchange']),
  silence: sampled(silence, 'max(silence_max_ms)', all),
  rateLimit: sampled('max(rate_limit_used / rate_limit_capacity)', 'max(rate_limit_share)', 'exchange IS NOT NULL', ['exchange']),

  // Connections that came back, by interval; the table has a row for each.
  reconnections: |||
    SELECT %(ts)s AS time, %(exchange)s, count() AS reconnections
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(state)s = 'connected' AND %(downtime_ms)s IS NOT NULL AND %(ours)s
    SAMPLE BY $__sampleByInterval
  ||| % (t.connections { ours: ours }),

  changes: |||
    SELECT %(ts)s AS time, %(exchange)s, %(channel)s, %(state)s, %(downtime_ms)s, %(close_code)s, %(reason)s, %(instance)s
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(ours)s
    ORDER BY time DESC LIMIT 200
  ||| % (t.connections { ours: ours }),

  slowestNow: 'SELECT max(latency_ms) AS latency FROM (%s)' % newest("latency_ms"),
  quietestNow: 'SELECT max(silence) AS silence FROM (%s)' % newest("datediff('T', last_message_ts, %s) AS silence" % ranges.end),
  rateLimitNow: 'SELECT max(used) AS used FROM (%s)' % newest('rate_limit_used / rate_limit_capacity AS used'),
}

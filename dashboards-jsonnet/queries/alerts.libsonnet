// Alerts from the rows that Grafana's notifications leave in `alerts`. One episode of an alert is everything with the same
// fingerprint and started_at: it fires, may be acknowledged, and is resolved. All of the table is read: it is small, and an
// alert that fires since last week fires now.
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

local columns = 'fingerprint, started, rule, severity, notified, acknowledged, acknowledged_by, note, ended, value, summary, receiver';

// One row per episode. The end of one whose message got lost is the start of the fingerprint's next one.
local episodes = |||
  SELECT %(columns)s,
    CASE WHEN ended IS NOT NULL THEN 'resolved' WHEN next_started IS NOT NULL THEN 'end not seen' WHEN acknowledged IS NOT NULL THEN 'acknowledged' ELSE 'firing' END AS state,
    coalesce(ended, next_started) AS finished
  FROM (
    SELECT %(columns)s, lead(started) OVER (PARTITION BY fingerprint ORDER BY started) AS next_started
    FROM (
      SELECT %(fingerprint)s AS fingerprint, coalesce(%(started_at)s, %(ts)s) AS started, max(%(rule)s) AS rule, max(%(severity)s) AS severity,
        min(CASE WHEN %(state)s = 'firing' THEN %(notified_at)s END) AS notified,
        min(CASE WHEN %(state)s = 'acknowledged' THEN %(ts)s END) AS acknowledged,
        max(CASE WHEN %(state)s = 'acknowledged' THEN %(receiver)s END) AS acknowledged_by, max(CASE WHEN %(state)s = 'acknowledged' THEN %(summary)s END) AS note,
        max(CASE WHEN %(state)s = 'resolved' THEN coalesce(%(ended_at)s, %(ts)s) END) AS ended,
        last_not_null(CASE WHEN %(state)s = 'firing' THEN %(value)s END) AS value,
        max(CASE WHEN %(state)s = 'firing' THEN %(summary)s END) AS summary,
        max(CASE WHEN %(state)s = 'firing' THEN %(receiver)s END) AS receiver
      FROM %(_table)s WHERE %(ts)s <= $__toTime AND %(state)s != 'pending'
      GROUP BY fingerprint, started
    )
  )
||| % (t.alerts { columns: columns });

local some(condition) = 'SELECT %s, state, finished FROM (%s) WHERE %s' % [columns, episodes, condition];
local overlapping = some('started <= $__toTime AND (finished IS NULL OR finished >= $__fromTime)');
local begun = some('started >= $__fromTime AND started <= $__toTime');
local firing = some('finished IS NULL');

{
  firingNow: |||
    SELECT count() AS alerts, count(CASE WHEN severity = 'critical' THEN 1 END) AS critical,
      count(CASE WHEN acknowledged IS NULL THEN 1 END) AS unacknowledged
    FROM (%s)
  ||| % firing,

  firingList: |||
    SELECT severity, rule, summary, started, datediff('s', started, %(end)s) AS duration, state, value, receiver, fingerprint
    FROM (%(firing)s) ORDER BY started DESC LIMIT 200
  ||| % { end: window.end, firing: firing },

  begun: 'SELECT count() AS alerts FROM (%s)' % begun,

  history: |||
    SELECT started, severity, rule, state, datediff('s', started, coalesce(finished, %(end)s)) AS duration, finished AS ended,
      datediff('s', started, acknowledged) AS acknowledged_after, value, summary, receiver
    FROM (%(episodes)s) ORDER BY started DESC LIMIT 500
  ||| % { end: window.end, episodes: overlapping },

  // How many alerts of each rule fire: up at each start, down at each end, once more at the end of the range.
  timeline: |||
    SELECT time, rule, sum(change) OVER (PARTITION BY rule ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS firing
    FROM (
      SELECT time, rule, sum(change) AS change FROM (
        SELECT greatest(started, $__fromTime) AS time, rule, 1 AS change FROM (%(episodes)s)
        UNION ALL
        SELECT finished AS time, rule, -1 AS change FROM (%(episodes)s) WHERE finished <= $__toTime
        UNION ALL
        SELECT %(end)s AS time, rule, 0 AS change FROM (%(episodes)s)
      ) GROUP BY time, rule
    ) ORDER BY time
  ||| % { episodes: overlapping, end: window.end },

  countByRule: |||
    SELECT rule, count() AS alerts FROM (%s) GROUP BY rule ORDER BY alerts DESC LIMIT 40
  ||| % begun,

  // Seconds between the alert's start and its notification's arrival here.
  timeToNotifyNow: |||
    SELECT approx_percentile(delay, 0.5, 2) AS p50, approx_percentile(delay, 0.95, 2) AS p95
    FROM (SELECT greatest(0, notified - started) / 1000000.0 AS delay FROM (%s) WHERE notified IS NOT NULL)
  ||| % begun,

  timeToNotify: |||
    SELECT notified AS time, coalesce(severity, 'none') AS severity, max(greatest(0, notified - started) / 1000000.0) AS delay
    FROM (%s) WHERE notified IS NOT NULL GROUP BY time, severity ORDER BY time
  ||| % begun,

  acknowledgements: |||
    SELECT acknowledged, rule, severity, coalesce(acknowledged_by, 'not given') AS acknowledged_by, datediff('s', started, acknowledged) AS after, note, state, summary, fingerprint
    FROM (%s) WHERE acknowledged IS NOT NULL ORDER BY acknowledged DESC LIMIT 200
  ||| % overlapping,

  timeToAcknowledge: |||
    SELECT approx_percentile(greatest(0, acknowledged - started) / 1000000.0, 0.5, 2) AS p50 FROM (%s) WHERE acknowledged IS NOT NULL
  ||| % overlapping,
}

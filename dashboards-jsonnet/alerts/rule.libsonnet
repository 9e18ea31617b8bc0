// What an alert rule is made of. Every field that a rule must decide for itself has no default.
//
// `sql` returns one row per thing watched, healthy ones too: text columns name the thing and become labels, exactly one
// numeric column is the value, and there is no column of time. It bounds `ts` by now(), because alerts know no
// dashboard range, and answers in milliseconds, because it runs all day.
local thresholds = (import '../config.libsonnet').alerts;

local severities = ['critical', 'warning', 'info'];
local states = ['OK', 'Alerting', 'KeepLast'];
// How a value reads; flag is 1 or 0 and not shown.
local units = ['seconds', 'milliseconds', 'bytes', 'fraction', 'percent', 'count', 'factor', 'flag'];

{
  // A rule whose limit people may change.
  limited(name, fields):: self.rule(name, { threshold: thresholds[name] } + fields),

  // A rule that is on or off: its value is 0 as long as all is well.
  flagged(name, fields):: self.rule(name, { threshold: { at: 0 }, fixed: true, op: 'gt' } + fields),

  rule(name, fields)::
    local r = {
      execError: 'KeepLast',
      fixed: false,
      // Evaluated every 2 s where Grafana's scheduler allows it, else every 10 s like the others.
      fast: false,
    } + fields;
    assert std.member(severities, r.severity) : name + ': severity';
    assert std.member(states, r.noData) && std.member(states, r.execError) : name + ': noData, execError';
    assert std.member(units, r.unit) : name + ': unit';
    assert std.member(['gt', 'lt'], r.op) : name + ': op';
    {
      name: name,
      group: if r.fast then 'critical' else 'standard',
      severity: r.severity,
      summary: r.summary,
      sql: std.join(' ', [line for line in std.split(std.strReplace(r.sql, '\n', ' '), ' ') if line != '']),
      unit: r.unit,
      op: r.op,
      at: r.threshold.at,
      [if std.objectHas(r.threshold, 'back') then 'back']: r.threshold.back,
      fixed: r.fixed,
      'for': r['for'],
      noData: r.noData,
      execError: r.execError,
      // Where a reader of the message looks first.
      panel: r.panel,
    },
}

// How a panel reads a table over any range: its rows up to a day, a rollup by the minute up to a week, one by the hour
// beyond. All parts are written into one statement; the server drops a part whose condition is false before it reads
// anything of it. A panel of counts has maxDataPoints of 220, so that a bucket is never shorter than the rollup's step.
local config = import '../config.libsonnet';
local window = import 'trading_window.libsonnet';

local hours = "datediff('h', $__fromTime, $__toTime)";
local weekHours = 168;

window {
  upToDay: window.isShort,
  beyondDay: window.isLong,
  upToWeek: '%s > %d AND %s <= %d' % [hours, config.rawHoursMax, hours, weekHours],
  beyondWeek: '%s > %d' % [hours, weekHours],

  join(parts): std.join('UNION ALL\n', parts),
  // The same where time is the first column: the order of a part is lost in a union.
  series(parts): self.join(parts) + 'ORDER BY time',

  // What makes a count of a bucket a rate: steps in ms, unit in ms.
  per(unitMs, stepMs): ' * %d.0 / greatest($__interval_ms, %d)' % [unitMs, stepMs],
}

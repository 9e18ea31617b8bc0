// Which rows of a range a query reads. A short range is read from the tables and a long one from the hourly rollups, in one
// statement: both halves are written, and the server leaves out the one whose condition is false before it reads anything.
local config = import '../config.libsonnet';

local hours = "datediff('h', $__fromTime, $__toTime)";
local at(text, ts) = text % { ts: ts };

{
  // The end of the range, but never in the future.
  end: 'least($__toTime, now())',

  isShort: '%s <= %d' % [hours, config.rawHoursMax],
  isLong: '%s > %d' % [hours, config.rawHoursMax],

  // Buckets that lie wholly in the past and are not cut off by the start of the range: what is counted in them is a rate.
  wholeBuckets(ts): at(
    "%(ts)s >= timestamp_floor('$__sampleByInterval', $__fromTime) AND %(ts)s < timestamp_floor('$__sampleByInterval', least($__toTime, now()))",
    ts
  ),
  wholeHours(ts): at("%(ts)s >= timestamp_floor('h', $__fromTime) AND %(ts)s < timestamp_floor('h', least($__toTime, now()))", ts),

  // The last hour of the range, for what stands at its end.
  lastHour(ts): at("%(ts)s > dateadd('h', -1, least($__toTime, now())) AND %(ts)s <= $__toTime", ts),

  // A count of a bucket as a rate a minute; the panel's interval is the length of the bucket.
  perMinute(count): '%s * 60000.0 / $__interval_ms' % count,
}

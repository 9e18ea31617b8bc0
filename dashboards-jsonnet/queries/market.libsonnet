// Open interest, funding and liquidations of the chosen exchanges and symbols.
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

local chosen = 'exchange IN (${exchange:sqlstring}) AND symbol IN (${symbol:sqlstring})';

// Open interest per exchange, symbol and bucket. The newest value is repeated where a sample is missing, and `samples` is
// nought there.
local openInterestOf(table, condition, bucket, more) = |||
  SELECT %(ts)s, %(exchange)s, %(symbol)s, last(%(open_interest_usd)s) AS usd, last(%(open_interest)s) AS coins, count() AS samples
  FROM %(_table)s
  WHERE %(condition)s AND %(ts)s <= $__toTime AND %(chosen)s%(more)s
  SAMPLE BY %(bucket)s FILL(PREV, PREV, 0)
||| % (table { condition: condition, bucket: bucket, chosen: chosen, more: more });

local openInterest(more='') = openInterestOf(
  t.open_interest,
  "ts >= dateadd('m', -10, timestamp_floor('$__sampleByInterval', $__fromTime)) AND " + window.isShort,
  '$__sampleByInterval',
  more
) + 'UNION ALL\n' + openInterestOf(t.open_interest_1h, "ts >= dateadd('h', -2, $__fromTime) AND " + window.isLong, '1h', more);

// The newest sample of each series in the last hour of the range.
local latest(table, columns) = |||
  SELECT %(exchange)s, %(symbol)s, %(columns)s FROM %(_table)s WHERE %(lastHour)s AND %(chosen)s LATEST ON %(ts)s PARTITION BY %(exchange)s, %(symbol)s
||| % (table { columns: columns, lastHour: window.lastHour('ts'), chosen: chosen });
local latestInterest = latest(t.open_interest, 'open_interest_usd, ts');
local latestFunding = latest(t.funding_rates, 'funding_rate, interval_h, mark_price');

local largest(count) = |||
  SELECT symbol FROM (SELECT symbol, sum(open_interest_usd) AS usd FROM (%s) GROUP BY symbol ORDER BY usd DESC LIMIT %d)
||| % [latestInterest, count];

// Venues charge every 1, 2, 4 or 8 hours: rates are brought to eight hours so that they can be compared.
local rate8h = 'funding_rate * 8 / coalesce(interval_h, 8)';

// Mean of the rates of the bucket; the hourly view holds the last rate of each hour.
local fundingOf(table, by, condition, more) = |||
  SELECT %(ts)s AS time, %(by)s, avg(%(rate)s) AS rate
  FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(condition)s AND %(chosen)s%(more)s
  SAMPLE BY $__sampleByInterval
||| % (table { by: by, rate: rate8h, condition: condition, chosen: chosen, more: more });

local fundingBy(by, more='') =
  fundingOf(t.funding_rates, by, window.isShort, more) + 'UNION ALL\n' + fundingOf(t.funding_rates_1h, by, window.isLong, more);

// First and last open interest of each series in the range, in coins: a move of the price is no change.
local changeOf(table, condition) = |||
  SELECT exchange, symbol, first(open_interest) AS before, last(open_interest) AS after, last(open_interest_usd) AS usd
  FROM %(_table)s WHERE $__timeFilter(ts) AND %(condition)s AND %(chosen)s GROUP BY exchange, symbol
||| % (table { condition: condition, chosen: chosen });

local changes = changeOf(t.open_interest, window.isShort) + 'UNION ALL\n' + changeOf(t.open_interest_1h, window.isLong);

// What was liquidated, in US dollars: a selling order closes a long position, a buying one a short.
local value = 'coalesce(value_usd, price * amount)';
local ofTable = {
  longs: "sum(CASE WHEN side = 'sell' THEN %s ELSE 0 END)" % value,
  shorts: "sum(CASE WHEN side = 'buy' THEN %s ELSE 0 END)" % value,
  count: 'count()',
};
local ofView = { longs: 'sum(coalesce(sell_usd, 0))', shorts: 'sum(coalesce(buy_usd, 0))', count: 'sum(buy_count + sell_count)' };

local halves = {
  table: t.liquidations._table,
  tableLongs: ofTable.longs,
  tableShorts: ofTable.shorts,
  tableCount: ofTable.count,
  view: t.liquidations_1h._table,
  viewLongs: ofView.longs,
  viewShorts: ofView.shorts,
  viewCount: ofView.count,
  isShort: window.isShort,
  isLong: window.isLong,
  chosen: chosen,
};

local mostLiquidated = |||
  SELECT symbol, usd FROM (
    SELECT symbol, %(tableLongs)s + %(tableShorts)s AS usd FROM %(table)s WHERE $__timeFilter(ts) AND %(isShort)s AND %(chosen)s GROUP BY symbol
    UNION ALL
    SELECT symbol, %(viewLongs)s + %(viewShorts)s AS usd FROM %(view)s WHERE $__timeFilter(ts) AND %(isLong)s AND %(chosen)s GROUP BY symbol
  ) ORDER BY usd DESC LIMIT 1
||| % halves;

// The column of the map that a time belongs to: never shorter than the view's hours.
local mapBucket(ts) = "CASE WHEN %(isShort)s THEN timestamp_floor('$__sampleByInterval', %(ts)s) ELSE timestamp_floor('h', timestamp_floor('$__sampleByInterval', %(ts)s)) END" % { isShort: window.isShort, ts: ts };

{
  openInterestNow: 'SELECT sum(open_interest_usd) AS usd FROM (%s)' % latestInterest,

  // An exchange of which nothing arrived in a bucket is left out of it.
  openInterestByExchange: |||
    SELECT time, exchange, usd FROM (
      SELECT ts AS time, exchange, sum(usd) AS usd, sum(samples) AS samples FROM (%s)
      WHERE ts >= $__fromTime GROUP BY ts, exchange
    ) WHERE samples > 0 ORDER BY time
  ||| % openInterest(),

  openInterestBySymbol: |||
    SELECT ts AS time, symbol, sum(usd) AS usd FROM (%s)
    WHERE ts >= $__fromTime GROUP BY ts, symbol ORDER BY time
  ||| % openInterest(' AND symbol IN (%s)' % largest(10)),

  fundingByExchange: 'SELECT time, exchange, rate FROM (%s) ORDER BY time' % fundingBy('exchange'),
  fundingBySymbol: 'SELECT time, symbol, rate FROM (%s) ORDER BY time' % fundingBy('symbol', ' AND symbol IN (%s)' % largest(10)),
  // A heat map knows no display names: a field called Value is shown by its label alone.
  fundingMap: 'SELECT time, symbol, rate AS "Value" FROM (%s) ORDER BY time' % fundingBy('symbol', ' AND symbol IN (%s)' % largest(40)),

  // Weighted with the open interest where it is known.
  fundingNow: |||
    SELECT sum(rate * usd) / sum(usd) AS rate FROM (
      SELECT f.funding_rate * 8 / coalesce(f.interval_h, 8) AS rate, o.open_interest_usd AS usd
      FROM (%s) f JOIN (%s) o ON (exchange, symbol)
    ) WHERE usd > 0
  ||| % [latestFunding, latestInterest],

  changeOfOpenInterest: |||
    SELECT sum(usd / after * (after - before)) / sum(usd / after * before) AS change FROM (%s) WHERE before > 0 AND after > 0 AND usd > 0
  ||| % changes,

  leaders: |||
    SELECT symbol, change, change_usd, usd, exchanges FROM (
      SELECT symbol, sum(after) / sum(before) - 1 AS change, sum(usd / after * (after - before)) AS change_usd, sum(usd) AS usd, count() AS exchanges
      FROM (%s) WHERE before > 0 AND after > 0 GROUP BY symbol
    ) ORDER BY abs(change) DESC LIMIT 25
  ||| % changes,

  across: |||
    SELECT o.symbol, o.exchange, o.open_interest_usd AS usd, c.after / c.before - 1 AS change, %(rate)s AS rate,
      %(rate)s * 3 * 365 AS rate_year, f.mark_price, o.ts AS sampled
    FROM (%(latest)s) o
    LEFT JOIN (%(funding)s) f ON (exchange, symbol)
    LEFT JOIN (%(changes)s) c ON (exchange, symbol)
    ORDER BY usd DESC LIMIT 100
  ||| % {
    rate: 'f.funding_rate * 8 / coalesce(f.interval_h, 8)',
    latest: latestInterest,
    funding: latestFunding,
    changes: changes,
  },

  liquidated: |||
    SELECT sum(longs) AS longs, sum(shorts) AS shorts, sum(n) AS n FROM (
      SELECT %(tableLongs)s AS longs, %(tableShorts)s AS shorts, %(tableCount)s AS n FROM %(table)s WHERE $__timeFilter(ts) AND %(isShort)s AND %(chosen)s
      UNION ALL
      SELECT %(viewLongs)s AS longs, %(viewShorts)s AS shorts, %(viewCount)s AS n FROM %(view)s WHERE $__timeFilter(ts) AND %(isLong)s AND %(chosen)s
    )
  ||| % halves,

  // US dollars a minute. Buckets of the view are never shorter than its hours.
  liquidationsOverTime: |||
    SELECT time, longs, shorts FROM (
      SELECT ts AS time, %(tableLongs)s * 60000.0 / $__interval_ms AS longs, %(tableShorts)s * 60000.0 / $__interval_ms AS shorts
      FROM %(table)s WHERE %(wholeBuckets)s AND %(isShort)s AND %(chosen)s SAMPLE BY $__sampleByInterval
      UNION ALL
      SELECT ts AS time, %(viewLongs)s * 60000.0 / greatest($__interval_ms, 3600000) AS longs, %(viewShorts)s * 60000.0 / greatest($__interval_ms, 3600000) AS shorts
      FROM %(view)s WHERE %(wholeBuckets)s AND %(wholeHours)s AND %(isLong)s AND %(chosen)s SAMPLE BY $__sampleByInterval
    ) ORDER BY time
  ||| % (halves { wholeBuckets: window.wholeBuckets('ts'), wholeHours: window.wholeHours('ts') }),

  largestLiquidations: |||
    SELECT %(ts)s AS time, %(exchange)s, %(symbol)s, CASE WHEN %(side)s = 'sell' THEN 'long' ELSE 'short' END AS position, %(price)s, %(amount)s, coalesce(%(value_usd)s, %(price)s * %(amount)s) AS value
    FROM %(_table)s WHERE $__timeFilter(%(ts)s) AND %(chosen)s
    ORDER BY value DESC LIMIT 25
  ||| % (t.liquidations { chosen: chosen }),

  // The one symbol of the selection that the map shows.
  mapped: |||
    SELECT symbol, usd FROM (%s)
  ||| % mostLiquidated,

  // Value by price and time for that symbol: thirty steps of price between the lowest and the highest, each named by its
  // lower edge. Two columns of noughts at the start make every step appear, and tell the panel how wide a column is.
  liquidationMap: |||
    WITH hits AS (
      SELECT ts, price, %(value)s AS usd FROM %(table)s
      WHERE $__timeFilter(ts) AND %(isShort)s AND exchange IN (${exchange:sqlstring}) AND symbol IN (SELECT symbol FROM (%(most)s))
      UNION ALL
      SELECT ts, (coalesce(buy_usd, 0) + coalesce(sell_usd, 0)) / amount AS price, coalesce(buy_usd, 0) + coalesce(sell_usd, 0) AS usd FROM %(view)s
      WHERE $__timeFilter(ts) AND %(isLong)s AND amount > 0 AND exchange IN (${exchange:sqlstring}) AND symbol IN (SELECT symbol FROM (%(most)s))
    ), edges AS (
      SELECT min(price) AS low, (max(price) - min(price)) / %(steps)d AS step FROM hits
    ), placed AS (
      SELECT %(bucket)s AS time, low + step * CASE WHEN step > 0 THEN least(%(steps)d - 1, floor((price - low) / step)) ELSE 0 END AS edge, usd
      FROM hits CROSS JOIN edges
      UNION ALL
      SELECT dateadd('s', lane * %(bucketS)s, %(firstBucket)s) AS time, low + step * place AS edge, 0.0 AS usd
      FROM edges CROSS JOIN (SELECT cast((x - 1) %% %(steps)d AS int) AS place, cast((x - 1) / %(steps)d AS int) AS lane FROM long_sequence(2 * %(steps)d))
    )
    SELECT time, cast(round(edge, cast(5 - floor(log(edge) / log(10)) AS int)) AS varchar) AS ge, sum(usd) AS "Value"
    FROM placed WHERE edge > 0 GROUP BY time, ge ORDER BY time
  ||| % {
    value: value,
    table: t.liquidations._table,
    view: t.liquidations_1h._table,
    isShort: window.isShort,
    isLong: window.isLong,
    most: mostLiquidated,
    steps: 30,
    bucket: mapBucket('ts'),
    firstBucket: mapBucket('$__fromTime'),
    bucketS: 'cast(CASE WHEN %s THEN $__interval_ms ELSE greatest($__interval_ms, 3600000) END / 1000 AS int)' % window.isShort,
  },
}

// Returns of the equity curve and what is computed from them. A return is gain ÷ equity before, between two neighbouring
// whole buckets that both have marks: a gap in the marks makes no return, neither a large one nor a row of zeros.
local config = import '../config.libsonnet';
local equity = import 'trading_equity.libsonnet';
local t = import 'schema/generated/columns.libsonnet';
local window = import 'trading_window.libsonnet';

// `unit` is m, h or d: QuestDB's letter of the bucket. The bucket before the range is read too: it holds what the first
// return starts from.
local marks(table, unit, condition) = equity.sampled(
  table, "ts >= dateadd('%(unit)s', -1, timestamp_floor('%(unit)s', $__fromTime)) AND %(condition)s" % { unit: unit, condition: condition }, '1' + unit, false
);

local steps(table, unit, condition) = |||
  SELECT ts, account, strategy, currency, '%(label)s' AS horizon, pnl - before AS gain, base
  FROM (
    SELECT ts, account, strategy, currency, pnl,
      lag(pnl) OVER (PARTITION BY account, strategy ORDER BY ts) AS before,
      lag(equity) OVER (PARTITION BY account, strategy ORDER BY ts) AS base,
      lag(ts) OVER (PARTITION BY account, strategy ORDER BY ts) AS before_ts
    FROM (SELECT ts, account, strategy, currency, equity, realized + unrealized AS pnl FROM (%(marks)s))
  )
  WHERE base > 0 AND datediff('%(unit)s', before_ts, ts) = 1 AND ts < timestamp_floor('%(unit)s', %(end)s)
||| % {
  label: { m: '1 min', h: '1 hour', d: '1 day' }[unit],
  unit: unit,
  marks: marks(table, unit, condition),
  end: window.end,
};

local together(steps) = |||
  SELECT currency, horizon, ts, sum(gain) / sum(base) AS r FROM (%s) GROUP BY currency, horizon, ts
||| % steps;

// The k worst of n returns, k = ceil(n ÷ oneIn): VaR is the k-th worst, CVaR the mean of the k. Losses are positive. NULL when
// there are fewer returns than oneIn.
local tail(oneIn) = {
  valueAtRisk: '-1 * max(CASE WHEN n >= %(oneIn)d AND rank = ceil(n / %(oneIn)d.0) THEN r END)' % { oneIn: oneIn },
  conditional: '-1 * avg(CASE WHEN n >= %(oneIn)d AND rank <= ceil(n / %(oneIn)d.0) THEN r END)' % { oneIn: oneIn },
};

local short = steps(t.pnl, 'm', window.isShort) + 'UNION ALL\n' + steps(t.pnl_1h, 'h', window.isLong);
local long = steps(t.pnl, 'h', window.isShort) + 'UNION ALL\n' + steps(t.pnl_1h, 'd', window.isLong);

local ranked(returns) = |||
  SELECT currency, horizon, r, row_number() OVER (PARTITION BY currency, horizon ORDER BY r) AS rank,
    count() OVER (PARTITION BY currency, horizon) AS n
  FROM (%s)
||| % returns;

// Horizons in a year of 365 days: crypto trades all of them.
local perYear = "CASE horizon WHEN '1 min' THEN 525600.0 WHEN '1 hour' THEN 8760.0 ELSE 365.0 END";
local sharpe = 'CASE WHEN count(r) >= %d AND stddev_samp(r) > 0 THEN avg(r) / stddev_samp(r) * sqrt(%s) END' % [config.returnsMin, 'max(per_year)'];

{
  // Rows account, strategy, currency, horizon, gain, base: one per strategy and return.
  stepsByStrategy: short,

  sharpeColumn: sharpe,
  perYear: perYear,

  sharpe: |||
    SELECT concat(currency, ', returns of ', horizon) AS returns, %(sharpe)s AS sharpe
    FROM (SELECT currency, horizon, r, %(perYear)s AS per_year FROM (%(returns)s))
    GROUP BY currency, horizon
  ||| % { sharpe: sharpe, perYear: perYear, returns: together(short) },

  valueAtRisk: |||
    WITH ranked AS (%(ranked)s), tails AS (
      SELECT currency, horizon, max(n) AS returns, %(var95)s AS var_95, %(cvar95)s AS cvar_95, %(var99)s AS var_99, %(cvar99)s AS cvar_99
      FROM ranked GROUP BY currency, horizon
    )
    SELECT t.currency, t.horizon, t.returns, t.var_95, t.var_95 * e.equity AS amount_95, t.cvar_95, t.var_99, t.cvar_99
    FROM tails t LEFT JOIN (%(equity)s) e ON (currency)
    ORDER BY currency, returns DESC LIMIT 20
  ||| % {
    ranked: ranked('%s UNION ALL %s' % [together(short), together(long)]),
    equity: equity.equityNow,
    var95: tail(20).valueAtRisk,
    cvar95: tail(20).conditional,
    var99: tail(100).valueAtRisk,
    cvar99: tail(100).conditional,
  },

  valueAtRiskTiles: |||
    WITH ranked AS (%(ranked)s)
    SELECT concat('VaR, ', horizon, ', ', currency) AS name, %(var95)s AS loss FROM ranked GROUP BY currency, horizon
    UNION ALL
    SELECT concat('CVaR, ', horizon, ', ', currency) AS name, %(cvar95)s AS loss FROM ranked GROUP BY currency, horizon
  ||| % { ranked: ranked(together(short)), var95: tail(20).valueAtRisk, cvar95: tail(20).conditional },
}

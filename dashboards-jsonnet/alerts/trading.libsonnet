// Money: losses, risk, and orders that do not do what they should.
local t = import '../../schema/generated/columns.libsonnet';
local r = import 'rule.libsonnet';

// Marks come every 10 s; the last of a minute counts, so that a closed position is gone after a minute.
[
  r.limited('DrawdownHigh', {
    severity: 'critical',
    fast: true,
    sql: |||
      SELECT %(account)s, %(strategy)s,
        coalesce(last(%(drawdown)s), last(%(equity)s) / last(%(peak_equity)s) - 1, 0.0) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('m', -1, now())
    ||| % t.pnl,
    unit: 'fraction',
    op: 'lt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.strategy }} on {{ $labels.account }} is [value] from its best',
    panel: { dashboard: 'tickwatch-trading', id: 203 },
  }),

  // Orders of a day that closed something, as the dashboard counts them; fewer than ten say nothing. For QuestDB
  // NULL != 0 is true.
  r.limited('WinRateLow', {
    severity: 'warning',
    sql: |||
      SELECT account, strategy,
        CASE WHEN count() < 10 THEN 1.0 ELSE sum(CASE WHEN profit > 0 THEN 1.0 ELSE 0.0 END) / count() END AS value
      FROM (
        SELECT %(account)s AS account, coalesce(%(strategy)s, 'none') AS strategy, %(exchange)s AS exchange,
          %(order_id)s AS order_id, sum(%(realized_pnl)s) AS profit
        FROM %(_table)s
        WHERE %(ts)s > dateadd('d', -1, now()) AND (%(realized_pnl)s > 0 OR %(realized_pnl)s < 0)
        GROUP BY account, strategy, exchange, order_id
      )
    ||| % t.fills,
    unit: 'fraction',
    op: 'lt',
    'for': '1m',
    noData: 'OK',
    summary: '{{ $labels.strategy }} on {{ $labels.account }} wins [value] of its trades',
    panel: { dashboard: 'tickwatch-trading', id: 105 },
  }),

  // The slowest answer of five minutes.
  r.limited('ExecutionLatencyHigh', {
    severity: 'warning',
    sql: |||
      SELECT %(account)s, %(exchange)s,
        coalesce(max(CASE WHEN %(ts)s > dateadd('m', -5, now()) THEN %(latency_ms)s ELSE null END), 0.0) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('h', -1, now())
    ||| % t.orders,
    unit: 'milliseconds',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.exchange }} took [value] to answer an order of {{ $labels.account }}',
    panel: { dashboard: 'tickwatch-trading', id: 403 },
  }),

  // Within five minutes.
  r.limited('OrderRejects', {
    severity: 'warning',
    sql: |||
      SELECT %(account)s, %(exchange)s,
        sum(CASE WHEN %(status)s = 'rejected' AND %(ts)s > dateadd('m', -5, now()) THEN 1.0 ELSE 0.0 END) AS value
      FROM %(_table)s WHERE %(ts)s > dateadd('h', -1, now())
    ||| % t.orders,
    unit: 'count',
    op: 'gt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.exchange }} rejected [value] orders of {{ $labels.account }} within five minutes',
    panel: { dashboard: 'tickwatch-trading', id: 405 },
  }),

  // What is left of the margin before liquidation: 1 − margin_ratio, which is 1 at liquidation.
  r.limited('MarginRatioLow', {
    severity: 'critical',
    fast: true,
    sql: |||
      SELECT account, strategy, exchange, symbol, side, min(margin) AS value FROM (
        SELECT %(account)s AS account, %(strategy)s AS strategy, %(exchange)s AS exchange, %(symbol)s AS symbol,
          %(side)s AS side, %(position_id)s, coalesce(1.0 - last(%(margin_ratio)s), 1.0) AS margin
        FROM %(_table)s WHERE %(ts)s > dateadd('m', -1, now())
      )
    ||| % t.positions,
    unit: 'fraction',
    op: 'lt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.side }} {{ $labels.symbol }} on {{ $labels.exchange }} has [value] of its margin left',
    panel: { dashboard: 'tickwatch-risk', id: 201 },
  }),

  // Distance from the mark price to the liquidation price, as a fraction of the mark price.
  r.limited('LiquidationNear', {
    severity: 'critical',
    fast: true,
    sql: |||
      SELECT account, strategy, exchange, symbol, side, min(distance) AS value FROM (
        SELECT %(account)s AS account, %(strategy)s AS strategy, %(exchange)s AS exchange, %(symbol)s AS symbol,
          %(side)s AS side, %(position_id)s,
          coalesce(abs(last(%(mark_price)s) - last(%(liquidation_price)s)) / last(%(mark_price)s), 1.0) AS distance
        FROM %(_table)s WHERE %(ts)s > dateadd('m', -1, now())
      )
    ||| % t.positions,
    unit: 'fraction',
    op: 'lt',
    'for': '0s',
    noData: 'OK',
    summary: '{{ $labels.side }} {{ $labels.symbol }} on {{ $labels.exchange }} is [value] from liquidation',
    panel: { dashboard: 'tickwatch-risk', id: 202 },
  }),

  r.limited('ExposureHigh', {
    severity: 'warning',
    sql: |||
      SELECT p.account AS account, p.exchange AS exchange, p.notional / m.balance AS value
      FROM (
        SELECT account, exchange, sum(abs(notional)) AS notional FROM (
          SELECT %(account)s AS account, %(exchange)s AS exchange, %(strategy)s, %(symbol)s, %(position_id)s,
            coalesce(last(%(notional_usd)s), last(%(amount)s) * last(%(mark_price)s), 0.0) AS notional
          FROM %(_table)s WHERE %(ts)s > dateadd('m', -1, now())
        )
      ) p JOIN (
        SELECT %(m_account)s AS account, %(m_exchange)s AS exchange, last(%(m_balance)s) AS balance
        FROM %(m)s WHERE %(m_ts)s > dateadd('m', -1, now())
      ) m ON p.account = m.account AND p.exchange = m.exchange
      WHERE m.balance > 0
    ||| % (t.positions {
             m: t.account_marks._table,
             m_account: t.account_marks.account,
             m_exchange: t.account_marks.exchange,
             m_balance: t.account_marks.balance,
             m_ts: t.account_marks.ts,
           }),
    unit: 'factor',
    op: 'gt',
    'for': '30s',
    noData: 'OK',
    summary: 'positions of {{ $labels.account }} on {{ $labels.exchange }} are worth [value] the balance',
    panel: { dashboard: 'tickwatch-risk', id: 303 },
  }),
]

// Lists for the variables. A list names every value that a filtered table may have: what is not in it would be left out even
// when All is chosen. LATEST ON reads backwards until every value was met, so it costs the same on ninety days as on one.
local t = import 'schema/generated/columns.libsonnet';

// The values of a column of all these tables. `always` is a value that is there even when no row has it.
local list(column, tables, always=null) =
  local values = std.join('\nUNION ALL\n', [
    'SELECT %(column)s AS value FROM %(table)s WHERE %(column)s IS NOT NULL LATEST ON ts PARTITION BY %(column)s' % { column: column, table: table._table }
    for table in tables
  ]);
  if always != null then
    "SELECT DISTINCT value FROM (%s\nUNION ALL\nSELECT '%s' AS value FROM long_sequence(1)) ORDER BY value" % [values, always]
  else
    // One entry while there are no values, because IN () is no SQL.
    |||
      WITH seen AS (SELECT DISTINCT value FROM (%s))
      SELECT value FROM (
        SELECT value FROM seen
        UNION ALL
        SELECT '(none yet)' AS value FROM (SELECT count() AS n FROM seen) WHERE n = 0
      ) ORDER BY value
    ||| % values;

{
  exchange: list('exchange', [
    t.connectivity,
    t.fetches,
    t.open_interest,
    t.funding_rates,
    t.liquidations,
    t.orders,
    t.fills,
    t.positions,
    t.account_marks,
  ]),
  symbol: list('symbol', [t.open_interest, t.funding_rates, t.liquidations, t.orders, t.fills, t.positions]),
  // Orders and fills without a strategy are found under (none).
  strategy: list('strategy', [t.pnl, t.orders, t.fills, t.positions, t.signals], '(none)'),
  account: list('account', [t.pnl, t.orders, t.fills, t.positions, t.account_marks]),
  daemon: list('daemon', [t.daemon_health, t.daemon_events, t.daemon_errors]),
}

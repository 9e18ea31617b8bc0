// Lists for the variables: every value that a table has which a dashboard filters by it, or else All would hide rows.
// The large tables are asked for the last day only, and their rollups for the rest.
local t = import 'schema/generated/columns.libsonnet';

local recent(table, column) =
  "SELECT %(column)s FROM %(_table)s WHERE ts > dateadd('d', -1, now()) LATEST ON ts PARTITION BY %(column)s" % (table { column: column });
local ever(table, column) = 'SELECT DISTINCT %(column)s FROM %(_table)s' % (table { column: column });

// `always` is one more entry: without any, All would be IN (), which is no SQL.
local list(column, recents, evers, always) = |||
  SELECT DISTINCT %(column)s FROM (
    %(parts)s
  ) WHERE %(column)s IS NOT NULL ORDER BY %(column)s
||| % {
  column: column,
  parts: std.join(
    '\n  UNION ALL\n  ',
    [recent(table, column) for table in recents] + [ever(table, column) for table in evers] + ["SELECT '%s' AS %s" % [always, column]]
  ),
};

{
  exchange: list(
    'exchange',
    [t.connectivity, t.fetches, t.open_interest, t.funding_rates, t.positions, t.account_marks],
    [t.connections, t.connectivity_1m, t.fetches_1h, t.open_interest_1h, t.liquidations_1h, t.positions_1h, t.account_marks_1h, t.orders, t.fills],
    '(none)'
  ),
  symbol: list(
    'symbol',
    [t.open_interest, t.funding_rates, t.liquidations, t.positions],
    [t.open_interest_1h, t.funding_rates_1h, t.liquidations_1h, t.positions_1h, t.orders, t.fills],
    '(none)'
  ),
  strategy: list('strategy', [t.pnl, t.positions], [t.pnl_1h, t.positions_1h, t.orders, t.fills, t.signals], '(none)'),
  account: list('account', [t.pnl, t.positions, t.account_marks], [t.pnl_1h, t.positions_1h, t.account_marks_1h, t.orders, t.fills], '(none)'),
  daemon: list('daemon', [t.daemon_health], [t.daemon_health_1m, t.daemon_errors, t.daemon_events], '(none)'),
}

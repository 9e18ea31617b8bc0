// Lists for the variables. LATEST ON reads backwards until every value was met, so it costs the same on ninety days as on
// one. The last part of each gives one entry while the table is empty.
local t = import 'schema/generated/columns.libsonnet';

local values(table, column) = |||
  SELECT %(column)s FROM %(table)s LATEST ON ts PARTITION BY %(column)s
||| % { table: table._table, column: column };

local noneYet(table) = |||
  SELECT '(none yet)' FROM (SELECT count() AS n FROM %(table)s) WHERE n = 0
||| % { table: table._table };

local list(table, column) = |||
  SELECT DISTINCT %(column)s FROM (
    %(values)s
    UNION ALL
    %(none)s
  ) WHERE %(column)s IS NOT NULL ORDER BY %(column)s
||| % { column: column, values: std.stripChars(values(table, column), '\n'), none: std.stripChars(noneYet(table), '\n') };

{
  exchange: list(t.connectivity, t.connectivity.exchange),
  symbol: list(t.open_interest, t.open_interest.symbol),
  strategy: list(t.pnl, t.pnl.strategy),
  account: list(t.pnl, t.pnl.account),
  daemon: list(t.daemon_health, t.daemon_health.daemon),
}

// The variables that dashboards share. All is the whole list, so a query always says IN (${exchange:sqlstring});
// (none) is always among them: it stands for rows without the value, and IN () is no SQL.
local config = import '../config.libsonnet';
local g = import 'grafonnet.libsonnet';
local sql = import '../queries/variables.libsonnet';

local query = g.dashboard.variable.query;

local multi(name, label, description, text) =
  query.new(name, std.stripChars(text, ' \n'))
  + query.withDatasource(config.questdb.type, config.questdb.uid)
  + query.generalOptions.withLabel(label)
  + query.generalOptions.withDescription(description)
  + query.refresh.onLoad()
  + { sort: 1, multi: true, includeAll: true, current: { selected: true, text: ['All'], value: ['$__all'] }, options: [] };

{
  exchange: multi('exchange', 'Exchange', 'CCXT id of an exchange that was ever connected or fetched from.', sql.exchange),
  symbol: multi('symbol', 'Symbol', 'CCXT unified symbol with market data or positions.', sql.symbol),
  strategy: multi('strategy', 'Strategy', 'Strategy that has marks of profit and loss.', sql.strategy),
  account: multi('account', 'Account', 'Trading account that has marks of profit and loss.', sql.account),
  daemon: multi('daemon', 'Daemon', 'Daemon that sent samples of its health.', sql.daemon),
}

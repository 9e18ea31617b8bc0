// Queries of a panel against QuestDB. `format` is the backend's number, and the editor's is kept equal to it, so that
// opening a panel for editing changes nothing: 0 makes time series (text columns become labels), 1 a table.
local config = import '../config.libsonnet';

local target(sql, format, refId) = {
  refId: refId,
  datasource: config.questdb,
  queryType: 'sql',
  rawSql: std.stripChars(sql, ' \n'),
  format: format,
  selectedFormat: format,
};

{
  // Time ascending in the first column, numbers, and text columns that tell series apart.
  series(sql, refId='A'): target(sql, 0, refId),
  // Rows as they are.
  rows(sql, refId='A'): target(sql, 1, refId),
}

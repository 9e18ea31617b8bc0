// From every dashboard to every other one; time range and variables go along.
local config = import '../config.libsonnet';
local g = import 'grafonnet.libsonnet';

local link = g.dashboard.link.dashboards;

{
  all: link.new('tickwatch dashboards', [config.tag])
       + link.options.withAsDropdown(true)
       + link.options.withIncludeVars(true)
       + link.options.withKeepTime(true)
       + link.options.withTargetBlank(false),
}

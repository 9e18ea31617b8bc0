// All rules, in the order in which they are documented. Rendered into provisioning/alert_catalogue.json, from which
// `tickwatch alerts generate` makes what Grafana reads.
local known = import 'known_rules.libsonnet';

local rules =
  (import 'exchange.libsonnet')
  + (import 'pipeline.libsonnet')
  + (import 'daemon.libsonnet')
  + (import 'writer.libsonnet')
  + (import 'trading.libsonnet')
  + (import 'escalation.libsonnet');

local names = [rule.name for rule in rules];

assert std.length(std.set(names)) == std.length(names) : 'two rules have one name';
assert std.all([std.member(known, name) for name in names]) : 'a rule is missing in known_rules.libsonnet';

{
  rules: rules,
  // Rules of the past, by name.
  gone: [name for name in known if !std.member(names, name)],
}

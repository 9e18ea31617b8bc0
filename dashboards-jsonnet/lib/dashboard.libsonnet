// A dashboard from its rows. `name` is the file's name and the end of the uid, which never changes.
local config = import '../config.libsonnet';
local annotations = import 'annotations.libsonnet';
local g = import 'grafonnet.libsonnet';
local layout = import 'layout.libsonnet';
local links = import 'links.libsonnet';

local ids(panels) = std.flattenArrays([[p.id] + ids(std.get(p, 'panels', [])) for p in panels]);

{
  // from: default range; refresh: '10s' where the data is live, longer else.
  new(name, title, description, rows, variables=[], annotations_=[], from='now-6h', refresh='30s'):
    local panels = layout.arrange(rows);
    local sorted = std.sort(ids(panels));
    local twice = [sorted[i] for i in std.range(1, std.length(sorted) - 1) if sorted[i] == sorted[i - 1]];
    assert std.length(twice) == 0 : 'dashboard %s: panel id %s is used twice' % [name, twice[0]];
    g.dashboard.new('tickwatch / ' + title)
    + g.dashboard.withUid('tickwatch-' + name)
    + g.dashboard.withDescription(description)
    + g.dashboard.withTags([config.tag, 'generated'])
    + g.dashboard.withTimezone(config.timezone)
    + g.dashboard.withEditable(false)
    + g.dashboard.withRefresh(refresh)
    + g.dashboard.time.withFrom(from)
    + g.dashboard.time.withTo('now')
    + g.dashboard.graphTooltip.withSharedCrosshair()
    + g.dashboard.withVariables(variables)
    + g.dashboard.withAnnotations([annotations.alerts] + annotations_)
    + g.dashboard.withLinks([links.all])
    + g.dashboard.withPanels(panels, setPanelIDs=false),
}

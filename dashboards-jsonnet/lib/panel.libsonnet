// Panels. Each constructor takes one object and fails, naming the panel, when something that a reader needs is missing:
//
//   id            stable number, row * 100 + place; alerts link to it, so it is never given to another panel
//   title, description (what is shown, from which table, what is good)
//   unit, noValue, min (null: the axis may choose), thresholds (lib/thresholds.libsonnet), targets (lib/target.libsonnet)
//
// Optional for all: max, decimals, displayName, mappings, overrides, links, transformations, interval, maxDataPoints,
// width (of 24; the rest of a line is shared out otherwise), color (a field's colour object). What else a constructor knows
// is said above it. `options` and `custom` are merged last, for what has no name here.
local config = import '../config.libsonnet';
local g = import 'grafonnet.libsonnet';

local spoken = ['id', 'title', 'description', 'unit', 'noValue', 'min', 'thresholds', 'targets'];
local known = spoken + [
  'max',
  'decimals',
  'displayName',
  'mappings',
  'overrides',
  'links',
  'transformations',
  'interval',
  'maxDataPoints',
  'width',
  'color',
  'options',
  'custom',
];

// `p` itself, if all of `needed` is in it and nothing that is not known.
local checked(p, needed, own) =
  local name = 'panel %s "%s"' % [std.get(p, 'id', '?'), std.get(p, 'title', '?')];
  local missing = [f for f in needed if !std.objectHas(p, f) || (std.isString(p[f]) && p[f] == '')];
  local unknown = std.setDiff(std.objectFields(p), std.set(known + own));
  assert std.length(missing) == 0 : '%s lacks %s' % [name, std.join(', ', missing)];
  assert std.length(unknown) == 0 : '%s has %s, which no panel of its kind knows' % [name, std.join(', ', unknown)];
  p;

// Fields of `p` that are there, under the same names.
local pick(p, fields) = { [f]: p[f] for f in fields if std.objectHas(p, f) };

// Grafana sets pluginVersion itself; the one that grafonnet writes is none of Grafana's.
local clean(panel) = { [k]: panel[k] for k in std.objectFields(panel) if k != 'pluginVersion' };

local data(kind, p, own, body) =
  local c = checked(p, spoken, own);
  clean(
    kind.new(c.title)
    + kind.panelOptions.withDescription(c.description)
    + kind.queryOptions.withDatasource(config.questdb.type, config.questdb.uid)
    + kind.queryOptions.withTargets(c.targets)
    + { id: c.id }
    + pick(c, ['links', 'transformations', 'interval', 'maxDataPoints'])
    + {
      fieldConfig: {
        defaults: {
          unit: c.unit,
          noValue: c.noValue,
          thresholds: c.thresholds,
          [if c.min != null then 'min']: c.min,
        } + pick(c, ['max', 'decimals', 'displayName', 'mappings', 'color']),
        overrides: std.get(c, 'overrides', []),
      },
    }
    + body
    + { options+: std.get(c, 'options', {}), fieldConfig+: { defaults+: { custom+: std.get(c, 'custom', {}) } } }
  ) + { width:: std.get(c, 'width', null) };

// A missing value is grey and says `text`, whatever colour the lowest threshold has.
local withNothing(p, text) = p {
  mappings: std.get(p, 'mappings', []) + [{
    type: 'special',
    options: { match: 'null+nan', result: { text: text, color: config.colours.idle, index: 99 } },
  }],
};

local ts = g.panel.timeSeries;
local drawStyles = { lines: 'line', bars: 'bars', points: 'points' };
local custom(fields) = { fieldConfig+: { defaults+: { custom+: fields } } };

{
  // Lines over time. legend: 'table' (default), 'list' or 'hidden'; calcs: what the legend's table shows; style: 'lines',
  // 'bars' or 'points'; fill: 0-100; stack: true to add the series up; spanNulls: true or ms;
  // limits: 'off', 'line' or 'area' draws the thresholds; logScale: base.
  timeSeries(p):
    local legend = std.get(p, 'legend', 'table');
    local shown = std.get(p, 'limits', 'off');
    data(
      ts,
      p,
      ['legend', 'calcs', 'style', 'fill', 'stack', 'spanNulls', 'limits', 'logScale', 'legendRight'],
      ts.options.tooltip.withMode('multi')
      + ts.options.tooltip.withSort('desc')
      + ts.options.legend.withShowLegend(legend != 'hidden')
      + ts.options.legend.withDisplayMode(if legend == 'hidden' then 'list' else legend)
      + ts.options.legend.withPlacement(if std.get(p, 'legendRight', false) then 'right' else 'bottom')
      + ts.options.legend.withCalcs(if legend == 'table' then std.get(p, 'calcs', ['lastNotNull', 'max']) else [])
      + ts.fieldConfig.defaults.custom.withDrawStyle(drawStyles[std.get(p, 'style', 'lines')])
      + ts.fieldConfig.defaults.custom.withLineWidth(1)
      + ts.fieldConfig.defaults.custom.withFillOpacity(std.get(p, 'fill', if std.get(p, 'stack', false) then 60 else 8))
      + ts.fieldConfig.defaults.custom.withShowPoints('auto')
      + ts.fieldConfig.defaults.custom.withSpanNulls(std.get(p, 'spanNulls', false))
      + ts.fieldConfig.defaults.custom.stacking.withMode(if std.get(p, 'stack', false) then 'normal' else 'none')
      + ts.fieldConfig.defaults.custom.thresholdsStyle.withMode(shown)
      + (if std.objectHas(p, 'logScale') then custom({ scaleDistribution: { type: 'log', log: p.logScale } }) else {})
    ),

  // Big numbers. of: 'last' value of each series (default), or 'rows': one tile per row of a table, whose number is the
  // field that `field` (a regular expression such as '/^up$/') names. graph: 'none' or 'area'; colour: 'value',
  // 'background' or 'none'; text: 'auto', 'value', 'value_and_name', 'name', 'none'; calc: how a series becomes a number.
  stat(p):
    local s = g.panel.stat;
    local ofRows = std.get(p, 'of', 'last') == 'rows';
    data(
      s,
      withNothing(checked(p, spoken, ['of', 'field', 'graph', 'colour', 'text', 'calc', 'limit']), p.noValue),
      ['of', 'field', 'graph', 'colour', 'text', 'calc', 'limit'],
      s.options.reduceOptions.withValues(ofRows)
      + s.options.reduceOptions.withCalcs([std.get(p, 'calc', 'lastNotNull')])
      + s.options.reduceOptions.withFields(std.get(p, 'field', ''))
      + (if ofRows then s.options.reduceOptions.withLimit(std.get(p, 'limit', 100)) else {})
      + s.options.withColorMode(std.get(p, 'colour', 'background'))
      + s.options.withGraphMode(std.get(p, 'graph', 'none'))
      + s.options.withTextMode(std.get(p, 'text', if ofRows then 'value_and_name' else 'auto'))
      + s.options.withJustifyMode('auto')
      + s.options.withOrientation('auto')
      + s.options.withWideLayout(true)
    ),

  // One number on a scale from min to max, both needed. of, field, calc: as for stat.
  gauge(p):
    local s = g.panel.gauge;
    data(
      s,
      checked(p, spoken + ['max'], ['of', 'field', 'calc', 'limit']),
      ['of', 'field', 'calc', 'limit'],
      s.options.reduceOptions.withValues(std.get(p, 'of', 'last') == 'rows')
      + s.options.reduceOptions.withCalcs([std.get(p, 'calc', 'lastNotNull')])
      + s.options.reduceOptions.withFields(std.get(p, 'field', ''))
      + s.options.withShowThresholdMarkers(true)
      + s.options.withShowThresholdLabels(false)
    ),

  // A bar per row (of: 'rows', default) or per series (of: 'last'). orientation: 'horizontal' or 'vertical'.
  barGauge(p):
    local s = g.panel.barGauge;
    local ofRows = std.get(p, 'of', 'rows') == 'rows';
    data(
      s,
      p,
      ['of', 'field', 'calc', 'orientation', 'limit'],
      s.options.reduceOptions.withValues(ofRows)
      + s.options.reduceOptions.withCalcs([std.get(p, 'calc', 'lastNotNull')])
      + s.options.reduceOptions.withFields(std.get(p, 'field', ''))
      + (if ofRows then s.options.reduceOptions.withLimit(std.get(p, 'limit', 50)) else {})
      + s.options.withDisplayMode('basic')
      + s.options.withOrientation(std.get(p, 'orientation', 'horizontal'))
      + s.options.withShowUnfilled(true)
      + s.options.withValueMode('color')
      + s.options.withMinVizHeight(16)
      // One row alone would fill the panel.
      + s.options.withMaxVizHeight(40)
      + s.options.withSizing('manual')
    ),

  // Bars per category: a table whose text (or time) column is x, its number columns the bars. x: that column;
  // orientation: 'auto', 'horizontal', 'vertical'; stacking: 'none', 'normal', 'percent'; colorBy: a field's name.
  barChart(p):
    local s = g.panel.barChart;
    data(
      s,
      checked(p, spoken + ['x'], ['x', 'orientation', 'stacking', 'colorBy', 'legend', 'showValue']),
      ['x', 'orientation', 'stacking', 'colorBy', 'legend', 'showValue'],
      s.options.withXField(p.x)
      + s.options.withOrientation(std.get(p, 'orientation', 'auto'))
      + s.options.withStacking(std.get(p, 'stacking', 'none'))
      + s.options.withShowValue(std.get(p, 'showValue', 'auto'))
      + s.options.withXTickLabelMaxLength(24)
      + s.options.legend.withShowLegend(std.get(p, 'legend', 'list') != 'hidden')
      + s.options.legend.withDisplayMode('list')
      + s.options.legend.withPlacement('bottom')
      + s.options.tooltip.withMode('multi')
      + (if std.objectHas(p, 'colorBy') then s.options.withColorByField(p.colorBy) else {})
      + s.fieldConfig.defaults.custom.withFillOpacity(75)
      + s.fieldConfig.defaults.custom.withLineWidth(0)
    ),

  // What was the state, from when to when. Series of numbers with mappings; bars join over other series' timestamps.
  stateTimeline(p):
    local s = g.panel.stateTimeline;
    data(
      s,
      checked(p, spoken + ['mappings'], ['showValue', 'rowHeight', 'merge']),
      ['showValue', 'rowHeight', 'merge'],
      s.options.withShowValue(std.get(p, 'showValue', 'never'))
      + s.options.withMergeValues(std.get(p, 'merge', true))
      + s.options.withRowHeight(std.get(p, 'rowHeight', 0.8))
      + s.options.legend.withShowLegend(true)
      + s.options.legend.withDisplayMode('list')
      + s.options.legend.withPlacement('bottom')
      + s.options.tooltip.withMode('single')
      + s.fieldConfig.defaults.custom.withFillOpacity(85)
      + s.fieldConfig.defaults.custom.withLineWidth(0)
      + custom({ spanNulls: true })
    ),

  // `custom` of a table that fits many columns into its panel.
  narrow: { minWidth: 60 },

  // Rows. sort: [{ displayName, desc }]; filterable: true for filters in the header.
  table(p):
    local s = g.panel.table;
    // noValue is for the empty table; an empty cell is a dash, a number's by its mapping and any other's by its field.
    local dashes = self.overrideMatching('/.*/', { noValue: '–' });
    data(
      s,
      withNothing(checked(p, spoken, ['sort', 'filterable', 'cellHeight']), '–') { overrides: [dashes] + std.get(p, 'overrides', []) },
      ['sort', 'filterable', 'cellHeight'],
      s.options.withShowHeader(true)
      + s.options.withCellHeight(std.get(p, 'cellHeight', 'sm'))
      + s.options.withSortBy(std.get(p, 'sort', []))
      + s.fieldConfig.defaults.custom.withFilterable(std.get(p, 'filterable', false))
      + s.fieldConfig.defaults.custom.withAlign('auto')
    ),

  // Density: raw values over time. bucket: { x, y } calculation, or calculate: false when SQL made the buckets.
  heatmap(p):
    local s = g.panel.heatmap;
    data(
      s,
      p,
      ['calculate', 'calculation', 'scheme', 'cellGap', 'yAxis'],
      s.options.withCalculate(std.get(p, 'calculate', true))
      + (if std.objectHas(p, 'calculation') then s.options.withCalculation(p.calculation) else {})
      + s.options.color.withMode('scheme')
      + s.options.color.withScheme(std.get(p, 'scheme', 'Turbo'))
      + s.options.color.withSteps(64)
      + s.options.withCellGap(std.get(p, 'cellGap', 1))
      + s.options.withYAxis({ axisPlacement: 'left', unit: p.unit } + std.get(p, 'yAxis', {}))
      + s.options.withTooltip({ mode: 'single', showColorScale: true, yHistogram: false })
    ),

  // Newest first; a column named level colours the line. The unit is that of a log: 'none' or 'short'.
  logs(p):
    local s = g.panel.logs;
    data(
      s,
      p,
      [],
      s.options.withShowTime(true)
      + s.options.withWrapLogMessage(true)
      + s.options.withEnableLogDetails(true)
      + s.options.withSortOrder('Descending')
      + s.options.withDedupStrategy('none')
    ),

  // Shares of a whole, few of them. of, field: as for stat; display: 'pie' or 'donut'.
  pieChart(p):
    local s = g.panel.pieChart;
    data(
      s,
      p,
      ['of', 'field', 'calc', 'display', 'limit'],
      s.options.reduceOptions.withValues(std.get(p, 'of', 'rows') == 'rows')
      + s.options.reduceOptions.withCalcs([std.get(p, 'calc', 'lastNotNull')])
      + s.options.reduceOptions.withFields(std.get(p, 'field', ''))
      + s.options.withPieType(std.get(p, 'display', 'donut'))
      + s.options.legend.withShowLegend(true)
      + s.options.legend.withDisplayMode('table')
      + s.options.legend.withPlacement('right')
      + s.options.legend.withValues(['value', 'percent'])
      + s.options.tooltip.withMode('single')
    ),

  // One number against another. Series from one table; `dims`: { x, y } are column names.
  xyChart(p):
    local s = g.panel.xyChart;
    data(s, p, [], s.options.withMapping('auto')),

  // Grafana's own list of instances of its own rules (a Prometheus that is off would be asked else): it has no query. Needs
  // id, title, description; states: which to show.
  alertList(p):
    local c = checked(p, ['id', 'title', 'description'], ['states', 'maxItems']);
    local s = g.panel.alertList;
    clean(
      s.new(c.title)
      + s.panelOptions.withDescription(c.description)
      + {
        id: c.id,
        datasource: config.questdb,
        options: {
          viewMode: 'list',
          groupMode: 'default',
          groupBy: [],
          maxItems: std.get(c, 'maxItems', 50),
          sortOrder: 3,
          dashboardAlerts: false,
          alertName: '',
          alertInstanceLabelFilter: '',
          datasource: '-- Grafana --',
          stateFilter: { firing: true, pending: true, noData: true, normal: false, 'error': true, recovering: true } + std.get(c, 'states', {}),
        } + std.get(c, 'options', {}),
      }
    ) + { width:: std.get(c, 'width', null) },

  // Words. Needs id, title, description, content (Markdown).
  text(p):
    local c = checked(p, ['id', 'title', 'description', 'content'], ['content']);
    local s = g.panel.text;
    clean(
      s.new(c.title)
      + s.panelOptions.withDescription(c.description)
      + s.options.withMode('markdown')
      + s.options.withContent(c.content)
      + { id: c.id, datasource: config.questdb }
    ) + { width:: std.get(c, 'width', null) },

  // A table's column, or a series, that looks different: override('column', { unit: 'ms', 'custom.width': 90 }).
  override(name, properties): {
    matcher: { id: 'byName', options: name },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },
  // All series of one query: overrideQuery('B', { … }).
  overrideQuery(refId, properties): {
    matcher: { id: 'byFrameRefID', options: refId },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },
  overrideMatching(regexp, properties): {
    matcher: { id: 'byRegexp', options: regexp },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },

  // Words and colours for numbers: { '1': ['up', 'green'], '0': ['down', 'red'] }.
  valueMappings(words): [{
    type: 'value',
    options: {
      [value]: { text: words[value][0], color: words[value][1], index: index }
      for index in std.range(0, std.length(words) - 1)
      for value in [std.objectFields(words)[index]]
    },
  }],
}

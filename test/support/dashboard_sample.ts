// A small dashboard with nothing wrong, for tests that break one thing of it. Written out, so that a mistake in the generator of the
// real ones cannot be in it too.

/** JSON that a test may change at will. */
// biome-ignore lint/suspicious/noExplicitAny: the tests reach into it as people do.
type Json = any;

const QUESTDB = { type: "questdb-questdb-datasource", uid: "questdb" };
const THRESHOLDS = {
  mode: "absolute",
  steps: [
    { color: "green", value: null },
    { color: "red", value: 100 },
  ],
};

function target(rawSql: string, format: number): Json {
  return { refId: "A", datasource: QUESTDB, queryType: "sql", rawSql, format, selectedFormat: format };
}

function panel(id: number, type: string, title: string, [x, y, w, h]: readonly number[], more: Json): Json {
  const { fieldConfig, ...rest } = more;
  return {
    ...{ id, type, title, gridPos: { x, y, w, h }, datasource: QUESTDB },
    description: "Samples of connections in the range; more are better, none means the poller is down.",
    fieldConfig: {
      defaults: { unit: "short", noValue: "no data", thresholds: THRESHOLDS, ...fieldConfig },
      overrides: [],
    },
    ...rest,
  };
}

function tile(id: number, title: string, x: number, sql: string): Json {
  const reduceOptions = { values: true, calcs: ["lastNotNull"], fields: "/^samples$/" };
  const options = { reduceOptions, colorMode: "background", textMode: "value_and_name", graphMode: "none" };
  return panel(id, "stat", title, [x, 0, 8, 4], { targets: [target(sql, 1)], options });
}

const SAMPLES =
  "SELECT exchange, count() AS samples FROM connections WHERE $__timeFilter(ts) AND exchange IN (${exchange:sqlstring})";

/** A new copy each time. Panels: 1–3 tiles, 101 time series, 102 table, 103 state timeline, folded into row 200: 201 logs. */
export function sampleDashboard(): Json {
  // Nothing in it is shared: what is changed in one place stays in that place.
  return JSON.parse(JSON.stringify(sample()));
}

function sample(): Json {
  const legend = { showLegend: true, displayMode: "table", placement: "bottom", calcs: ["max"] };
  const series =
    "SELECT ts AS time, exchange, count() AS samples FROM connections WHERE $__timeFilter(ts) AND exchange IN (${exchange:sqlstring}) SAMPLE BY $__sampleByInterval";
  const states =
    "SELECT ts AS time, exchange, channel, CASE WHEN state = 'connected' THEN 1 ELSE 0 END AS state FROM connections WHERE $__timeFilter(ts) AND exchange IN (${exchange:sqlstring}) ORDER BY ts";
  const rows =
    "SELECT ts, exchange, downtime_ms FROM connections WHERE $__timeFilter(ts) ORDER BY ts DESC LIMIT 100";
  const mappings = [
    { type: "value", options: { "0": { text: "down", color: "red" }, "1": { text: "up", color: "green" } } },
  ];
  return {
    ...{
      uid: "tickwatch-sample",
      title: "tickwatch / Sample",
      schemaVersion: 39,
      editable: false,
      graphTooltip: 1,
    },
    description: "Does every exchange answer, and how many samples came?",
    ...{
      tags: ["tickwatch", "generated"],
      time: { from: "now-6h", to: "now" },
      timezone: "",
      refresh: "30s",
    },
    links: [
      {
        type: "dashboards",
        title: "All",
        tags: ["tickwatch"],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    annotations: { list: [builtIn(), events("Connections"), events("Restarts"), events("Deploys")] },
    templating: { list: [exchangeVariable()] },
    panels: [
      tile(1, "Samples", 0, `${SAMPLES} GROUP BY exchange`),
      tile(2, "Samples up", 8, `${SAMPLES} AND state = 'connected' GROUP BY exchange`),
      tile(3, "Samples down", 16, `${SAMPLES} AND state != 'connected' GROUP BY exchange`),
      panel(101, "timeseries", "Samples over time", [0, 4, 12, 8], {
        targets: [target(series, 0)],
        options: { legend, tooltip: { mode: "multi", sort: "desc" } },
        fieldConfig: {
          min: 0,
          displayName: "${__field.labels.exchange}",
          custom: { lineWidth: 1, spanNulls: false },
        },
      }),
      panel(102, "table", "Latest samples", [12, 4, 12, 8], {
        targets: [target(rows, 1)],
        options: { showHeader: true, cellHeight: "sm", sortBy: [{ displayName: "ts", desc: true }] },
        fieldConfig: {
          links: [{ title: "Itself", url: "/d/tickwatch-sample?${__url_time_range}&${__all_variables}" }],
        },
      }),
      panel(103, "state-timeline", "States", [0, 12, 24, 6], {
        targets: [target(states, 0)],
        options: { showValue: "never", rowHeight: 0.8 },
        fieldConfig: {
          ...{ mappings, displayName: "${__field.labels.exchange}", custom: { spanNulls: true } },
          thresholds: { mode: "absolute", steps: [{ color: "text", value: null }] },
        },
      }),
      {
        ...{ id: 200, type: "row", title: "Lines", collapsed: true, gridPos: { x: 0, y: 18, w: 24, h: 1 } },
        panels: [panel(201, "logs", "Log", [0, 19, 24, 8], { targets: [target(rows, 1)] })],
      },
    ],
  };
}

/** A second one, to which the first links. */
export function otherDashboard(): Json {
  return { ...sampleDashboard(), uid: "tickwatch-other", title: "tickwatch / Other" };
}

function exchangeVariable(): Json {
  return {
    ...{ type: "query", name: "exchange", label: "Exchange", datasource: QUESTDB, sort: 1, refresh: 1 },
    ...{ multi: true, includeAll: true, current: { text: ["All"], value: ["$__all"] } },
    query: "SELECT DISTINCT exchange FROM connections ORDER BY exchange",
  };
}

function builtIn(): Json {
  const datasource = { type: "grafana", uid: "-- Grafana --" };
  return {
    ...{ builtIn: 1, name: "Annotations & Alerts", type: "dashboard" },
    datasource,
    enable: true,
    hide: true,
    iconColor: "blue",
  };
}

function events(name: string): Json {
  const sql =
    "SELECT ts AS time, concat(exchange, ' ', state) AS text, state AS tags FROM connections WHERE $__timeFilter(ts) LIMIT 500";
  return {
    name,
    datasource: QUESTDB,
    enable: true,
    iconColor: "orange",
    target: { ...target(sql, 1), refId: "Anno" },
  };
}

// The TypeScript from which the JSON schema of dashboards is made: @grafana/schema's types, put together for each kind of panel.
// Upstream leaves `options` and `custom` open; here each kind gets its own. Text, because its packages are not installed here.

/** Kind of panel in a dashboard's JSON → the folder and the prefix of its types, and whether it has `custom` field settings. */
const PANEL_KINDS: Readonly<Record<string, readonly [folder: string, prefix: string, hasCustom: boolean]>> = {
  barchart: ["barchart", "BarChart", true],
  bargauge: ["bargauge", "BarGauge", false],
  candlestick: ["candlestick", "Candlestick", true],
  dashlist: ["dashboardlist", "DashboardList", false],
  gauge: ["gauge", "Gauge", false],
  heatmap: ["heatmap", "Heatmap", true],
  histogram: ["histogram", "Histogram", true],
  logs: ["logs", "Logs", false],
  piechart: ["piechart", "PieChart", true],
  "state-timeline": ["statetimeline", "StateTimeline", true],
  stat: ["stat", "Stat", false],
  "status-history": ["statushistory", "StatusHistory", true],
  table: ["table", "Table", true],
  text: ["text", "Text", false],
  timeseries: ["timeseries", "TimeSeries", true],
  trend: ["trend", "Trend", true],
  xychart: ["xychart", "XYChart", true],
};

/** Settings that Grafana reads and whose types leave them out. */
const MORE_CUSTOM: Readonly<Record<string, string>> = {
  "state-timeline": " & { spanNulls?: boolean | number; insertNulls?: boolean | number }",
};

/** Panel<…>: what every panel of ours must have is required here, also where Grafana could do without. */
const HEAD = `import type * as grafana from "@grafana/schema";

interface Source { type: "questdb-questdb-datasource" | "prometheus"; uid: string }
interface QuestdbTarget {
  refId: string; datasource: Source; queryType: "sql"; rawSql: string; format: 0 | 1; selectedFormat: 0 | 1; hide?: boolean;
}
interface PrometheusTarget {
  refId: string; datasource: Source; expr: string; legendFormat?: string; interval?: string; instant?: boolean; range?: boolean;
  format?: "time_series" | "table" | "heatmap"; hide?: boolean;
}
interface BuiltInTarget { limit: number; matchAny: boolean; tags: string[]; type: string }
type FieldConfig<Custom> = Omit<grafana.FieldConfig, "custom"> & { custom?: Custom };
type Panel<Kind extends string, Options, Custom> =
  Omit<grafana.Panel, "type" | "id" | "title" | "gridPos" | "targets" | "options" | "fieldConfig" | "datasource"> & {
    type: Kind; id: number; title: string; gridPos: grafana.GridPos;
    datasource?: Source; targets?: (QuestdbTarget | PrometheusTarget)[]; options?: Options;
    fieldConfig?: { defaults: FieldConfig<Custom>; overrides: grafana.FieldConfigSource["overrides"] };
  };
type None = Record<string, never>;
/** The one kind whose options no package describes; these are what Grafana 13 reads. */
interface AlertListOptions {
  maxItems?: number; sortOrder?: 1 | 2 | 3 | 4 | 5; viewMode?: "list" | "stat"; groupMode?: "default" | "custom"; groupBy?: string[];
  alertName?: string; alertInstanceLabelFilter?: string; dashboardAlerts?: boolean; showInstances?: boolean; datasource?: string;
  folder?: { uid: string; title: string }; showInactiveAlerts?: boolean;
  stateFilter?: {
    firing?: boolean; pending?: boolean; recovering?: boolean; noData?: boolean; normal?: boolean; error?: boolean;
  };
}
`;

/** A module whose type `Shapes` has a property for each thing that is checked on its own. */
export function shapesModule(): string {
  const imports: string[] = [];
  const panels: string[] = [];
  for (const [kind, [folder, prefix, hasCustom]] of Object.entries(PANEL_KINDS)) {
    const path = `@grafana/schema/dist/esm/raw/composable/${folder}/panelcfg/x/${prefix}PanelCfg_types.gen`;
    imports.push(`import type * as ${folder} from "${path}";`);
    const custom = hasCustom ? `${folder}.FieldConfig${MORE_CUSTOM[kind] ?? ""}` : "None";
    panels.push(`  "${kind}": Panel<"${kind}", ${folder}.Options, ${custom}>;`);
  }
  return `${imports.join("\n")}
${HEAD}
export interface Shapes {
  dashboard: Omit<grafana.Dashboard, "panels" | "templating" | "annotations" | "links">;
  link: grafana.DashboardLink;
  row: Omit<grafana.RowPanel, "panels">;
  variable: grafana.VariableModel;
  annotation: Omit<grafana.AnnotationQuery, "target"> & { target?: QuestdbTarget | BuiltInTarget };
  alertlist: Panel<"alertlist", AlertListOptions, None>;
${panels.join("\n")}
}
`;
}

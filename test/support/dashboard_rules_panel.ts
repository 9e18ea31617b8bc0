// Rules about a single panel: what a person needs to understand it, and what Grafana needs to show it.
import type { Panel } from "../../bench/panels/dashboard_file.ts";
import { findEvent } from "../../schema/registry.ts";
import type { PanelRule, Rules } from "./dashboard_lint.ts";
import { tablesIn } from "./dashboard_sql.ts";

/** Panels without data of their own. */
const WITHOUT_DATA = ["text", "dashlist", "alertlist"];
/** Lines of text: no unit, no scale. */
const WITHOUT_NUMBERS = [...WITHOUT_DATA, "logs"];
const DESCRIPTION_MIN = 40;
const FORMATS: Readonly<Record<string, number>> = {
  timeseries: 0,
  "state-timeline": 0,
  "status-history": 0,
  heatmap: 0,
  table: 1,
  logs: 1,
};
/** Kinds whose scale begins somewhere. */
const WITH_SCALE = ["timeseries", "barchart", "bargauge", "gauge"];
const SINGLE_VALUES = ["stat", "gauge", "bargauge"];

export const PANEL_RULES = {
  "panel title": ({ title }) => (title.trim() === "" ? ["give it a title"] : []),
  "panel description": ({ type, description, targets }) => {
    if (type === "text") return [];
    if (description.length < DESCRIPTION_MIN) {
      return ["describe it: what is shown, from which table, what is good"];
    }
    const tables = [...new Set(targets.flatMap(({ rawSql }) => tablesIn(rawSql ?? "").map(baseTable)))];
    if (tables.length === 0 || tables.some((table) => description.includes(table))) return [];
    return [`its description names none of the tables it reads (${tables.join(", ")})`];
  },
  unit: ({ type, fieldConfig: { defaults } }) =>
    WITHOUT_NUMBERS.includes(type) || defaults.unit
      ? []
      : ['set fieldConfig.defaults.unit ("short" or "none" if it has none)'],
  noValue: ({ type, fieldConfig: { defaults } }) =>
    WITHOUT_NUMBERS.includes(type) || defaults.noValue
      ? []
      : ["set noValue: what a person reads when there are no rows"],
  thresholds: (panel) => (WITHOUT_NUMBERS.includes(panel.type) ? [] : thresholdMistakes(panel)),
  min: ({ type, fieldConfig: { defaults } }) => {
    const { min, max, custom } = defaults;
    if (!WITH_SCALE.includes(type)) return [];
    const begins = min ?? custom["axisSoftMin"] ?? custom["axisCenteredZero"];
    return [
      ...(begins === undefined
        ? ["set min, or axisSoftMin: without it the scale begins at the smallest value"]
        : []),
      ...(type === "gauge" && max === undefined
        ? ["a gauge needs max: its end is the largest value otherwise"]
        : []),
    ];
  },
  targets: ({ type, targets }) => {
    if (WITHOUT_DATA.includes(type)) return [];
    const refIds = targets.map(({ refId }) => refId);
    return [
      ...(targets.length === 0 ? ["it asks for nothing: add a target"] : []),
      ...targets.filter(({ hide }) => hide).map(({ refId }) => `target ${refId} is hidden: remove it`),
      ...(new Set(refIds).size < refIds.length || refIds.includes("")
        ? ["each target needs a refId of its own"]
        : []),
    ];
  },
  datasource: ({ type, datasource, targets }) => {
    if (WITHOUT_DATA.includes(type)) return [];
    const wrong = [datasource, ...targets.map((target) => target.datasource)].filter(
      (source) => source?.uid !== "questdb" || source.type !== "questdb-questdb-datasource",
    );
    return wrong.length === 0
      ? []
      : [`its data source is ${JSON.stringify(wrong[0])}: take questdb from config.libsonnet`];
  },
  format: ({ type, targets }) =>
    targets.flatMap(({ refId, format, selectedFormat }) => [
      ...(format === selectedFormat
        ? []
        : [
            `target ${refId}: selectedFormat must equal format (${format}), or opening the editor rewrites the query`,
          ]),
      ...(FORMATS[type] === undefined || format === FORMATS[type]
        ? []
        : [`target ${refId}: a ${type} needs format ${FORMATS[type]}, not ${format}`]),
    ]),
  "no range of its own": (panel) =>
    ["timeFrom", "timeShift", "hideTimeOverride", "timeCompare"]
      .filter((key) => panel[key] !== undefined && panel[key] !== false)
      .map((key) => `remove ${key}: zooming one panel moves all`),
  "not repeated": (panel) =>
    panel["repeat"] === undefined ? [] : ["do not repeat panels: alerts link to their ids"],
  "named series": ({ type, options, fieldConfig, targets }) => {
    // A row of a table names its value by its text columns; only series carry labels.
    const isSeries =
      targets.some(({ format }) => format === 0) &&
      ["timeseries", "state-timeline", "stat", "bargauge"].includes(type);
    const isSingle = SINGLE_VALUES.includes(type) && options["textMode"] === "value";
    const isNamed = fieldConfig.defaults.displayName !== undefined || fieldConfig.overrides.length > 0;
    const several = targets.some(({ rawSql }) => selectsLabels(rawSql ?? ""));
    return isSeries && !isSingle && several && !isNamed
      ? ['set displayName, as "${__field.labels.exchange}": a legend shows column and labels otherwise']
      : [];
  },
} satisfies Rules<PanelRule>;

function thresholdMistakes({ type, options, fieldConfig: { defaults } }: Panel): string[] {
  const steps = defaults.thresholds?.steps ?? [];
  if (steps.length === 0) return ["set thresholds; their first step has the value null"];
  const values = steps.slice(1).map(({ value }) => Number(value));
  const isColoured = type === "gauge" || (type === "stat" && options["colorMode"] !== "none");
  const hasOtherColour =
    defaults.mappings.length > 0 || (defaults.color !== undefined && defaults.color["mode"] !== "thresholds");
  return [
    ...(steps[0]?.value === null ? [] : ["the first step of its thresholds needs the value null"]),
    ...(values.some((value, i) => Number.isNaN(value) || value <= (values[i - 1] ?? Number.NEGATIVE_INFINITY))
      ? [`its thresholds must rise: ${values.join(", ")}`]
      : []),
    ...(isColoured && steps.length < 2 && !hasOtherColour
      ? [
          "it is coloured by thresholds, and has only one: add what is good and what is bad, or colorMode none",
        ]
      : []),
  ];
}

/** A rollup is said to be of its table. */
function baseTable(table: string): string {
  const base = table.replace(/_(?:1m|1h|1d)$/, "");
  return findEvent(base) === undefined ? table : base;
}

/** Whether the outermost SELECT has columns that name a series. */
function selectsLabels(sql: string): boolean {
  return /\b(?:exchange|symbol|strategy|account|daemon|instance|channel|dataset|status|rule|component)\b/.test(
    /^\s*SELECT\b([\s\S]*?)\bFROM\b/i.exec(sql)?.[1] ?? "",
  );
}

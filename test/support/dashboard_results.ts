// What the answer to a query must be for its panel, annotation or variable to show it: columns, types, order, values. As data, each
// rule with a name, so that a test can show it to bite.
import type { Frame } from "../../bench/panels/frame.ts";
import type { PanelQuery } from "../../bench/panels/panel_queries.ts";
import { isMapped } from "./dashboard_mappings.ts";

type OfPanel = Extract<PanelQuery, { kind: "panel" }>;
type Rule<Q> = (frame: Frame, query: Q) => readonly string[];

const VALUE_KINDS = ["stat", "gauge", "bargauge"];
const STATE_KINDS = ["state-timeline", "status-history"];
/** More would take a browser seconds. */
const ROWS_MAX = 50_000;

/** For every query. */
const ANY_RULES = {
  "unique columns": ({ columns }) =>
    columns
      .filter(({ name }, i) => columns.findIndex((other) => other.name === name) !== i)
      .map(({ name }) => `two columns are called ${name}: Grafana refuses the answer`),
  "no decimals": ({ columns }) =>
    columns
      .filter(({ kind }) => kind === "decimal")
      .map(({ name }) => `${name} is a DECIMAL, which arrives as text: cast it as double`),
  size: ({ rows }) =>
    rows.length > ROWS_MAX
      ? [`${rows.length} rows are too many for a browser: use larger buckets or a LIMIT`]
      : [],
} satisfies Record<string, Rule<PanelQuery>>;

const PANEL_RULES = {
  "one rising time": (frame, { target }) => (target.format === 0 ? timeMistakes(frame) : []),
  "numbers in a series": ({ columns }, { target }) => {
    if (target.format !== 0) return [];
    return [
      ...(columns.some(({ kind }) => kind === "number")
        ? []
        : ["a series needs a number, and there is none"]),
      ...columns
        .filter(({ kind }) => kind === "boolean")
        .map(
          ({ name }) => `${name} is a boolean, which becomes a label: write CASE WHEN … THEN 1 ELSE 0 END`,
        ),
    ];
  },
  "one point a moment": (frame, { target }) => (target.format === 0 ? doublePoints(frame) : []),
  "field that is shown": (frame, { panel }) =>
    VALUE_KINDS.includes(panel.type) ? fieldMistakes(frame, panel.options) : [],
  "columns by name": (frame, query) =>
    namedColumns(query).flatMap(({ name, by }) =>
      hasColumn(frame, name) ? [] : [`${by} means the column ${name}, which is not there`],
    ),
  "labels by name": ({ columns }, { panel, target }) =>
    labelsIn(panel)
      .filter(
        (label) =>
          target.format === 0 && !columns.some(({ name, kind }) => name === label && kind === "text"),
      )
      .map((label) => `displayName uses the label ${label}, which the query does not select`),
  "mapped states": ({ columns, rows }, { panel }) => {
    if (!STATE_KINDS.includes(panel.type)) return [];
    const { mappings, thresholds } = panel.fieldConfig.defaults;
    // A number of things, coloured by how many there are, needs no words for each.
    if ((thresholds?.steps.length ?? 0) > 1) return [];
    return columns.flatMap(({ name, kind }, at) =>
      kind === "number"
        ? [...new Set(rows.map((row) => row[at]))]
            .filter((value) => value !== null && !isMapped(mappings, value))
            .map((value) => `${name} is ${value}, and no mapping says what that is`)
        : [],
    );
  },
  "a time for logs": ({ columns }, { panel }) =>
    panel.type !== "logs" || (columns[0]?.kind === "time" && columns.some(({ kind }) => kind === "text"))
      ? []
      : ["logs need a time first, and a text"],
} satisfies Record<string, Rule<OfPanel>>;

const ANNOTATION_RULES = {
  "time and text": ({ columns }) => [
    ...(columns.some(({ name, kind }) => name === "time" && kind === "time")
      ? []
      : ["an annotation needs a column time"]),
    ...(columns.some(({ name, kind }) => name === "text" && kind === "text")
      ? []
      : ["an annotation needs a column text"]),
  ],
} satisfies Record<string, Rule<PanelQuery>>;

const VARIABLE_RULES = {
  "values as text": ({ columns, rows }) => [
    ...(columns.length <= 2 && columns.every(({ kind }) => kind === "text")
      ? []
      : [
          `a variable needs one or two columns of text, not ${columns.map(({ name, kind }) => `${name} (${kind})`).join(", ")}`,
        ]),
    ...(rows.some((row) => row.some((value) => value === null))
      ? ["a value is NULL: filter it out, or name it"]
      : []),
  ],
} satisfies Record<string, Rule<PanelQuery>>;

/** Names of all rules, for tests. */
export type ResultRule =
  | keyof typeof ANY_RULES
  | keyof typeof PANEL_RULES
  | keyof typeof ANNOTATION_RULES
  | keyof typeof VARIABLE_RULES
  | "rows";

/** One line for each thing that keeps the answer from being shown; the rule's name in brackets at the end. */
export function resultMistakes(query: PanelQuery, frame: Frame): readonly string[] {
  return [
    ...broken(ANY_RULES, frame, query),
    ...(query.kind === "panel" ? broken(PANEL_RULES, frame, query) : []),
    ...(query.kind === "annotation" ? broken(ANNOTATION_RULES, frame, query) : []),
    ...(query.kind === "variable" ? broken(VARIABLE_RULES, frame, query) : []),
    ...emptiness(query, frame).map((line) => `${line} [rows]`),
  ].map((line) => `${query.where}: ${line}`);
}

function broken<Q>(rules: Readonly<Record<string, Rule<Q>>>, frame: Frame, query: Q): string[] {
  return Object.entries(rules).flatMap(([name, rule]) =>
    rule(frame, query).map((line) => `${line} [${name}]`),
  );
}

/** Rows are there, and in each column of numbers at least one is. */
function emptiness(query: PanelQuery, { columns, rows }: Frame): string[] {
  if (rows.length === 0) return ["no rows"];
  if (query.kind !== "panel") return [];
  return columns
    .filter(({ kind }, at) => kind === "number" && rows.every((row) => row[at] === null))
    .map(({ name }) => `${name} is NULL in every row`);
}

function timeMistakes({ columns, rows }: Frame): string[] {
  const at = columns.findIndex(({ kind }) => kind === "time");
  if (at < 0) return ["a series needs a time, and there is none"];
  const times = rows.map((row) => row[at]);
  return [
    ...(columns.filter(({ kind }) => kind === "time").length > 1
      ? ["a series has one time; remove the others"]
      : []),
    ...(times.includes(null) ? ["a time is NULL: Grafana refuses the answer"] : []),
    ...(times.some((time, i) => i > 0 && Number(time) < Number(times[i - 1]))
      ? ["times must rise: add ORDER BY"]
      : []),
  ];
}

function doublePoints({ columns, rows }: Frame): string[] {
  const keys = columns.flatMap(({ kind }, at) => (kind === "number" || kind === "decimal" ? [] : [at]));
  const seen = new Set<string>();
  for (const row of rows) {
    const key = keys.map((at) => String(row[at])).join("\u0000");
    if (seen.has(key))
      return [`two rows have the same time and labels (${key.replaceAll("\u0000", ", ")}): one is not shown`];
    seen.add(key);
  }
  return [];
}

/** What the number of a tile is taken from. */
function fieldMistakes({ columns }: Frame, options: Readonly<Record<string, unknown>>): string[] {
  const reduce = options["reduceOptions"];
  const fields =
    typeof reduce === "object" && reduce !== null && "fields" in reduce ? String(reduce.fields) : "";
  if (fields === "") {
    return columns.some(({ kind }) => kind === "number")
      ? []
      : ["it shows numbers, and there is none: name a field in reduceOptions.fields"];
  }
  const [, pattern] = /^\/(.*)\/$/.exec(fields) ?? [];
  const found = columns.some(({ name }) =>
    pattern === undefined ? name === fields : new RegExp(pattern).test(name),
  );
  return found
    ? []
    : [`reduceOptions.fields ${fields} finds none of ${columns.map(({ name }) => name).join(", ")}`];
}

function hasColumn({ columns }: Frame, wanted: string): boolean {
  return columns.some(({ name }) => name === wanted);
}

/** Columns that a panel means by name. Where a transformation makes columns, only what goes into it can be known. */
function namedColumns({ panel, target }: OfPanel): { readonly name: string; readonly by: string }[] {
  const { transformations, fieldConfig, options, targets } = panel;
  if (targets.length > 1) return [];
  const organized = transformations
    .filter(({ id }) => id === "organize")
    .flatMap(({ options: o }) =>
      ["excludeByName", "indexByName", "renameByName"].flatMap((key) => keysOf(o, key)),
    )
    .map((name) => ({ name, by: "the transformation organize" }));
  // A series is known by its labels, a transformed frame by what came out of it.
  if (transformations.length > 0 || target.format === 0) return organized;
  const overridden = fieldConfig.overrides.flatMap(({ matcher: { id, options: o } }) => [
    ...(id === "byName" ? [String(o)] : []),
    ...(id === "byNames" ? listOf(o, "names") : []),
  ]);
  const xField =
    panel.type === "barchart" && typeof options["xField"] === "string" ? [options["xField"]] : [];
  const shown = new Set(
    fieldConfig.overrides.flatMap(({ properties }) =>
      properties.filter(({ id }) => id === "displayName").map(({ value }) => String(value)),
    ),
  );
  const sorted = (Array.isArray(options["sortBy"]) ? options["sortBy"] : [])
    .map(({ displayName }) => String(displayName))
    .filter((name) => !shown.has(name));
  return [
    ...overridden.map((name) => ({ name, by: "an override" })),
    ...xField.map((name) => ({ name, by: "xField" })),
    ...sorted.map((name) => ({ name, by: "sortBy" })),
  ];
}

function labelsIn(panel: OfPanel["panel"]): string[] {
  const names = [panel.fieldConfig.defaults.displayName ?? ""];
  return names.flatMap((name) =>
    [...name.matchAll(/__field\.labels\.(\w+)/g)].map(([, label = ""]) => label),
  );
}

function keysOf(value: unknown, key: string): string[] {
  const inside =
    typeof value === "object" && value !== null
      ? Object.entries(value).find(([name]) => name === key)?.[1]
      : undefined;
  return typeof inside === "object" && inside !== null ? Object.keys(inside) : [];
}

function listOf(value: unknown, key: string): string[] {
  const inside =
    typeof value === "object" && value !== null
      ? Object.entries(value).find(([name]) => name === key)?.[1]
      : undefined;
  return Array.isArray(inside) ? inside.map(String) : [];
}

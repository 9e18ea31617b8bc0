// A rendered dashboard as far as tickwatch looks into it: panels in one list, their targets, variables, annotations, links. What
// is not named here is kept as it is. Knows the files and nothing of queries' results.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const JsonSchema = z.record(z.string(), z.unknown());
const SourceSchema = z.looseObject({ type: z.string().optional(), uid: z.string().optional() }).nullish();

const TargetSchema = z.looseObject({
  refId: z.string().default(""),
  datasource: SourceSchema,
  rawSql: z.string().optional(),
  format: z.unknown(),
  selectedFormat: z.unknown(),
  hide: z.boolean().default(false),
});
export type Target = z.output<typeof TargetSchema>;

const ThresholdsSchema = z.looseObject({
  steps: z.array(z.looseObject({ color: z.string().optional(), value: z.unknown() })).default([]),
});

const FieldDefaultsSchema = z.looseObject({
  unit: z.string().optional(),
  noValue: z.string().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  displayName: z.string().optional(),
  thresholds: ThresholdsSchema.optional(),
  mappings: z.array(JsonSchema).default([]),
  color: JsonSchema.optional(),
  links: z.array(JsonSchema).default([]),
  custom: JsonSchema.default({}),
});

const OverrideSchema = z.looseObject({
  matcher: z.looseObject({ id: z.string().default(""), options: z.unknown() }),
  properties: z.array(z.looseObject({ id: z.string().default(""), value: z.unknown() })).default([]),
});

const GridSchema = z.looseObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });

const panelShape = {
  id: z.number().optional(),
  type: z.string().default(""),
  title: z.string().default(""),
  description: z.string().default(""),
  gridPos: GridSchema.optional(),
  datasource: SourceSchema,
  targets: z.array(TargetSchema).default([]),
  fieldConfig: z
    .looseObject({
      defaults: FieldDefaultsSchema.prefault({}),
      overrides: z.array(OverrideSchema).default([]),
    })
    .prefault({}),
  options: JsonSchema.default({}),
  transformations: z.array(z.looseObject({ id: z.string().default(""), options: z.unknown() })).default([]),
  links: z.array(JsonSchema).default([]),
  interval: z.string().optional(),
  maxDataPoints: z.number().optional(),
  collapsed: z.boolean().optional(),
};
const InnerPanelSchema = z.looseObject(panelShape);
const PanelSchema = z.looseObject({ ...panelShape, panels: z.array(InnerPanelSchema).default([]) });
export type Panel = z.output<typeof InnerPanelSchema>;

const VariableSchema = z.looseObject({
  name: z.string().default(""),
  type: z.string().default(""),
  label: z.string().optional(),
  query: z.union([z.string(), JsonSchema]).optional(),
  current: z.looseObject({ text: z.unknown(), value: z.unknown() }).optional(),
  datasource: SourceSchema,
  regex: z.string().default(""),
});
export type Variable = z.output<typeof VariableSchema>;

const AnnotationSchema = z.looseObject({
  name: z.string().default(""),
  builtIn: z.number().optional(),
  datasource: SourceSchema,
  target: TargetSchema.optional(),
});
export type Annotation = z.output<typeof AnnotationSchema>;

const DashboardSchema = z.looseObject({
  uid: z.string().default(""),
  title: z.string().default(""),
  description: z.string().default(""),
  tags: z.array(z.string()).default([]),
  time: z.looseObject({ from: z.string(), to: z.string() }).optional(),
  timezone: z.string().optional(),
  refresh: z.unknown(),
  panels: z.array(PanelSchema).default([]),
  templating: z.looseObject({ list: z.array(VariableSchema).default([]) }).prefault({}),
  annotations: z.looseObject({ list: z.array(AnnotationSchema).default([]) }).prefault({}),
  links: z.array(JsonSchema).default([]),
});

export interface Dashboard {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly json: z.output<typeof DashboardSchema>;
  /** As it is in the file, without defaults. */
  readonly raw: unknown;
  /** Without the headers of rows, with what is folded into them; in the order of the file. */
  readonly panels: readonly Panel[];
  /** The headers of rows. */
  readonly rows: readonly z.output<typeof PanelSchema>[];
  /** Panels that are folded away until somebody opens their row, by id. */
  readonly folded: ReadonlySet<number | undefined>;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
}

/** Throws when the JSON is so wrong that nothing can be said of it. */
export function dashboardOf(name: string, json: unknown): Dashboard {
  const parsed = DashboardSchema.safeParse(json);
  if (!parsed.success) throw new Error(`${name}.json is no dashboard: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  return {
    name,
    json: data,
    raw: json,
    panels: data.panels.flatMap((panel) => (panel.type === "row" ? panel.panels : [panel])),
    rows: data.panels.filter(({ type }) => type === "row"),
    folded: new Set(data.panels.flatMap((row) => row.panels).map(({ id }) => id)),
    variables: data.templating.list,
    annotations: data.annotations.list,
  };
}

/** All rendered dashboards of a folder, by the name of their file. */
export function readDashboards(folder: string): readonly Dashboard[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) =>
      dashboardOf(file.replace(/\.json$/, ""), JSON.parse(readFileSync(join(folder, file), "utf8"))),
    );
}

/** A panel as people find it: its dashboard, number and title. */
export function panelName(dashboard: Dashboard, panel: Panel): string {
  return `${dashboard.name}, panel ${panel.id ?? "without a number"} "${panel.title}"`;
}

// Every query that Grafana would send for the dashboards: of panels, annotations and variables, ready for a range.
import type { Annotation, Dashboard, Panel, Target, Variable } from "./dashboard_file.ts";
import { panelName } from "./dashboard_file.ts";
import type { FrameReader } from "./frame.ts";
import { bucketMs, expandMacros, type QueryWindow } from "./macros.ts";
import { interpolate, type VariableValues } from "./variables.ts";

interface QueryCommon {
  readonly dashboard: Dashboard;
  /** Dashboard, panel and target in words. */
  readonly where: string;
  /** As it is in the file. */
  readonly rawSql: string;
  /** Points that the panel can show. */
  readonly pointsMax: number;
  readonly shortestMs: number;
}
export type PanelQuery = QueryCommon &
  (
    | { readonly kind: "panel"; readonly panel: Panel; readonly target: Target }
    | { readonly kind: "annotation"; readonly annotation: Annotation }
    | { readonly kind: "variable"; readonly variable: Variable }
  );

/** Width of a dashboard on a common screen. */
const SCREEN_PX = 1600;
const COLUMNS = 24;
/** The shortest bucket that the data source allows (timeInterval in its provisioning). */
const SHORTEST_MS = 1000;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Variables first, since the others need their values. */
export function queriesOf(dashboard: Dashboard): readonly PanelQuery[] {
  const whole = { dashboard, pointsMax: SCREEN_PX, shortestMs: SHORTEST_MS };
  return [
    ...dashboard.variables.flatMap((variable): PanelQuery[] => {
      const rawSql = variableSql(variable);
      const where = `${dashboard.name}, variable ${variable.name}`;
      return rawSql === undefined ? [] : [{ ...whole, kind: "variable", where, rawSql, variable }];
    }),
    ...dashboard.annotations.flatMap((annotation): PanelQuery[] => {
      const rawSql = annotation.target?.rawSql;
      const where = `${dashboard.name}, annotation "${annotation.name}"`;
      return rawSql === undefined ? [] : [{ ...whole, kind: "annotation", where, rawSql, annotation }];
    }),
    ...dashboard.panels.flatMap((panel) =>
      panel.targets.flatMap((target): PanelQuery[] => {
        const { rawSql } = target;
        if (rawSql === undefined) return [];
        const where = `${panelName(dashboard, panel)}, target ${target.refId}`;
        const pointsMax = panel.maxDataPoints ?? (SCREEN_PX * (panel.gridPos?.w ?? COLUMNS)) / COLUMNS;
        const shortestMs = Math.max(SHORTEST_MS, durationMs(panel.interval));
        return [{ dashboard, kind: "panel", where, rawSql, panel, target, pointsMax, shortestMs }];
      }),
    ),
  ];
}

/** The text that reaches QuestDB. Throws when a macro is used wrongly. */
export function sqlFor(
  query: PanelQuery,
  values: VariableValues,
  range: { readonly fromUs: number; readonly toUs: number },
): string {
  const { fromUs, toUs } = range;
  const rangeMs = (toUs - fromUs) / 1000;
  const window: QueryWindow = {
    fromUs,
    toUs,
    intervalMs: bucketMs(rangeMs, query.pointsMax, query.shortestMs),
  };
  return expandMacros(interpolate(query.rawSql, values, window), window);
}

/** The values of a dashboard's variables when All is chosen, asked in their order: a later one may use an earlier one. */
export async function allValues(
  dashboard: Dashboard,
  frames: FrameReader,
  range: { readonly fromUs: number; readonly toUs: number },
): Promise<VariableValues> {
  const values = new Map<string, readonly string[]>();
  for (const query of queriesOf(dashboard)) {
    if (query.kind !== "variable") continue;
    const { rows } = await frames.read(sqlFor(query, values, range));
    // Of two columns the first is the value, the second what people read.
    values.set(
      query.variable.name,
      rows.map(([value]) => String(value ?? "")),
    );
  }
  return values;
}

function variableSql({ type, query }: Variable): string | undefined {
  if (type !== "query") return undefined;
  const text = typeof query === "string" ? query : query?.["rawSql"];
  return typeof text === "string" ? text : undefined;
}

function durationMs(text: string | undefined): number {
  const [, amount, unit] = /^>?(\d+)(ms|s|m|h|d)$/.exec(text ?? "") ?? [];
  return amount === undefined ? 0 : Number(amount) * (UNITS_MS[unit ?? ""] ?? 0);
}

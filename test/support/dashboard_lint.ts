// The rules for dashboards that no type can state, as data: each has a name, so that a test can show it to bite, and says in words
// what is wrong, where, and what to do. The rules themselves are in dashboard_rules_*.ts.
import type { Dashboard, Panel } from "../../bench/panels/dashboard_file.ts";
import { panelName } from "../../bench/panels/dashboard_file.ts";

/** Finds what is wrong; one line each, ending with what to do. */
export type BoardRule = (dashboard: Dashboard) => readonly string[];
/** Lines about one panel; the panel's name is put before them. */
export type PanelRule = (panel: Panel, dashboard: Dashboard) => readonly string[];
/** What only all of them together can have wrong. */
export type SetRule = (dashboards: readonly Dashboard[]) => readonly string[];

export type Rules<R> = Readonly<Record<string, R>>;

export interface Lint {
  readonly boards: Rules<BoardRule>;
  readonly panels: Rules<PanelRule>;
  readonly sets: Rules<SetRule>;
}

/** A finding: the rule's name in brackets at the end, for whoever wants to read the rule. */
export function lintDashboards(
  { boards, panels, sets }: Lint,
  dashboards: readonly Dashboard[],
): readonly string[] {
  return [
    ...dashboards.flatMap((dashboard) => [
      ...each(boards, (rule) => rule(dashboard).map((line) => `${dashboard.name}: ${line}`)),
      ...dashboard.panels.flatMap((panel) =>
        each(panels, (rule) =>
          rule(panel, dashboard).map((line) => `${panelName(dashboard, panel)}: ${line}`),
        ),
      ),
    ]),
    ...each(sets, (rule) => rule(dashboards)),
  ];
}

function each<R>(rules: Rules<R>, apply: (rule: R) => readonly string[]): string[] {
  return Object.entries(rules).flatMap(([name, rule]) => apply(rule).map((line) => `${line} [${name}]`));
}

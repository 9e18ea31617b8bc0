// The rendered dashboards as the suite needs them: which panels ask something, which variables fill from a query, and how tall a
// window shows everything.
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { type Dashboard, type Panel, readDashboards } from "../../bench/panels/dashboard_file.ts";

export interface ShownPanel {
  readonly id: number;
  readonly refIds: readonly string[];
}

export interface ShownDashboard {
  readonly uid: string;
  readonly title: string;
  /** Panels with queries that show at once, and those in rows that are closed. */
  readonly open: readonly ShownPanel[];
  readonly folded: readonly ShownPanel[];
  /** SQL by the name of the variable. */
  readonly variables: ReadonlyMap<string, string>;
  /** Height that shows all of it, px. */
  readonly heightPx: number;
}

const FOLDER = fileURLToPath(new URL("../../provisioning/dashboards/files/tickwatch/", import.meta.url));
/** A step of Grafana's grid with its gap, and what stands above the grid. */
const STEP_PX = 38;
const HEAD_PX = 160;

/** All of them, in order of their files. */
export function shownDashboards(): ShownDashboard[] {
  return readDashboards(FOLDER).map(shown);
}

function shown({ json, panels, rows, folded, variables }: Dashboard): ShownDashboard {
  const asking = panels.flatMap((panel) => shownPanel(panel) ?? []);
  const steps = [...panels, ...rows]
    .filter(({ id }) => !folded.has(id))
    .map(({ gridPos }) => (gridPos === undefined ? 0 : gridPos.y + gridPos.h));
  return {
    ...{ uid: json.uid, title: json.title },
    open: asking.filter(({ id }) => !folded.has(id)),
    folded: asking.filter(({ id }) => folded.has(id)),
    variables: new Map(
      variables.filter(({ type }) => type === "query").map(({ name, query }) => [name, sqlOf(query)]),
    ),
    heightPx: HEAD_PX + Math.max(...steps) * STEP_PX,
  };
}

function shownPanel({ id, targets }: Panel): ShownPanel | undefined {
  const refIds = targets
    .filter(({ rawSql, hide }) => rawSql !== undefined && !hide)
    .map(({ refId }) => refId);
  return id === undefined || refIds.length === 0 ? undefined : { id, refIds };
}

function sqlOf(query: unknown): string {
  if (typeof query === "string") return query;
  return z.object({ rawSql: z.string() }).parse(query).rawSql;
}

// Every query of every dashboard, as Grafana sends it, runs on the real tables and answers with what its panel needs.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Dashboard, dashboardOf, readDashboards } from "../../bench/panels/dashboard_file.ts";
import { allValues, type PanelQuery, queriesOf, sqlFor } from "../../bench/panels/panel_queries.ts";
import type { VariableValues } from "../../bench/panels/variables.ts";
import { type DashboardDatabase, startDashboardDatabase } from "../support/dashboard_database.ts";
import { mayBeEmpty, RENDERED, unneededExcuses } from "../support/dashboard_exceptions.ts";
import { resultMistakes } from "../support/dashboard_results.ts";
import { dashboardRows } from "../support/dashboard_rows.ts";
import { sampleDashboard } from "../support/dashboard_sample.ts";

const DASHBOARDS = readDashboards(RENDERED);
const HOUR_US = 3_600_000_000;
const RANGES_H = [1, 24, 7 * 24, 90 * 24];

let database: DashboardDatabase;
let nowUs = Date.UTC(2026, 0, 1) * 1000;

beforeAll(async () => {
  database = await startDashboardDatabase();
});
afterAll(() => database.remove());

/** Runs one query; what went wrong as lines, a refusal of the server among them. */
async function mistakesOf(
  query: PanelQuery,
  values: VariableValues,
  hours: number,
): Promise<readonly string[]> {
  const range = { fromUs: nowUs - hours * HOUR_US, toUs: nowUs };
  try {
    return resultMistakes(query, await database.frames.read(sqlFor(query, values, range)));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return [`${query.where}: QuestDB says: ${said} [refused]`];
  }
}

async function mistakesIn(
  dashboard: Dashboard,
  hours: number,
  chosen?: VariableValues,
): Promise<readonly string[]> {
  const range = { fromUs: nowUs - hours * HOUR_US, toUs: nowUs };
  const values = chosen ?? (await allValues(dashboard, database.frames, range));
  const lines: string[] = [];
  for (const query of queriesOf(dashboard)) lines.push(...(await mistakesOf(query, values, hours)));
  return lines;
}

const isRefused = (line: string) => line.endsWith("[refused]");
const isEmpty = (line: string) => line.endsWith("[rows]");

describe("on tables without a row", () => {
  test.each(DASHBOARDS)("$name asks for nothing that QuestDB refuses", async (dashboard) => {
    const lines = await mistakesIn(dashboard, 6);
    expect(lines.filter((line) => !isEmpty(line))).toEqual([]);
  });
});

describe("on tables with rows", () => {
  beforeAll(async () => {
    nowUs = await database.fill(dashboardRows);
  });

  for (const hours of RANGES_H) {
    test.each(DASHBOARDS)(`$name shows its last ${hours} hours`, async (dashboard) => {
      const lines = await mistakesIn(dashboard, hours);
      expect(lines.filter((line) => !isEmpty(line) || !mayBeEmpty(line))).toEqual([]);
    });
  }

  test.each(DASHBOARDS)(
    "$name keeps to SQL when one value is chosen, whatever is in it",
    async (dashboard) => {
      const chosen = new Map(dashboard.variables.map(({ name }) => [name, ["it's'); DROP TABLE pnl --"]]));
      const lines = await mistakesIn(dashboard, 6, chosen);
      expect(lines.filter(isRefused)).toEqual([]);
    },
  );

  test("a query that QuestDB refuses is reported with its panel and the reason", async () => {
    const sample = sampleDashboard();
    sample.panels[3].targets[0].rawSql =
      "SELECT ts AS time, latency FROM connections WHERE $__timeFilter(ts)";
    const lines = await mistakesIn(dashboardOf("sample", sample), 1);
    expect(lines.filter(isRefused)).toEqual([
      'sample, panel 101 "Samples over time", target A: QuestDB says: Invalid column: latency [refused]',
    ]);
    expect(lines.filter((line) => !isRefused(line))).toEqual([]);
  });

  test("nothing is excused from having rows that has some at every range", () => {
    expect(unneededExcuses()).toEqual([]);
  });
});

// The rendered dashboards, as Grafana reads them, keep the form of Grafana's types and the rules of this house.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDashboards } from "../../bench/panels/dashboard_file.ts";
import { RENDERED, withoutExceptions } from "../support/dashboard_exceptions.ts";
import { lintDashboards } from "../support/dashboard_lint.ts";
import { LINT } from "../support/dashboard_rules.ts";
import { shapeMistakes } from "../support/dashboard_shapes.ts";

test("every dashboard has the form of Grafana's types", () => {
  const files = readdirSync(RENDERED).filter((name) => name.endsWith(".json"));
  const mistakes = files.flatMap((name) =>
    shapeMistakes(name.replace(/\.json$/, ""), JSON.parse(readFileSync(join(RENDERED, name), "utf8"))),
  );
  expect(mistakes).toEqual([]);
});

test("every dashboard keeps the rules, but for exceptions that are written down with their reason", () => {
  expect(withoutExceptions(lintDashboards(LINT, readDashboards(RENDERED)))).toEqual([]);
});

// Every rendered dashboard keeps the house's rules for dashboards; and every rule, broken in a dashboard that is otherwise sound, is
// reported with the place and with what to do.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { dashboardOf, readDashboards } from "../../bench/panels/dashboard_file.ts";
import { lintDashboards } from "../support/dashboard_lint.ts";
import { LINT } from "../support/dashboard_rules.ts";
import { otherDashboard, sampleDashboard } from "../support/dashboard_sample.ts";

type RuleName = keyof (typeof LINT)["boards"] | keyof (typeof LINT)["panels"] | keyof (typeof LINT)["sets"];
type Sample = ReturnType<typeof sampleDashboard>;

function findings(sample: Sample, other: Sample = otherDashboard()): readonly string[] {
  return lintDashboards(LINT, [dashboardOf("sample", sample), dashboardOf("other", other)]);
}

test("a sound dashboard has no findings", () => {
  expect(findings(sampleDashboard())).toEqual([]);
});

test("a folder's dashboards are read by name, and one that cannot be read is named with the reason", () => {
  const folder = mkdtempSync(join(tmpdir(), "tickwatch-dashboards-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, json: unknown) => writeFileSync(join(folder, name), JSON.stringify(json));
  write("sample.json", sampleDashboard());
  write("other.json", otherDashboard());
  expect(lintDashboards(LINT, readDashboards(folder))).toEqual([]);
  write("broken.json", { ...sampleDashboard(), panels: [{ id: "1" }] });
  expect(() => readDashboards(folder)).toThrow(/broken\.json is no dashboard[\s\S]*panels\[0\]\.id/);
});

/** Panels of the sample: 0–2 tiles, 3 time series, 4 table, 5 state timeline, 6 a row with logs. */
const series = (sample: Sample) => sample.panels[3];
const defaults = (panel: Sample) => panel.fieldConfig.defaults;
const sql = (panel: Sample, from: string | RegExp, to: string) => {
  panel.targets[0].rawSql = panel.targets[0].rawSql.replace(from, to);
};

/** For each rule one way to break it, and words that must be in what is said. */
const BROKEN: Readonly<Record<RuleName, readonly [break_: (sample: Sample) => void, said: string]>> = {
  title: [(s) => (s.title = "Sample"), 'write "tickwatch / Subject"'],
  description: [(s) => delete s.description, "which question"],
  "panel title": [(s) => (series(s).title = " "), "panel 101"],
  "panel description": [(s) => (series(s).description = "Samples."), "what is shown, from which table"],
  uid: [(s) => (s.uid = "tickwatch-simple"), "need tickwatch-sample"],
  tags: [(s) => s.tags.pop(), 'add the tag "generated"'],
  readonly: [(s) => (s.editable = true), "set editable to false"],
  range: [(s) => (s.timezone = "Europe/Berlin"), "until the viewer chooses"],
  refresh: [(s) => (s.refresh = "1s"), "every 5 s at most"],
  crosshair: [(s) => (s.graphTooltip = 0), "shared crosshair"],
  ids: [(s) => (s.panels[6].panels[0].id = 101), "two panels have the id 101"],
  grid: [(s) => (s.panels[4].gridPos.x = 11), '"Samples over time" and panel 102 "Latest samples" overlap'],
  overview: [(s) => (s.panels[0].type = "text"), "begin with at least three"],
  variables: [(s) => (s.templating.list[0].allValue = ".*"), "must have no allValue"],
  used: [
    (s) => {
      s.templating.list.push({ ...s.templating.list[0], name: "account" });
    },
    "nothing uses the variable account",
  ],
  annotations: [(s) => (s.annotations.list[1].target.format = 0), "strings become labels"],
  dropdown: [(s) => (s.links[0].includeVars = false), "needs includeVars"],
  "macros of annotations and variables": [
    (s) => (s.templating.list[0].query += " LIMIT $__interval"),
    "variable exchange: $__interval",
  ],
  "unique uids": [(s) => (s.uid = "tickwatch-other"), "sample and other have the uid"],
  "same variables": [(s) => (s.templating.list[0].label = "Venue"), "differs from the one of"],
  "links lead somewhere": [
    (s) =>
      (defaults(s.panels[4]).links[0].url = "/d/tickwatch-nowhere?${__url_time_range}&${__all_variables}"),
    "leads to no dashboard of ours",
  ],
  "events on curves": [(s) => (s.annotations.list = [s.annotations.list[0]]), "it marks no events"],
  reachable: [(s) => (s.tags = ["sample"]), "no other dashboard links to it"],
  unit: [(s) => delete defaults(series(s)).unit, "set fieldConfig.defaults.unit"],
  noValue: [(s) => delete defaults(series(s)).noValue, "set noValue"],
  thresholds: [(s) => (defaults(series(s)).thresholds.steps[0].value = 0), "needs the value null"],
  min: [(s) => delete defaults(series(s)).min, "set min"],
  targets: [(s) => (series(s).targets[0].hide = true), "is hidden"],
  datasource: [(s) => (series(s).targets[0].datasource.uid = "QuestDB"), "take questdb from"],
  format: [(s) => (series(s).targets[0].selectedFormat = 2), "must equal format"],
  "no range of its own": [(s) => (series(s).timeFrom = "1h"), "remove timeFrom"],
  "not repeated": [(s) => (series(s).repeat = "exchange"), "do not repeat"],
  "named series": [(s) => delete defaults(series(s)).displayName, "set displayName"],
  "unit exists": [(s) => (defaults(series(s)).unit = "second"), 'no unit "second"'],
  "calculation exists": [(s) => (series(s).options.legend.calcs = ["lastNonNull"]), "is it one of last"],
  "colour exists": [
    (s) => (defaults(series(s)).thresholds.steps[1].color = "crimson"),
    'no colour "crimson"',
  ],
  "matcher exists": [
    (s) => series(s).fieldConfig.overrides.push({ matcher: { id: "byRegex", options: "x" }, properties: [] }),
    "is it one of byRegexp",
  ],
  "override exists": [
    (s) =>
      series(s).fieldConfig.overrides.push({
        ...{ matcher: { id: "byName", options: "x" }, properties: [{ id: "custom.lineWdith", value: 2 }] },
      }),
    "which a timeseries does not have",
  ],
  "transformation exists": [
    (s) => (series(s).transformations = [{ id: "organise", options: {} }]),
    "is it one of organize",
  ],
  "known macros": [(s) => sql(series(s), "$__sampleByInterval", "$__interval"), "use $__sampleByInterval"],
  "quoted variables": [
    (s) => sql(series(s), "${exchange:sqlstring}", "$exchange"),
    "write ${exchange:sqlstring}",
  ],
  "no star": [(s) => sql(s.panels[4], "ts, exchange, downtime_ms", "*"), "name them"],
  "one statement": [(s) => sql(s.panels[4], /$/, ";"), "no semicolons"],
  limit: [(s) => sql(s.panels[4], "LIMIT 100", ""), "needs a LIMIT"],
  "rollup for long ranges": [
    (s) => sql(series(s), "FROM connections", "FROM fetches"),
    "beyond 24 h read fetches_1m or fetches_1h",
  ],
  "rising time": [(s) => sql(s.panels[5], "ORDER BY ts", "ORDER BY ts DESC"), "rising order"],
  "follows the range": [
    (s) => sql(series(s), "$__timeFilter(ts)", "ts > dateadd('h', -1, now())"),
    "ignores the dashboard's range",
  ],
};

describe("a broken rule is reported", () => {
  test.each(Object.entries(BROKEN))("%s", (rule, [break_, said]) => {
    const sample = sampleDashboard();
    break_(sample);
    const lines = findings(sample).filter((line) => line.endsWith(`[${rule}]`));
    expect(lines.join("\n")).toContain(said);
    expect(lines.join("\n")).toContain("sample");
  });
});

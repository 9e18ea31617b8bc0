// Dashboards have the form that Grafana's own types state: each rendered one, and, so that the check is known to bite, not one with
// any of these mistakes. The schema and the lists are what `npm run grafana-facts` wrote.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../scripts/grafana_facts.ts";
import { shapesModule } from "../../scripts/grafana_shapes.ts";
import { otherDashboard, sampleDashboard } from "../support/dashboard_sample.ts";
import { shapeMistakes } from "../support/dashboard_shapes.ts";

type Sample = ReturnType<typeof sampleDashboard>;

test("a sound dashboard has the form", () => {
  expect(shapeMistakes("sample", sampleDashboard())).toEqual([]);
  expect(shapeMistakes("other", otherDashboard())).toEqual([]);
});

/** Panels of the sample: 0–2 tiles, 3 time series, 4 table, 5 state timeline, 6 a row with logs. */
const series = (sample: Sample) => sample.panels[3];
const custom = (panel: Sample) => panel.fieldConfig.defaults.custom;
const MAPPING = { type: "values", options: {} };

/** What is done to the sample, and the words that must be in what is said of it. */
const MISTAKES: readonly (readonly [what: string, (sample: Sample) => void, said: string])[] = [
  [
    "a key of the dashboard",
    (s) => (s.graphToolTip = 1),
    'it has "graphToolTip", which Grafana does not read',
  ],
  ["a value of graphTooltip", (s) => (s.graphTooltip = 3), "it must be one of [1,0,2]"],
  [
    "a key of a panel",
    (s) => (series(s).desription = "x"),
    'panel 101 "Samples over time": it has "desription"',
  ],
  ["a key in a folded panel", (s) => (s.panels[6].panels[0].tilte = "x"), 'panel 201 "Log": it has "tilte"'],
  ["a key of a row", (s) => (s.panels[6].colapsed = true), 'panel 200 "Lines": it has "colapsed"'],
  [
    "an unknown kind of panel",
    (s) => (series(s).type = "timeserie"),
    'no form is known for the kind "timeserie"',
  ],
  ["options of another kind of panel", (s) => (series(s).type = "stat"), 'options has "legend"'],
  ["an option", (s) => (series(s).options.legends = {}), 'options has "legends"'],
  ["a nested option", (s) => (series(s).options.legend.placment = "right"), 'options.legend has "placment"'],
  [
    "a mode of the tooltip",
    (s) => (series(s).options.tooltip.mode = "all"),
    'one of ["multi","none","single"]',
  ],
  ["a colour mode", (s) => (s.panels[0].options.colorMode = "backgroud"), "options.colorMode is"],
  ["a custom setting", (s) => (custom(series(s)).lineWdith = 1), 'custom has "lineWdith"'],
  ["a custom value", (s) => (custom(series(s)).showPoints = "allways"), "custom.showPoints is"],
  [
    "a custom setting of another kind",
    (s) => (custom(series(s)).cellOptions = {}),
    'custom has "cellOptions"',
  ],
  ["a default of a field", (s) => (series(s).fieldConfig.defaults.units = "s"), 'defaults has "units"'],
  ["a type of a default", (s) => (series(s).fieldConfig.defaults.min = "0"), "must be number"],
  [
    "a mode of thresholds",
    (s) => (series(s).fieldConfig.defaults.thresholds.mode = "abs"),
    "thresholds.mode is",
  ],
  ["a kind of mapping", (s) => (s.panels[5].fieldConfig.defaults.mappings = [MAPPING]), "mappings.0.type is"],
  [
    "rawSQL for rawSql",
    (s) => (series(s).targets = [misspelt(series(s).targets[0])]),
    'targets.0 lacks "rawSql"',
  ],
  ["format 2, which means logs", (s) => (series(s).targets[0].format = 2), "it must be one of [0,1]"],
  ["a missing width", (s) => delete series(s).gridPos.w, 'gridPos lacks "w"'],
  ["a missing title", (s) => delete series(s).title, 'it lacks "title"'],
  [
    "a kind of variable",
    (s) => (s.templating.list[0].type = "querry"),
    'variable "exchange": type is "querry"',
  ],
  ["a key of a variable", (s) => (s.templating.list[0].includeall = true), 'it has "includeall"'],
  [
    "a key of an annotation",
    (s) => (s.annotations.list[1].colour = "red"),
    'annotation "Connections": it has "colour"',
  ],
  ["a kind of link", (s) => (s.links[0].type = "dashboard"), 'one of ["link","dashboards"]'],
];

function misspelt({ rawSql, ...rest }: Sample): Sample {
  return { ...rest, rawSQL: rawSql };
}

describe("a dashboard with a mistake is caught", () => {
  test.each(MISTAKES)("%s", (_, make, said) => {
    const sample = sampleDashboard();
    make(sample);
    const lines = shapeMistakes("sample", sample);
    expect(lines.join("\n")).toContain(said);
    expect(lines.length).toBeLessThan(6);
  });
});

test("the facts about Grafana are what the script wrote, and were not changed by hand", () => {
  const folder = join(import.meta.dirname, "../support/grafana_facts");
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const { sha256: sums } = JSON.parse(read("manifest.json"));
  const texts: Record<string, string> = {
    "shapes.ts": shapesModule(),
    "names.json": read("names.json"),
    "shapes.json": read("shapes.json"),
  };
  const now = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, sha256(text)]));
  expect(now, "run `npm run grafana-facts`").toEqual(sums);
  expect(sha256(`${texts["names.json"]} `)).not.toBe(sums["names.json"]);
});

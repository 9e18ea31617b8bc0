// What an answer must be for its panel: each rule, broken, is reported.
import { describe, expect, test } from "vitest";
import { dashboardOf } from "../../bench/panels/dashboard_file.ts";
import type { ColumnKind, Frame } from "../../bench/panels/frame.ts";
import { type PanelQuery, queriesOf } from "../../bench/panels/panel_queries.ts";
import { type ResultRule, resultMistakes } from "../support/dashboard_results.ts";
import { sampleDashboard } from "../support/dashboard_sample.ts";

function frame(
  columns: Readonly<Record<string, ColumnKind>>,
  ...rows: readonly (readonly unknown[])[]
): Frame {
  return { columns: Object.entries(columns).map(([name, kind]) => ({ name, kind })), rows };
}

type Sample = ReturnType<typeof sampleDashboard>;

/** Query of the sample by a part of its name. */
function query(part: string, change: (sample: Sample) => void = () => undefined): PanelQuery {
  const sample = sampleDashboard();
  change(sample);
  const found = queriesOf(dashboardOf("sample", sample)).find(({ where }) => where.includes(part));
  if (found === undefined) throw new Error(`no query ${part}`);
  return found;
}

const TIME_SERIES = { time: "time", exchange: "text", samples: "number" } as const;
const TILES = { exchange: "text", samples: "number" } as const;
const STATES = { time: "time", exchange: "text", state: "number" } as const;
const LATEST = { ts: "time", exchange: "text", downtime_ms: "number" } as const;

const SOUND: readonly (readonly [string, Frame])[] = [
  ["panel 1 ", frame(TILES, ["okx", 3])],
  ["panel 101", frame(TIME_SERIES, [1, "okx", 3], [1, "gate", 4], [2, "okx", null])],
  ["panel 102", frame(LATEST, [2, "okx", 3], [1, "okx", 3])],
  ["panel 103", frame(STATES, [1, "okx", 0], [2, "okx", 1], [3, "okx", null])],
  ["panel 201", frame(LATEST, [2, "okx", 3])],
  ["annotation", frame({ time: "time", text: "text", tags: "text" }, [1, "okx", "okx"])],
  ["variable", frame({ exchange: "text" }, ["okx"])],
];

test.each(SOUND)("an answer that fits is let through: %s", (part, answer) => {
  expect(resultMistakes(query(part), answer)).toEqual([]);
});

const noField = (sample: Sample) => (sample.panels[0].options.reduceOptions.fields = "/^count$/");
const sortByRate = (sample: Sample) => (sample.panels[4].options.sortBy[0].displayName = "rate");
const tooMany = Array.from({ length: 50_001 }, (_, i) => [i, "okx", i]);

/** For each rule an answer that breaks it, and words that must be in what is said. */
const BROKEN: Readonly<Record<ResultRule, readonly [PanelQuery, Frame, string]>> = {
  "unique columns": [
    query("panel 102"),
    { columns: [...frame(LATEST).columns, { name: "ts", kind: "time" }], rows: [[1, "okx", 2, 1]] },
    "two columns are called ts",
  ],
  "no decimals": [
    query("panel 1 "),
    frame({ ...TILES, fee: "decimal" }, ["okx", 3, "1.2"]),
    "fee is a DECIMAL",
  ],
  size: [query("panel 101"), frame(TIME_SERIES, ...tooMany), "too many for a browser"],
  "one rising time": [
    query("panel 101"),
    frame(TIME_SERIES, [2, "okx", 3], [1, "okx", 3]),
    "times must rise",
  ],
  "numbers in a series": [
    query("panel 101"),
    frame({ time: "time", exchange: "text", up: "boolean" }, [1, "okx", true]),
    "a series needs a number",
  ],
  "one point a moment": [
    query("panel 101"),
    frame(TIME_SERIES, [1, "okx", 3], [1, "okx", 4]),
    "the same time and labels",
  ],
  "field that is shown": [
    query("panel 1 ", noField),
    frame(TILES, ["okx", 3]),
    "/^count$/ finds none of exchange, samples",
  ],
  "columns by name": [
    query("panel 102", sortByRate),
    frame(LATEST, [1, "okx", 3]),
    "sortBy means the column rate",
  ],
  "labels by name": [
    query("panel 101"),
    frame({ time: "time", n: "number" }, [1, 2]),
    "the label exchange, which the query does not select",
  ],
  "mapped states": [
    query("panel 103"),
    frame(STATES, [1, "okx", 2]),
    "state is 2, and no mapping says what that is",
  ],
  "a time for logs": [query("panel 201"), frame(TILES, ["okx", 1]), "logs need a time first"],
  "time and text": [
    query("annotation"),
    frame({ time: "time", title: "text" }, [1, "x"]),
    "needs a column text",
  ],
  "values as text": [
    query("variable"),
    frame({ n: "number" }, [1]),
    "one or two columns of text, not n (number)",
  ],
  rows: [query("panel 101"), frame(TIME_SERIES, [1, "okx", null]), "samples is NULL in every row"],
};

describe("an answer that does not fit is reported", () => {
  test.each(Object.entries(BROKEN))("%s", (rule, [asked, answer, said]) => {
    const lines = resultMistakes(asked, answer).filter((line) => line.endsWith(`[${rule}]`));
    expect(lines.join("\n")).toContain(said);
    expect(lines.join("\n")).toContain(asked.where);
  });

  test.each([
    [frame({ time: "number", samples: "number" }, [1, 2]), "a series needs a time"],
    [frame({ time: "time", seen: "time", samples: "number" }, [1, 1, 2]), "one time"],
    [frame(TIME_SERIES, [null, "okx", 3]), "a time is NULL"],
    [frame({ ...TIME_SERIES, up: "boolean" }, [1, "okx", 3, true]), "up is a boolean"],
    [frame(TIME_SERIES), "no rows"],
  ])("a series that Grafana refuses or misreads (%#)", (answer, said) => {
    expect(resultMistakes(query("panel 101"), answer).join("\n")).toContain(said);
  });
});

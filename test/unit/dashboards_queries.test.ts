// Queries are prepared for the tests and the benchmark as Grafana and its QuestDB data source prepare them: macros, variables, and
// the length of a bucket.
import { describe, expect, test } from "vitest";
import { bucketMs, expandMacros, sampleBy } from "../../bench/panels/macros.ts";
import { interpolate, referencesIn } from "../../bench/panels/variables.ts";

const FROM_US = Date.UTC(2024, 0, 20, 12, 34, 56, 789) * 1000;
const WINDOW = { fromUs: FROM_US, toUs: FROM_US + 3_600_000_000, intervalMs: 300_000 };
const FROM = `cast(${FROM_US} as timestamp)`;
const TO = `cast(${FROM_US + 3_600_000_000} as timestamp)`;

describe("a macro comes out as the data source writes it", () => {
  test.each([
    ["WHERE $__timeFilter(ts) AND x", `WHERE ts >= ${FROM} AND ts <= ${TO} AND x`],
    ["$__timeFilter(coalesce(a, b))", `coalesce(a, b) >= ${FROM} AND coalesce(a, b) <= ${TO}`],
    ["datediff('h', $__fromTime, $__toTime)", `datediff('h', ${FROM}, ${TO})`],
    ["$__fromTime() - 1", `${FROM} - 1`],
    ["$__timeFrom(ts) AND $__timeTo(ts)", "ts >= '2024-01-20T12:34:56Z' AND ts <= '2024-01-20T13:34:56Z'"],
    ["SAMPLE BY $__sampleByInterval", "SAMPLE BY 300s"],
    ["$__interval_ms / 1000", "300000 / 1000"],
  ])("%s", (sql, expanded) => {
    expect(expandMacros(sql, WINDOW)).toBe(expanded);
  });

  test.each(["$__timeGroup(ts, '5m')", "$__timeFilter ts", "$__timeFilter(ts", "$__nothing"])(
    "%s is refused",
    (sql) => {
      expect(() => expandMacros(sql, WINDOW)).toThrow("$__");
    },
  );
});

test.each([
  [0, "1T"],
  [10, "10T"],
  [1_500, "1s"],
  [60_000, "60s"],
  [300_000, "300s"],
  [5_400_000, "1h"],
  [86_400_000, "1d"],
  [129_600_000, "1d"],
  [90_000_001, "25h"],
])("a bucket of %d ms is sampled by %s: whole units, rounded down", (ms, text) => {
  expect(sampleBy(ms)).toBe(text);
});

test.each([
  ["1 h on 1,000 points", 3_600_000, 1000, 1000, 5_000],
  ["1 h with a bucket of a minute at least", 3_600_000, 1000, 60_000, 60_000],
  ["24 h on 1,000 points", 86_400_000, 1000, 1000, 60_000],
  ["30 days on 1,000 points", 30 * 86_400_000, 1000, 1000, 1_800_000],
  ["90 days on 500 points", 90 * 86_400_000, 500, 1000, 10_800_000],
  ["ten years on 100 points", 3650 * 86_400_000, 100, 1000, 30 * 86_400_000],
])("%s gives the bucket that Grafana takes", (_, rangeMs, points, shortestMs, bucket) => {
  expect(bucketMs(rangeMs, points, shortestMs)).toBe(bucket);
});

describe("a variable comes out as Grafana writes it", () => {
  const values = new Map([
    ["exchange", ["binance", "o'kex"]],
    ["symbol", ["BTC/USDT:USDT"]],
  ]);

  test.each([
    ["IN (${exchange:sqlstring})", "IN ('binance','o''kex')"],
    ["= ${symbol:sqlstring}", "= 'BTC/USDT:USDT'"],
    ["'$symbol'", "'BTC/USDT:USDT'"],
    ["IN ($exchange)", "IN ('binance','o'kex')"],
    ["[[exchange:csv]]", "binance,o'kex"],
    ["~ '${exchange:regex}'", "~ '(binance|o'kex)'"],
    ["$__timeFilter(ts) AND $unknown", "$__timeFilter(ts) AND $unknown"],
    ["$__from and ${__to}", "1705754096789 and 1705757696789"],
    ["$__interval, $__interval_ms, $__range_s", "5m, 300000, 3600"],
  ])("%s", (sql, text) => {
    expect(interpolate(sql, values, WINDOW)).toBe(text);
  });

  test("a format that nobody uses is refused rather than guessed", () => {
    expect(() => interpolate("${exchange:lucene}", values, WINDOW)).toThrow(":lucene");
  });

  test("every mention is found, with its format", () => {
    expect(
      referencesIn("$a ${b:sqlstring} [[c:csv]] $__d(x)").map(({ name, format }) => [name, format]),
    ).toEqual([
      ["a", undefined],
      ["b", "sqlstring"],
      ["c", "csv"],
      ["__d", undefined],
    ]);
  });
});

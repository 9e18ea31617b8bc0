// A definition of a rollup that could not work is refused at once, and what is generated from it names everything.
import { expect, test } from "vitest";
import { defineRollup, rowCount } from "../../schema/define_rollup.ts";
import { fills } from "../../schema/events/fills.ts";
import { columnsLibsonnet, eventsMarkdown, rollupsSql } from "../../schema/generate.ts";
import { findEvent } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";

const SPEC = { base: fills, step: "1h", why: "x", columns: { n: rowCount("n") } } as const;

test("a rollup is named after its table and step, keeps its rows longer than its table, and is refreshed every minute", () => {
  const rollup = defineRollup({ ...SPEC, keys: ["exchange"] });
  expect(rollup.name).toBe("fills_1h");
  expect(rollup.createSql).toContain('WITH BASE "fills" REFRESH EVERY 1m');
  expect(rollup.createSql).toMatch(/PARTITION BY MONTH TTL 24 MONTHS$/);
  for (const { base, ttl } of ROLLUPS) {
    expect(ttl.value * (ttl.unit === "YEAR" ? 365 : 28)).toBeGreaterThan(findEvent(base)?.ttlDays ?? 0);
  }
});

test("a key that is none of the table, and a column that takes a name already taken, are refused", () => {
  expect(() => defineRollup({ ...SPEC, keys: ["symbol"] })).toThrow('"symbol" is no key of fills');
  expect(() => defineRollup({ ...SPEC, keys: ["exchange"], columns: { exchange: rowCount("") } })).toThrow(
    '"exchange" cannot be a column',
  );
  expect(() => defineRollup({ ...SPEC, keys: [], columns: { 'n"': rowCount("") } })).toThrow(
    "cannot be a column",
  );
});

test("every rollup and column of it is in every generated text", () => {
  const [sql, jsonnet, markdown] = [
    rollupsSql(ROLLUPS),
    columnsLibsonnet([], ROLLUPS),
    eventsMarkdown([], ROLLUPS),
  ];
  for (const { name, keys, columns } of ROLLUPS) {
    expect(sql).toContain(`CREATE MATERIALIZED VIEW IF NOT EXISTS "${name}"`);
    expect(jsonnet).toContain(`_table: '${name}'`);
    expect(markdown).toContain(`### ${name}`);
    for (const column of [...keys, ...Object.keys(columns)])
      expect(jsonnet).toMatch(new RegExp(`${column}'?: '${column}'`));
  }
});

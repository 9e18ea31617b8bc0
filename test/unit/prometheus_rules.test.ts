// The rules that watch the service from outside: each names metrics that exist, fires on what it is for (promtool's own
// unit tests, where promtool is installed), and has a test of it.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { METRICS } from "../../ingest/metrics/catalog.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const FOLDER = join(import.meta.dirname, "../../provisioning/prometheus");
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");

const rule = z.object({ expr: z.string(), alert: z.string().optional(), record: z.string().optional() });
const file = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) });
const rulesOf = (text: string) => file.parse(parse(text)).groups.flatMap(({ rules }) => rules);

const recorded = rulesOf(read("recording_rules.yml"));
const alerts = rulesOf(read("alert_rules.yml"));

/** Names of metrics in expressions that nothing makes. */
function unknownMetrics(expressions: readonly string[], records: readonly string[]): string[] {
  const made = new Set<string>([...Object.keys(METRICS), ...records]);
  const named = expressions.flatMap((text) => text.match(/[\w:]*tickwatch_[\w:]+/g) ?? []);
  return named.filter((name) => !made.has(name) && !made.has(name.replace(/_(bucket|sum|count)$/, "")));
}

test("every rule asks for metrics that the service has", () => {
  const records = recorded.map(({ record = "" }) => record);
  const expressions = [...recorded, ...alerts].map(({ expr }) => expr);
  expect(unknownMetrics(expressions, records)).toEqual([]);
  expect(unknownMetrics(["rate(tickwatch_rows_writen_total[1m])"], records)).toEqual([
    "tickwatch_rows_writen_total",
  ]);
});

test("every alert has a test that shows it firing", () => {
  const tested = z
    .object({
      tests: z.array(
        z.object({
          alert_rule_test: z
            .array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) }))
            .default([]),
        }),
      ),
    })
    .parse(parse(read("rules.test.yml")))
    .tests.flatMap(({ alert_rule_test }) => alert_rule_test)
    .filter(({ exp_alerts }) => exp_alerts.length > 0)
    .map(({ alertname }) => alertname);
  expect(new Set(tested)).toEqual(new Set(alerts.map(({ alert }) => alert)));
});

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

test.skipIf(!hasPromtool)(
  "the rules do what their tests say, and a rule that does not is found",
  async () => {
    const promtool = (folder: string) =>
      spawnSync("promtool", ["test", "rules", "rules.test.yml"], { cwd: folder, encoding: "utf8" });
    const good = promtool(FOLDER);
    expect(good.stdout + good.stderr).toContain("SUCCESS");
    expect(good.status).toBe(0);
    const folder = await temporaryFolder();
    for (const name of ["recording_rules.yml", "rules.test.yml"])
      writeFileSync(join(folder, name), read(name));
    writeFileSync(join(folder, "alert_rules.yml"), read("alert_rules.yml").replace("for: 30s", "for: 30m"));
    const bad = promtool(folder);
    expect(bad.status).toBe(1);
    expect(bad.stdout + bad.stderr).toContain("TickwatchDown");
  },
);

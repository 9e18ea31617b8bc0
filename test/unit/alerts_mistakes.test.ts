// Mistakes in alerts.yaml are told in words, all at once; and what Grafana would not read is found before it does not.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCatalogue } from "../../ingest/alerting/catalogue.ts";
import { generateAlerts } from "../../ingest/alerting/generate.ts";
import { defaultAlertSettings, loadAlertSettings } from "../../ingest/alerting/load.ts";
import { ALERT_SECRETS } from "../support/alert_secrets.ts";
import { lintAlerting } from "../support/grafana_alerting_lint.ts";
import { workingFolder } from "./cli_fixture.ts";

const ROOT = join(import.meta.dirname, "../..");
const catalogue = readCatalogue();

function load(yaml: string) {
  return loadAlertSettings(undefined, workingFolder({ "alerts.yaml": yaml }), catalogue);
}

function mistakesOf(yaml: string): string {
  try {
    load(yaml);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("no mistake was found");
}

describe("mistakes", () => {
  test("every mistake is told at once, with its path, its line and what was probably meant", () => {
    const text = mistakesOf(
      [
        "grafan: {}",
        "channels:",
        "  telegarm: {}",
        "  ops: {type: slak}",
        '  telegram: {chatIdEnv: "$CHAT", bottoken: x}',
        "routes:",
        "  critical: {channels: [ops, telegramm], mute: [nights]}",
        "  warning: {repeat: 0s}",
        "rules:",
        "  DrawdownHihg: {threshold: -0.1}",
        "  QuestDBDown: {threshold: 2}",
        "  MarginRatioLow: {recover: 0.1}",
        "  CpuHigh: {for: 5 minutes}",
        "  AlertUnacknowledged: {threshold: 5}",
        "muteTimes:",
        "  - {name: a, times: [{from: '22:00', to: '06:00'}]}",
      ].join("\n"),
    );
    expect(text.split("\n")).toEqual([
      expect.stringMatching(/^14 mistakes in the configuration alerts\.yaml:$/),
      '  routes.warning.repeat (alerts.yaml line 8): must be a duration such as 30s, 5m, 4h or 1d, not "0s"',
      '  rules.CpuHigh.for (alerts.yaml line 13): must be a duration such as 30s, 5m, 4h or 1d, not "5 minutes"',
      "  rules.DrawdownHihg (alerts.yaml line 10): no such rule; did you mean DrawdownHigh?",
      "  grafan (alerts.yaml line 1): no such setting; did you mean grafana?",
      "  channels.telegarm (alerts.yaml line 3): needs a type: one of telegram, discord, email, slack, pagerduty, opsgenie, webhook; did you mean telegram?",
      '  channels.ops.type (alerts.yaml line 4): must be one of telegram, discord, email, slack, pagerduty, opsgenie, webhook, not "slak"; did you mean slack?',
      '  channels.telegram.chatIdEnv (alerts.yaml line 5): must be the name of an environment variable, without $, not "$CHAT"',
      "  channels.telegram.bottoken (alerts.yaml line 5): no such setting; did you mean botTokenEnv?",
      '  routes.critical.channels[1] (alerts.yaml line 7): "telegramm" is no channel; did you mean telegram?',
      '  routes.critical.mute[0] (alerts.yaml line 7): "nights" is no name in muteTimes; there is a',
      "  muteTimes[0].times[0] (alerts.yaml line 16): from 22:00 must be before to 06:00; over midnight, write two times: 22:00 to 24:00 and 00:00 to 06:00",
      "  rules.QuestDBDown.threshold (alerts.yaml line 11): this rule is on or off and has no limit to set",
      "  rules.MarginRatioLow.recover (alerts.yaml line 12): the alert fires below 0.2, so it must be at least 0.2, not 0.1",
      "  rules.AlertUnacknowledged.threshold (alerts.yaml line 14): is set with escalation.afterMinutes",
      "alerts.example.yaml lists every setting with its default.",
    ]);
  });

  test.each([
    ["channels: {telegram: 5}", /channels\.telegram .*: must be settings of its own/],
    ["channels: {Ops: {type: slack}}", /channels\.Ops .*must be in lower case/],
    ["channels: {email: {addresses: [nobody]}}", /channels\.email\.addresses\[0\]/],
    ["escalation: {afterMinutes: 0}", /escalation\.afterMinutes .*must be an integer from 1 to 1440, not 0/],
    ["routes: {critical: {channels: telegram}}", /routes\.critical\.channels .*must be a list/],
    ["muteTimes: [{name: a}, {name: a}]", /"a" stands there twice/],
    ["rules: [x]", /rules .*must be/],
    ["x: [", /alerts\.yaml line/],
  ])("%s", (yaml, words) => {
    expect(mistakesOf(yaml)).toMatch(words);
  });

  test("the example says exactly the defaults, and shows every setting", () => {
    const example = loadAlertSettings(join(ROOT, "alerts.example.yaml"), ROOT, catalogue);
    const bare = load("");
    expect({ ...example.settings, channels: {} }).toEqual({ ...bare.settings, channels: {} });
    expect(example.channels).toEqual(bare.channels);
    const text = readFileSync(join(ROOT, "alerts.example.yaml"), "utf8");
    const uncommented = text.replaceAll(/^( *)#(?=[^ ])/gm, "$1");
    const keys = new Set([...uncommented.matchAll(/^ *(?:#? *- )?([A-Za-z]+):/gm)].map(([, key]) => key));
    for (const key of keysOf(example.settings)) expect(keys, key).toContain(key);
  });
});

function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(keysOf);
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

describe("the gate for what Grafana reads", () => {
  const good = generateAlerts(catalogue, defaultAlertSettings(catalogue), ALERT_SECRETS).files;

  test("has nothing against what is generated", () => {
    expect(good.size).toBe(5);
    expect(lintAlerting(good).problems).toEqual([]);
  });

  test.each([
    ["a misspelt key of a rule", "rules.yaml", "noDataState:", "nodataState:"],
    ["an unknown state", "rules.yaml", '"KeepLast"', '"Keep"'],
    ["a misspelt key of a query", "rules.yaml", "rawSql:", "rawSQL:"],
    ["a value without asking for one", "rules.yaml", "{{ with $values.A }}", "{{ with $values.A.Value }}"],
    ["a macro", "rules.yaml", "FROM connectivity", "FROM $__timeFilter"],
    ["a lone $ in a setting", "contact_points.yaml", '"$DISCORD_WEBHOOK_URL"', '"a$DISCORD_WEBHOOK_URL"'],
    ["a secret in braces", "contact_points.yaml", '"$TELEGRAM_BOT_TOKEN"', '"${TELEGRAM_BOT_TOKEN}"'],
    ["a setting that a receiver does not have", "contact_points.yaml", "bottoken:", "botToken:"],
    ["a setting that a receiver needs", "contact_points.yaml", '"$PAGERDUTY_INTEGRATION_KEY"', '""'],
    ["a key of a route", "policies.yaml", "object_matchers:", "matchers:"],
    ["an interval of 0", "policies.yaml", 'group_interval: "5s"', 'group_interval: "0s"'],
    ["a receiver that is not there", "policies.yaml", '"tickwatch-slack"', '"tickwatch-slak"'],
    ["a template that is not there", "contact_points.yaml", "tickwatch.telegram", "tickwatch.telegramm"],
    ["a uid that is too long", "rules.yaml", '"tickwatch-clock-skew"', `"tickwatch-${"x".repeat(40)}"`],
    ["two rules of one uid", "rules.yaml", '"tickwatch-clock-skew"', '"tickwatch-quest-db-down"'],
    ["a threshold on nothing", "rules.yaml", 'expression: "A"', 'expression: "B"'],
  ])("%s is found", (_, file, from, to) => {
    const text = good.get(file) ?? "";
    expect(text).toContain(from);
    expect(lintAlerting(new Map([...good, [file, text.replace(from, to)]])).problems).not.toEqual([]);
  });
});

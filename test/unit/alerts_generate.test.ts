// alerts.yaml and the catalogue of rules become files that Grafana reads in full; mistakes become words.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Catalogue, readCatalogue, ruleUid } from "../../ingest/alerting/catalogue.ts";
import { generateAlerts } from "../../ingest/alerting/generate.ts";
import { loadAlertSettings } from "../../ingest/alerting/load.ts";
import { retyped } from "../../ingest/alerting/retyped.ts";
import { limitText } from "../../ingest/alerting/value_text.ts";
import { ALERT_SECRETS } from "../support/alert_secrets.ts";
import { type AlertingFile, lintAlerting } from "../support/grafana_alerting_lint.ts";
import { cli, workingFolder } from "./cli_fixture.ts";

const ROOT = join(import.meta.dirname, "../..");
const catalogue = readCatalogue();

function load(yaml: string, from: Catalogue = catalogue) {
  const cwd = workingFolder({ "alerts.yaml": yaml });
  return loadAlertSettings(undefined, cwd, from);
}

function generated(yaml: string, env: Readonly<Record<string, string>> = {}, from: Catalogue = catalogue) {
  const made = generateAlerts(from, load(yaml, from), env);
  const { merged, problems } = lintAlerting(made.files);
  expect(problems).toEqual([]);
  return { ...made, ...merged };
}

const filesIn = (path: string) =>
  new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name), "utf8")]));

describe("rules", () => {
  test("the committed files are what Grafana reads, in full", () => {
    const { merged, problems } = lintAlerting(filesIn(join(ROOT, "provisioning/alerting")));
    expect(problems).toEqual([]);
    expect(merged.groups.flatMap(({ rules }) => rules.map(({ title }) => title)).toSorted()).toEqual(
      catalogue.rules.map(({ name }) => name).toSorted(),
    );
    expect(merged.policies).toHaveLength(1);
  });

  test("the file for a scheduler with a tick of 2 s differs in the interval only", () => {
    const [slow, fast] = ["provisioning/alerting", "provisioning/alerting-2s"].map((path) =>
      readFileSync(join(ROOT, path, "critical.yaml"), "utf8"),
    );
    expect(fast).toBe(slow?.replace('interval: "10s"', 'interval: "2s"'));
    expect(fast).not.toBe(slow);
  });

  test("the rules of the specification are all there", () => {
    const due =
      "ExchangeDisconnected ExchangeDown5m FeedStale ApiErrorRateHigh FetchesBelowExpected DataGapOpen LiquidationBurst RateLimitNearLimit ClockSkew DaemonDown DaemonRestartLoop MemoryHigh CpuHigh EventLoopLag IngestLagHigh SpoolGrowing RowsRejected DeadLetters TableSuspended RollupInvalid QuestDBDown DiskSpaceLow StorageBudget DrawdownHigh WinRateLow ExecutionLatencyHigh OrderRejects MarginRatioLow LiquidationNear ExposureHigh SystemError AlertUnacknowledged";
    expect(catalogue.rules.map(({ name }) => name).toSorted()).toEqual(due.split(" ").toSorted());
  });

  test.each([
    ["ExchangeDown5m", "tickwatch-exchange-down-5m"],
    ["ApiErrorRateHigh", "tickwatch-api-error-rate-high"],
    ["QuestDBDown", "tickwatch-quest-db-down"],
  ])("%s is %s to Grafana", (name, uid) => {
    expect(ruleUid(name)).toBe(uid);
  });

  test("a rule of the past is deleted, one of the present never", () => {
    const past = { ...catalogue, gone: ["OldRule"] };
    expect(generated("", {}, past).deleteRules).toEqual([{ orgId: 1, uid: "tickwatch-old-rule" }]);
    expect(generated("").deleteRules).toEqual([]);
  });

  test("limits, duration, severity and switch of a rule are those of alerts.yaml", () => {
    const { groups } = generated(
      "rules: {DrawdownHigh: {threshold: -0.1, for: 30s, severity: warning}, CpuHigh: {enabled: false}, ClockSkew: {threshold: 200, recover: 150}}",
    );
    const rules = new Map(groups.flatMap((group) => group.rules).map((rule) => [rule.title, rule]));
    const drawdown = rules.get("DrawdownHigh");
    expect(drawdown).toMatchObject({ for: "30s", labels: { severity: "warning" }, isPaused: false });
    expect(drawdown?.data[1].model.conditions).toEqual([
      // The lower edge moves along with the limit.
      { evaluator: { type: "lt", params: [-0.1] }, unloadEvaluator: { type: "gt", params: [-0.08] } },
    ]);
    expect(drawdown?.annotations.limit).toBe("below -10 %");
    expect(rules.get("CpuHigh")?.isPaused).toBe(true);
    expect(rules.get("ClockSkew")?.data[1].model.conditions[0]).toEqual({
      evaluator: { type: "gt", params: [200] },
      unloadEvaluator: { type: "lt", params: [150] },
    });
  });

  test("critical and urgent rules are in the fast group, and only QuestDBDown speaks up when queries fail", () => {
    const { groups } = generated("");
    const fast = groups.find(({ name }) => name === "critical")?.rules ?? [];
    expect(fast.length).toBeLessThan(10);
    for (const { title, labels } of fast) expect(labels.severity, title).toBe("critical");
    expect(fast.map(({ title }) => title)).toContain("ExchangeDisconnected");
    const loud = groups
      .flatMap(({ rules }) => rules)
      .filter(({ execErrState }) => execErrState !== "KeepLast");
    expect(loud.map(({ title }) => title)).toEqual(["QuestDBDown"]);
  });

  test("no summary or value is left without its template, and a label that the query does not give is in none", () => {
    const { groups } = generated("");
    for (const { title, annotations, data } of groups.flatMap(({ rules }) => rules)) {
      const said = Object.values(annotations).join(" ");
      expect(said, title).not.toMatch(/\[value\]/);
      for (const [, label = ""] of said.matchAll(/\$labels\.(\w+)/g))
        expect(data[0].model.rawSql, `${title}: ${label}`).toMatch(new RegExp(`\\b${label}\\b`));
    }
  });

  test.each([
    ["seconds", 300, "above 5 min"],
    ["seconds", 45, "above 45 s"],
    ["milliseconds", 5000, "above 5000 ms"],
    ["bytes", 1_073_741_824, "above 1 GiB"],
    ["fraction", 0.125, "above 12.5 %"],
    ["percent", 90, "above 90 %"],
    ["count", 0, "above 0"],
    ["factor", 3, "above 3 times"],
  ] as const)("a limit of %s reads %s as %s", (unit, at, text) => {
    expect(limitText({ unit, op: "gt", at, fixed: false })).toBe(text);
  });
});

describe("channels", () => {
  const urlOf = (points: NonNullable<AlertingFile["contactPoints"]>, name: string) =>
    points.find((point) => point.name === name)?.receivers[0];

  test("without secrets there is the history alone, and each channel says what it lacks", () => {
    const { contactPoints, notes, policies } = generated("");
    expect(contactPoints.map(({ name }) => name)).toEqual(["tickwatch-history"]);
    expect(notes).toContain("telegram: TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID are not set: left out");
    expect(notes).toContain("critical alerts go to nobody, only into the history");
    expect(policies[0]?.routes.map(({ receiver }) => receiver)).toEqual(["tickwatch-history"]);
  });

  test("with all secrets there is every channel; none of their values is in any file, nor are they braced", () => {
    const { contactPoints, files } = generated(
      "channels: {telegram: {}, discord: {}, email: {}, slack: {}, pagerduty: {}, opsgenie: {}, webhook: {authorizationEnv: HOOK_TOKEN}, bot: {type: slack, recipient: '#alerts'}}",
      ALERT_SECRETS,
    );
    expect(contactPoints).toHaveLength(9);
    const written = [...files.values()].join("\n");
    for (const value of Object.values(ALERT_SECRETS)) expect(written).not.toContain(value);
    for (const name of Object.keys(ALERT_SECRETS)) expect(written).toContain(`"$${name}"`);
    expect(written).not.toContain("${");
  });

  test("a chat that is written down is a quoted text, so that Grafana keeps it one", () => {
    const { files, contactPoints } = generated(
      "channels: {telegram: {chatId: -1001234567890}}",
      ALERT_SECRETS,
    );
    expect(files.get("contact_points.yaml")).toContain('chatid: "-1001234567890"');
    expect(urlOf(contactPoints, "tickwatch-telegram")?.settings["chatid"]).toBe("-1001234567890");
  });

  test("a $ in what is written down stays one", () => {
    const { contactPoints } = generated("channels: {webhook: {url: 'http://127.0.0.1/a$b'}}", ALERT_SECRETS);
    expect(urlOf(contactPoints, "tickwatch-webhook")?.settings["url"]).toBe("http://127.0.0.1/a$$b");
  });

  test("a secret that Grafana would take for a number is refused, a chat's id is not", () => {
    const env = { ...ALERT_SECRETS, PAGERDUTY_INTEGRATION_KEY: "12345678901234567890" };
    const { contactPoints, notes } = generated("", env);
    expect(notes.join("\n")).toMatch(/pagerduty: the value of PAGERDUTY_INTEGRATION_KEY reads as a number/);
    const names = contactPoints.map(({ name }) => name);
    expect(names).not.toContain("tickwatch-pagerduty");
    expect(names).toContain("tickwatch-telegram");
  });

  test.each([
    ["-1001234567890", "integer"],
    ["1e5", "number"],
    ["12.5", "number"],
    ["0x1p4", "number"],
    ["99999999999999999999", "number"],
    ["inf", "number"],
    ["t", "boolean"],
    ["True", "boolean"],
    ["123456:abc", "text"],
    ["yes", "text"],
    ["1e999", "text"],
    ["0x10", "text"],
  ])("Grafana makes of %s: %s", (value, type) => {
    expect(retyped(value)).toBe(type);
  });

  test("a channel that has gone is deleted in Grafana", () => {
    const { deleteContactPoints } = generated("channels: {telegram: {}}", ALERT_SECRETS);
    expect(deleteContactPoints.map(({ uid }) => uid)).toContain("tickwatch-discord");
    expect(deleteContactPoints.map(({ uid }) => uid)).not.toContain("tickwatch-telegram");
    const made = generateAlerts(catalogue, load(""), {}, ["tickwatch-ops", "tickwatch-history"]);
    const { merged } = lintAlerting(made.files);
    expect(merged.deleteContactPoints.map(({ uid }) => uid)).toContain("tickwatch-ops");
    expect(merged.deleteContactPoints.map(({ uid }) => uid)).not.toContain("tickwatch-history");
  });
});

describe("routes", () => {
  const routesOf = (yaml: string, env: Readonly<Record<string, string>> = ALERT_SECRETS) =>
    generated(yaml, env).policies[0]?.routes ?? [];

  test("every alert goes into the history first, and on from there", () => {
    const [first] = routesOf("");
    expect(first).toMatchObject({
      receiver: "tickwatch-history",
      object_matchers: [["alertname", "=~", ".+"]],
      continue: true,
    });
    expect(first).not.toHaveProperty("mute_time_intervals");
  });

  /** Who gets an alert, by the first route of each chain that does not go on. */
  function toldOf(yaml: string, labels: Readonly<Record<string, string>>): string[] {
    const told: string[] = [];
    for (const {
      receiver,
      object_matchers: [matcher],
      continue: goesOn,
    } of routesOf(yaml)) {
      const [name = "", , value = ""] = matcher ?? [];
      const matches = value === ".+" || labels[name] === value;
      if (!matches) continue;
      told.push(receiver.replace("tickwatch-", ""));
      if (!goesOn) break;
    }
    return told;
  }

  test("critical alerts go to all, others to all but the pagers, when nothing else is said", () => {
    const all = ["history", "telegram", "discord", "email", "slack", "pagerduty", "opsgenie", "webhook"];
    expect(toldOf("", { severity: "critical" })).toEqual(all);
    const quiet = all.filter((name) => name !== "pagerduty" && name !== "opsgenie");
    expect(toldOf("", { severity: "warning" })).toEqual(quiet);
    expect(toldOf("", { severity: "info" })).toEqual(quiet);
  });

  test("routes say who is told, and what nobody acknowledges goes to the second channel", () => {
    const yaml =
      "routes: {critical: {channels: [telegram, slack]}, warning: {channels: [discord]}, info: {channels: []}}\nescalation: {channels: [pagerduty], afterMinutes: 20}";
    expect(toldOf(yaml, { severity: "critical" })).toEqual(["history", "telegram", "slack"]);
    expect(toldOf(yaml, { severity: "warning" })).toEqual(["history", "discord"]);
    expect(toldOf(yaml, { severity: "info" })).toEqual(["history"]);
    expect(toldOf(yaml, { severity: "critical", alertname: "AlertUnacknowledged" })).toEqual([
      "history",
      "pagerduty",
    ]);
    const { groups } = generated(yaml, ALERT_SECRETS);
    const rule = groups.flatMap(({ rules }) => rules).find(({ title }) => title === "AlertUnacknowledged");
    expect(rule?.isPaused).toBe(false);
    expect(rule?.data[1].model.conditions[0]?.evaluator).toEqual({ type: "gt", params: [1200] });
  });

  test("a channel that is left out is told nothing, and escalation without a channel is paused", () => {
    const { policies, groups } = generated("routes: {critical: {channels: [telegram]}}", {});
    expect(policies[0]?.routes).toHaveLength(1);
    const rule = groups.flatMap(({ rules }) => rules).find(({ title }) => title === "AlertUnacknowledged");
    expect(rule?.isPaused).toBe(true);
    expect(generated("escalation: {enabled: false}", ALERT_SECRETS).notes).toContain(
      "what nobody acknowledges is not told again",
    );
  });

  test("mute times hold for the routes that name them", () => {
    const yaml =
      "muteTimes: [{name: night, times: [{from: '22:00', to: '24:00'}], weekdays: [saturday], timeZone: Europe/Berlin}]\nroutes: {warning: {mute: [night]}}";
    const { muteTimes, policies } = generated(yaml, ALERT_SECRETS);
    expect(muteTimes).toEqual([
      {
        orgId: 1,
        name: "night",
        time_intervals: [
          {
            times: [{ start_time: "22:00", end_time: "24:00" }],
            weekdays: ["saturday"],
            location: "Europe/Berlin",
          },
        ],
      },
    ]);
    for (const {
      mute_time_intervals: mute,
      object_matchers: [matcher],
    } of policies[0]?.routes ?? [])
      expect(mute).toEqual(matcher?.[2] === "warning" ? ["night"] : undefined);
  });
});

describe("tickwatch alerts generate", () => {
  test("writes both folders and says who is told; .env counts, the environment goes before it", async () => {
    const env = "DISCORD_WEBHOOK_URL='https://discord.invalid/x'\nSLACK_WEBHOOK_URL=\n";
    const cwd = workingFolder({ ".env": env });
    const run = await cli(["alerts", "generate", "--out", "made"], {
      cwd,
      env: { ALERT_WEBHOOK_URL: "http://127.0.0.1:9/x" },
    });
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toContain("critical alerts go to discord, webhook");
    const { merged, problems } = lintAlerting(filesIn(join(cwd, "made")));
    expect(problems).toEqual([]);
    expect(merged.contactPoints.map(({ name }) => name)).toEqual([
      "tickwatch-history",
      "tickwatch-discord",
      "tickwatch-webhook",
    ]);
    expect(parse(readFileSync(join(cwd, "made-2s/critical.yaml"), "utf8")).groups[0].interval).toBe("2s");
  });

  test("a channel of the last run that is gone is deleted by the next", async () => {
    const cwd = workingFolder({ "mine.yaml": "channels: {ops: {type: telegram}}" });
    const options = { cwd, env: ALERT_SECRETS };
    const first = await cli(["alerts", "generate", "--config", "mine.yaml", "--out", "made"], options);
    expect(first.code).toBe(0);
    expect((await cli(["alerts", "generate", "--out", "made"], options)).code).toBe(0);
    const { merged } = lintAlerting(filesIn(join(cwd, "made")));
    expect(merged.deleteContactPoints).toEqual([{ orgId: 1, uid: "tickwatch-ops" }]);
  });

  test("with a mistake nothing is written, and the exit code says whose mistake it is", async () => {
    const cwd = workingFolder({ "alerts.yaml": "rules: {CpuHihg: {}}" });
    const { code, err } = await cli(["alerts", "generate"], { cwd });
    expect(code).toBe(2);
    expect(err).toContain("rules.CpuHihg (alerts.yaml line 1): no such rule; did you mean CpuHigh?");
    expect(readdirSync(cwd)).toEqual(["alerts.yaml"]);
  });
});

// Alert rules as Grafana's provisioning wants them. Annotations and queries are taken as they are; in labels a `$`
// would be expanded, so none has one. Pure.
import { ruleUid } from "./catalogue.ts";
import type { EffectiveRule } from "./effective_rules.ts";
import { limitText, valueTemplate } from "./value_text.ts";

/** The folder that the rules are in; another title than the dashboards' folder, which Grafana makes by itself. */
const FOLDER = "tickwatch alerts";

const DATASOURCE = "questdb";

/** Grafana wants a time range although the queries have one of their own. */
const TIME_RANGE = { from: 600, to: 0 } as const;

/** One file with one group, evaluated every `interval`. `gone` are rules of the past. */
export function groupFile(
  group: "critical" | "standard",
  rules: readonly EffectiveRule[],
  options: { readonly interval: string; readonly runbook: string; readonly gone?: readonly string[] },
): object {
  const own = rules.filter((rule) => rule.group === group);
  const { gone = [] } = options;
  return {
    apiVersion: 1,
    groups: [
      {
        orgId: 1,
        name: group,
        folder: FOLDER,
        interval: options.interval,
        rules: own.map((rule) => ruleEntry(rule, options.runbook)),
      },
    ],
    ...(gone.length === 0 ? {} : { deleteRules: gone.map((name) => ({ orgId: 1, uid: ruleUid(name) })) }),
  };
}

function ruleEntry(rule: EffectiveRule, runbook: string): object {
  const { name, severity, panel } = rule;
  return {
    uid: ruleUid(name),
    title: name,
    condition: "C",
    for: rule.for,
    noDataState: rule.noData,
    execErrState: rule.execError,
    isPaused: rule.paused,
    dashboardUid: panel.dashboard,
    panelId: panel.id,
    labels: { severity },
    annotations: annotationsOf(rule, runbook),
    data: [query(rule), condition(rule)],
  };
}

function annotationsOf(rule: EffectiveRule, runbook: string): Readonly<Record<string, string>> {
  const value = valueTemplate(rule.unit);
  const limit = limitText(rule);
  return {
    summary: rule.summary.replaceAll("[value]", value),
    ...(value === "" ? {} : { value }),
    ...(limit === "" ? {} : { limit }),
    runbook_url: `${runbook}#${rule.name.toLowerCase()}`,
    // Messages link to what these say; the fields of the rule itself are for Grafana's own pages.
    __dashboardUid__: rule.panel.dashboard,
    __panelId__: String(rule.panel.id),
  };
}

function query({ sql }: EffectiveRule): object {
  return {
    refId: "A",
    datasourceUid: DATASOURCE,
    relativeTimeRange: TIME_RANGE,
    model: {
      refId: "A",
      queryType: "sql",
      rawSql: sql,
      format: 1,
      selectedFormat: 1,
      intervalMs: 1000,
      maxDataPoints: 43_200,
    },
  };
}

/** Directly on the rows: each is one instance, its text columns are the labels. */
function condition({ op, at, back }: EffectiveRule): object {
  const recovery = op === "gt" ? "lt" : "gt";
  return {
    refId: "C",
    datasourceUid: "__expr__",
    relativeTimeRange: TIME_RANGE,
    model: {
      refId: "C",
      type: "threshold",
      expression: "A",
      conditions: [
        {
          evaluator: { type: op, params: [at] },
          ...(back === undefined || back === at
            ? {}
            : { unloadEvaluator: { type: recovery, params: [back] } }),
        },
      ],
    },
  };
}

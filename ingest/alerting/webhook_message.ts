// A message of Grafana's webhook (or of a Prometheus Alertmanager's, which looks the same) → alerts. What may be absent
// in some version or setting is optional here; what a message must have to be one is demanded. Pure.
import * as z from "zod";
import { contentId } from "../../schema/content_id.ts";
import { isoToMicros } from "../../schema/timestamp_text.ts";

const Labels = z.record(z.string(), z.string());

const Alert = z.object({
  status: z.enum(["firing", "resolved"]),
  labels: Labels.nullish(),
  annotations: Labels.nullish(),
  startsAt: z.string(),
  endsAt: z.string().nullish(),
  fingerprint: z.string().nullish(),
  values: z.record(z.string(), z.number().nullable()).nullish(),
});

const Message = z.object({
  receiver: z.string().nullish(),
  alerts: z.array(Alert).nullable(),
  truncatedAlerts: z.int().nullish(),
});

/** One alert of a message, in the terms of the table. */
export interface ToldAlert {
  readonly fingerprint: string;
  readonly state: "firing" | "resolved";
  readonly rule: string;
  readonly severity: string | undefined;
  readonly value: number | undefined;
  readonly labels: string;
  readonly summary: string | undefined;
  readonly receiver: string | undefined;
  readonly startedUs: number;
  /** Only of a resolved one. */
  readonly endedUs: number | undefined;
  /** Somebody tries whether messages arrive; there is nothing to be recorded. */
  readonly isTest: boolean;
}

export type ReadMessage =
  | { readonly ok: true; readonly alerts: readonly ToldAlert[]; readonly truncated: number }
  | { readonly ok: false; readonly why: string };

/** Marks alerts of `tickwatch notify test`. */
export const TEST_LABEL = "tickwatch_test";

/** Reads a message; `why` says in plain words what it is not. Alerts that the sender cut off are counted. */
export function readMessage(message: unknown): ReadMessage {
  if (isOfLegacyAlerting(message)) {
    return { ok: false, why: "it is one of Grafana's alerting before version 9" };
  }
  const outcome = Message.safeParse(message);
  if (!outcome.success) return { ok: false, why: firstIssue(outcome.error) };
  const { alerts, receiver, truncatedAlerts } = outcome.data;
  const told: ToldAlert[] = [];
  for (const [index, alert] of (alerts ?? []).entries()) {
    const one = toldAlert(alert, receiver ?? undefined);
    if (typeof one === "string") return { ok: false, why: `alerts[${index}]: ${one}` };
    told.push(one);
  }
  return { ok: true, alerts: told, truncated: truncatedAlerts ?? 0 };
}

function isOfLegacyAlerting(message: unknown): boolean {
  return typeof message === "object" && message !== null && "ruleName" in message && !("alerts" in message);
}

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined || issue.path.length === 0) return "it is not a JSON object with `alerts`";
  return `${issue.path.map(String).join(".")}: ${issue.message}`;
}

function toldAlert(alert: z.output<typeof Alert>, receiver: string | undefined): ToldAlert | string {
  const labels = alert.labels ?? {};
  const { alertname, rulename, severity, ...others } = labels;
  // Grafana gives an alert about missing data or an error another name, and the rule's stands beside it.
  const rule = rulename ?? alertname;
  if (rule === undefined || rule === "") return "it has no label alertname";
  const startedUs = isoToMicros(alert.startsAt);
  if (startedUs === undefined) return `startsAt ${JSON.stringify(alert.startsAt)} is no time`;
  const endedUs = alert.status === "resolved" ? isoToMicros(alert.endsAt ?? "") : undefined;
  if (alert.status === "resolved" && (endedUs === undefined || endedUs <= 0)) {
    return `it is resolved, but endsAt ${JSON.stringify(alert.endsAt ?? null)} is no time`;
  }
  return {
    fingerprint: alert.fingerprint || contentId([sortedEntries(labels)]),
    state: alert.status,
    rule,
    severity,
    value: decidingValue(alert.values ?? {}),
    labels: labelsText(others),
    summary: alert.annotations?.["summary"],
    receiver,
    startedUs,
    endedUs,
    isTest:
      labels[TEST_LABEL] !== undefined || (alertname === "TestAlert" && labels["instance"] === "Grafana"),
  };
}

/**
 * The value of the query (A in our rules); the condition's own value, 0 or 1, says nothing. When what was watched is
 * gone Grafana sends -1 for all of them, which is no value.
 */
function decidingValue(values: Readonly<Record<string, number | null>>): number | undefined {
  if (Object.values(values).every((value) => value === -1)) return undefined;
  const [first] = Object.keys(values).toSorted();
  return first === undefined ? undefined : (values[first] ?? undefined);
}

/** What tells instances of one rule apart, keys sorted. */
function labelsText({ grafana_folder: _folder, ...labels }: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(sortedEntries(labels)));
}

function sortedEntries(labels: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

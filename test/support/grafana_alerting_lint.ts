// What Grafana reads of provisioned alerting files, strictly: it ignores a key that it does not know, so that a typing
// mistake would silently switch something off. Key lists are those of Grafana's provisioning code (rules_types.go and
// its neighbours) and of its receivers (receivers/<type>/v1/config.go).
import { parse } from "yaml";
import * as z from "zod";

const uid = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/);
const duration = z.string().regex(/^(?:\d+[smhdw])+$/);
const orgId = z.literal(1);
const text = z.string().min(1);
/** Expanded by Grafana: a `$` is either the beginning of a bare variable or doubled. */
const expanded = z
  .string()
  .refine((value) => /^\$[A-Za-z_]\w*[^$]*$/.test(value) || !/(?<!\$)\$(?!\$)/.test(value), "a lone $")
  .refine((value) => !/\$\{|\$__/.test(value), "is expanded twice");

const range = z
  .strictObject({ from: z.int(), to: z.int() })
  .refine(({ from, to }) => from > to, "from must lie before to");

const comparison = z.strictObject({ type: z.enum(["gt", "lt"]), params: z.array(z.number()).length(1) });

const query = z.strictObject({
  refId: text,
  datasourceUid: z.literal("questdb"),
  relativeTimeRange: range,
  model: z.strictObject({
    refId: text,
    queryType: z.literal("sql"),
    rawSql: text.refine((sql) => !/\$|;/.test(sql), "has a macro, a variable or a second statement"),
    format: z.literal(1),
    selectedFormat: z.literal(1),
    intervalMs: z.int(),
    maxDataPoints: z.int(),
  }),
});

const expression = z.strictObject({
  refId: text,
  datasourceUid: z.literal("__expr__"),
  relativeTimeRange: range,
  model: z.strictObject({
    refId: text,
    type: z.literal("threshold"),
    expression: text,
    conditions: z
      .array(z.strictObject({ evaluator: comparison, unloadEvaluator: comparison.optional() }))
      .length(1),
  }),
});

/** Without data there is no value, and Grafana gives the whole text up when it formats nothing. */
const message = text.refine(
  (words) => !/\$values\.A\.Value/.test(words),
  "formats a value that may be missing",
);

const rule = z
  .strictObject({
    uid,
    title: text,
    condition: text,
    for: duration,
    noDataState: z.enum(["OK", "Alerting", "KeepLast", "NoData"]),
    execErrState: z.enum(["OK", "Alerting", "KeepLast", "Error"]),
    isPaused: z.boolean(),
    dashboardUid: uid,
    panelId: z.int().min(1),
    labels: z.strictObject({ severity: z.enum(["critical", "warning", "info"]) }),
    annotations: z.strictObject({
      summary: message,
      value: message.optional(),
      limit: text.optional(),
      runbook_url: text,
      __dashboardUid__: uid,
      __panelId__: z.string().regex(/^\d+$/),
    }),
    data: z.tuple([query, expression]),
  })
  .refine((r) => r.data.some(({ refId }) => refId === r.condition), "its condition is no query of it")
  .refine(
    ({ annotations, dashboardUid, panelId }) =>
      annotations.__dashboardUid__ === dashboardUid && annotations.__panelId__ === String(panelId),
    "its messages and its page show two panels",
  )
  .refine((r) => r.data.every((one) => one.refId === one.model.refId), "two names for one query")
  .refine((r) => r.data[1].model.expression === r.data[0].refId, "its threshold looks at nothing");

const group = z.strictObject({
  orgId,
  name: text,
  folder: text,
  interval: duration,
  rules: z.array(rule).min(1),
});

const RECEIVERS = {
  telegram:
    "bottoken chatid message_thread_id message parse_mode disable_web_page_preview protect_content disable_notifications",
  discord: "url title message avatar_url use_discord_username use_embed_description",
  email: "addresses singleEmail subject message",
  slack:
    "url token recipient endpointUrl username icon_emoji icon_url mentionUsers mentionGroups mentionChannel title text color footer",
  pagerduty: "integrationKey severity class component group summary source client client_url details url",
  opsgenie: "apiKey apiUrl message description autoClose overridePriority sendTagsAs responders",
  webhook:
    "url httpMethod maxAlerts username password authorization_scheme authorization_credentials headers title message payload tlsConfig hmacConfig",
} as const;

/** Without these Grafana does not start. */
const REQUIRED: Readonly<Record<keyof typeof RECEIVERS, readonly (readonly string[])[]>> = {
  telegram: [["bottoken"], ["chatid"]],
  discord: [["url"]],
  email: [["addresses"]],
  slack: [["url", "token"]],
  pagerduty: [["integrationKey"]],
  opsgenie: [["apiKey"]],
  webhook: [["url"]],
};

const receiver = z
  .strictObject({
    uid,
    type: z.enum(["telegram", "discord", "email", "slack", "pagerduty", "opsgenie", "webhook"]),
    disableResolveMessage: z.boolean(),
    settings: z.record(z.string(), z.union([expanded, z.boolean(), z.number()])),
  })
  .superRefine(({ type, settings }, context) => {
    const known = RECEIVERS[type].split(" ");
    for (const key of Object.keys(settings))
      if (!known.includes(key)) context.addIssue({ code: "custom", message: `unknown setting ${key}` });
    for (const choices of REQUIRED[type])
      if (!choices.some((key) => settings[key] !== undefined && settings[key] !== ""))
        context.addIssue({ code: "custom", message: `lacks ${choices.join(" or ")}` });
  });

const timing = {
  group_by: z.array(text).min(1),
  group_wait: duration,
  group_interval: duration.refine((value) => !/^0/.test(value), "Grafana refuses 0"),
  repeat_interval: duration.refine((value) => !/^0/.test(value), "Grafana refuses 0"),
};

const route = z.strictObject({
  receiver: text,
  object_matchers: z.array(z.tuple([text, z.enum(["=", "!=", "=~", "!~"]), z.string()])).min(1),
  ...timing,
  mute_time_intervals: z.array(text).optional(),
  continue: z.boolean(),
});

const policy = z.strictObject({ orgId, receiver: text, ...timing, routes: z.array(route).min(1) });

const muteTime = z.strictObject({
  orgId,
  name: text,
  time_intervals: z
    .array(
      z.strictObject({
        times: z.array(z.strictObject({ start_time: text, end_time: text })).optional(),
        weekdays: z.array(text).optional(),
        location: text,
      }),
    )
    .length(1),
});

const File = z.strictObject({
  apiVersion: z.literal(1),
  groups: z.array(group).optional(),
  deleteRules: z.array(z.strictObject({ orgId, uid })).optional(),
  contactPoints: z
    .array(z.strictObject({ orgId, name: text, receivers: z.array(receiver).min(1) }))
    .optional(),
  deleteContactPoints: z.array(z.strictObject({ orgId, uid })).optional(),
  policies: z.array(policy).length(1).optional(),
  muteTimes: z.array(muteTime).optional(),
  templates: z.array(z.strictObject({ orgId, name: text, template: text })).optional(),
});

export type AlertingFile = z.output<typeof File>;

export interface LintResult {
  /** Everything of all files. */
  readonly merged: Required<{
    [K in Exclude<keyof AlertingFile, "apiVersion">]: NonNullable<AlertingFile[K]>;
  }>;
  /** One line each; empty when all is well. */
  readonly problems: readonly string[];
}

/** All files of one folder, by name: each by itself, and what they say about each other. */
export function lintAlerting(files: ReadonlyMap<string, string>): LintResult {
  const problems: string[] = [];
  const sound: AlertingFile[] = [];
  for (const [name, content] of files) {
    const outcome = File.safeParse(parse(content));
    if (outcome.success) sound.push(outcome.data);
    else
      for (const { path, message } of outcome.error.issues)
        problems.push(`${name} ${path.map(String).join(".")}: ${message}`);
  }
  const merged = {
    groups: sound.flatMap((file) => file.groups ?? []),
    deleteRules: sound.flatMap((file) => file.deleteRules ?? []),
    contactPoints: sound.flatMap((file) => file.contactPoints ?? []),
    deleteContactPoints: sound.flatMap((file) => file.deleteContactPoints ?? []),
    policies: sound.flatMap((file) => file.policies ?? []),
    muteTimes: sound.flatMap((file) => file.muteTimes ?? []),
    templates: sound.flatMap((file) => file.templates ?? []),
  };
  return { merged, problems: [...problems, ...acrossFiles(merged)] };
}

function acrossFiles(all: LintResult["merged"]): string[] {
  const rules = all.groups.flatMap((one) => one.rules);
  const receivers = all.contactPoints.flatMap((point) => point.receivers);
  const points = all.contactPoints.map(({ name }) => name);
  const mutes = all.muteTimes.map(({ name }) => name);
  const templates = all.templates.map(({ template }) => template).join("\n");
  const told = all.policies.flatMap((one) => [one.receiver, ...one.routes.map((each) => each.receiver)]);
  const muted = all.policies.flatMap((one) => one.routes.flatMap((each) => each.mute_time_intervals ?? []));
  const used = [templates, ...receivers.flatMap(({ settings }) => Object.values(settings).map(String))]
    .flatMap((part) => [...part.matchAll(/\{\{-? *template "([^"]+)"/g)])
    .map(([, name = ""]) => name);
  return [
    ...twice(
      "rule",
      rules.map((one) => one.uid),
    ),
    ...twice(
      "title",
      rules.map((one) => one.title),
    ),
    ...twice(
      "receiver",
      receivers.map((one) => one.uid),
    ),
    ...twice("contact point", points),
    ...all.deleteRules
      .filter(({ uid: gone }) => rules.some((one) => one.uid === gone))
      .map(({ uid: gone }) => `rule ${gone} is made and deleted`),
    ...all.deleteContactPoints
      .filter(({ uid: gone }) => receivers.some((one) => one.uid === gone))
      .map(({ uid: gone }) => `receiver ${gone} is made and deleted`),
    ...told.filter((name) => !points.includes(name)).map((name) => `there is no contact point ${name}`),
    ...muted.filter((name) => !mutes.includes(name)).map((name) => `there is no mute time ${name}`),
    ...used
      .filter((name) => !templates.includes(`define "${name}"`))
      .map((name) => `there is no template ${name}`),
  ];
}

function twice(what: string, names: readonly string[]): string[] {
  return names
    .filter((name, index) => names.indexOf(name) < index)
    .map((name) => `${what} ${name} is there twice`);
}

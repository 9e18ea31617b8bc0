// What alerts.yaml may say: everything about alerts that differs between installations. Secrets are never in it, only
// the names of the variables that hold them. Defaults stand here, so that an empty file is a complete one. Pure.
import * as z from "zod";

export const CHANNEL_TYPES = [
  "telegram",
  "discord",
  "email",
  "slack",
  "pagerduty",
  "opsgenie",
  "webhook",
] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

const duration = () =>
  z.string().regex(/^[1-9]\d*[smhd]$|^0s$/, "must be a duration such as 30s, 5m, 4h or 1d");
/** Grafana refuses 0 here. */
const interval = () => z.string().regex(/^[1-9]\d*[smhd]$/, "must be a duration such as 30s, 5m, 4h or 1d");
const variable = (name: string) => variableName().default(name).describe("Variable that holds it.");
const variableName = () =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable, without $");
const chatId = () => z.union([z.int(), z.string().min(1)]);

/** Settings by type of channel; `type` itself stands beside them. */
export const CHANNEL_SETTINGS = {
  telegram: z.strictObject({
    botTokenEnv: variable("TELEGRAM_BOT_TOKEN"),
    chatIdEnv: variable("TELEGRAM_CHAT_ID"),
    chatId: chatId().optional().describe("Instead of chatIdEnv."),
    threadId: z.int().optional().describe("Topic of a group."),
    silent: z.boolean().default(false).describe("Without a sound."),
  }),
  discord: z.strictObject({ urlEnv: variable("DISCORD_WEBHOOK_URL") }),
  email: z.strictObject({
    addressesEnv: variable("ALERT_EMAIL_TO"),
    addresses: z.array(z.email()).min(1).optional().describe("Instead of addressesEnv."),
    single: z.boolean().default(false).describe("One message to all instead of one to each."),
  }),
  slack: z.strictObject({
    urlEnv: variable("SLACK_WEBHOOK_URL"),
    tokenEnv: variable("SLACK_TOKEN"),
    recipient: z.string().min(1).optional().describe("Channel for the token; without it urlEnv is used."),
  }),
  pagerduty: z.strictObject({ integrationKeyEnv: variable("PAGERDUTY_INTEGRATION_KEY") }),
  opsgenie: z.strictObject({
    apiKeyEnv: variable("OPSGENIE_API_KEY"),
    apiUrl: z
      .url({ protocol: /^https?$/ })
      .default("https://api.opsgenie.com/v2/alerts")
      .describe("https://api.eu.opsgenie.com/v2/alerts for an account in the EU."),
  }),
  webhook: z.strictObject({
    urlEnv: variable("ALERT_WEBHOOK_URL"),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Instead of urlEnv."),
    authorizationEnv: variableName().optional().describe("Variable with a token, sent as Bearer."),
  }),
} as const;

export type ChannelSettings = {
  readonly [T in ChannelType]: Readonly<z.output<(typeof CHANNEL_SETTINGS)[T]>>;
};

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

const timeOfDay = () =>
  z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "must be a time such as 02:00");

const muteTime = z.strictObject({
  name: z.string().min(1).describe("What routes call it."),
  weekdays: z.array(z.enum(WEEKDAYS)).min(1).optional().describe("Every day when left out."),
  times: z
    .array(z.strictObject({ from: timeOfDay(), to: timeOfDay() }))
    .min(1)
    .optional()
    .describe("The whole day when left out."),
  timeZone: z.string().min(1).default("UTC").describe("Such as Europe/Berlin."),
});

function route(defaults: { readonly repeat: string; readonly wait: string; readonly every: string }) {
  return z
    .strictObject({
      channels: z
        .array(z.string())
        .optional()
        .describe("Channels that are told; left out: all, pagers for critical alerts only."),
      repeat: interval().default(defaults.repeat).describe("How often an alert that stays is told again."),
      wait: duration().default(defaults.wait).describe("Wait for others before the first message."),
      every: interval().default(defaults.every).describe("Least time between two messages of a group."),
      mute: z.array(z.string()).default([]).describe("Names of muteTimes in which nobody is told."),
    })
    .prefault({});
}

/** The names of the rules are those of the catalogue. */
export function alertSettingsSchema(ruleNames: readonly string[]) {
  return z.strictObject({
    grafana: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe("For test messages; left out: GRAFANA_URL, else http://127.0.0.1:3000."),
        tokenEnv: variable("GRAFANA_TOKEN"),
        userEnv: variable("GRAFANA_ADMIN_USER"),
        passwordEnv: variable("GRAFANA_ADMIN_PASSWORD"),
      })
      .prefault({}),
    runbook: z
      .string()
      .min(1)
      .default("docs/runbook.md")
      .describe("Address of docs/runbook.md as readers of a message can open it."),
    channels: z
      .record(
        z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "must be in lower case, such as ops-telegram"),
        z.unknown(),
      )
      .default({}),
    routes: z
      .strictObject({
        critical: route({ repeat: "1h", wait: "0s", every: "5s" }),
        warning: route({ repeat: "4h", wait: "5s", every: "1m" }),
        info: route({ repeat: "12h", wait: "30s", every: "5m" }),
      })
      .prefault({}),
    escalation: z
      .strictObject({
        afterMinutes: z
          .int()
          .min(1)
          .max(1440)
          .default(15)
          .describe("A critical alert that nobody has acknowledged by then goes to these channels."),
        channels: z.array(z.string()).optional().describe("Left out: the pagers, else all."),
        enabled: z.boolean().default(true).describe("false: nobody is told twice."),
      })
      .prefault({}),
    muteTimes: z.array(muteTime).default([]),
    rules: z
      .partialRecord(
        z.enum(ruleNames),
        z.strictObject({
          enabled: z.boolean().default(true).describe("false: paused in Grafana."),
          threshold: z.number().optional().describe("Beyond it the alert fires."),
          recover: z.number().optional().describe("Where a firing alert ends."),
          for: duration().optional().describe("How long it must be so."),
          severity: z.enum(["critical", "warning", "info"]).optional().describe("Which route it takes."),
        }),
      )
      .default({}),
  });
}

/** As it is written; `channels` are read by type (channels.ts). */
export type AlertSettings = Readonly<z.output<ReturnType<typeof alertSettingsSchema>>>;
export type MuteTime = Readonly<z.output<typeof muteTime>>;

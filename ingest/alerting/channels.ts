// Channels of alerts.yaml → receivers of Grafana. Which settings a receiver has is Grafana's business
// (receivers/<type>/v1/config.go of its alerting library). Pure: gets the variables, never asks for them.
import type { Environment } from "../config/substitute.ts";
import { retyped } from "./retyped.ts";
import type { ChannelSettings, ChannelType } from "./settings.ts";

/** A variable that Grafana reads when it starts; its value is nowhere in a file. */
interface FromEnv {
  readonly env: string;
  /** The setting may become a whole number on the way. */
  readonly mayBeNumber?: boolean;
}

type Value = string | number | boolean | FromEnv;

/** A channel as alerts.yaml describes it, or one of the defaults. */
export type Channel = {
  [T in ChannelType]: { readonly name: string; readonly type: T; readonly settings: ChannelSettings[T] };
}[ChannelType];

/** What Grafana gets. */
export interface Receiver {
  readonly uid: string;
  readonly type: string;
  readonly disableResolveMessage: false;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

const template = (name: string) => `{{ template "tickwatch.${name}" . }}`;

/** Name of the contact point of a channel. */
export function contactPointName(channel: string): string {
  return `tickwatch-${channel}`;
}

/** The receiver, or why there can be none. */
export function receiverOf(
  channel: Channel,
  env: Environment,
): { readonly receiver: Receiver } | { readonly leftOut: string } {
  const values = valuesOf(channel);
  const references = Object.values(values).filter((value) => typeof value === "object");
  const missing = references.filter(({ env: name }) => !env[name]).map(({ env: name }) => name);
  if (missing.length > 0) {
    return { leftOut: `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set` };
  }
  for (const { env: name, mayBeNumber } of references) {
    const type = retyped(env[name] ?? "");
    if (type === "text" || (type === "integer" && mayBeNumber === true)) continue;
    return {
      leftOut: `the value of ${name} reads as a ${type === "boolean" ? "truth value" : "number"}, and Grafana would not start with it`,
    };
  }
  const settings = Object.entries(values).map(([key, value]) => [key, written(value)]);
  return {
    receiver: {
      uid: contactPointName(channel.name),
      type: channel.type,
      disableResolveMessage: false,
      settings: Object.fromEntries(settings),
    },
  };
}

/** `$NAME` and not `${NAME}`: that one is expanded twice, and a `$` in the secret would be lost. */
function written(value: Value): string | number | boolean {
  if (typeof value === "object") return `$${value.env}`;
  return typeof value === "string" ? value.replaceAll("$", "$$$$") : value;
}

function valuesOf(channel: Channel): Readonly<Record<string, Value>> {
  switch (channel.type) {
    case "telegram":
      return telegram(channel.settings);
    case "discord":
      return {
        url: { env: channel.settings.urlEnv },
        title: template("title"),
        message: template("discord"),
        use_discord_username: true,
      };
    case "email":
      return {
        addresses: channel.settings.addresses?.join(";") ?? { env: channel.settings.addressesEnv },
        singleEmail: channel.settings.single,
        subject: template("title"),
        message: template("text"),
      };
    case "slack":
      return slack(channel.settings);
    case "pagerduty":
      return {
        integrationKey: { env: channel.settings.integrationKeyEnv },
        severity: "{{ .CommonLabels.severity }}",
        summary: template("title"),
        source: "tickwatch",
        client: "tickwatch",
      };
    case "opsgenie":
      return {
        apiKey: { env: channel.settings.apiKeyEnv },
        apiUrl: channel.settings.apiUrl,
        message: template("title"),
        description: template("text"),
        autoClose: true,
      };
    case "webhook":
      return webhook(channel.settings);
  }
}

function telegram(settings: ChannelSettings["telegram"]): Readonly<Record<string, Value>> {
  const { botTokenEnv, chatIdEnv, chatId, threadId, silent } = settings;
  return {
    bottoken: { env: botTokenEnv },
    chatid: chatId === undefined ? { env: chatIdEnv, mayBeNumber: true } : String(chatId),
    ...(threadId === undefined ? {} : { message_thread_id: String(threadId) }),
    message: template("telegram"),
    parse_mode: "HTML",
    disable_web_page_preview: true,
    disable_notifications: silent,
  };
}

function slack(settings: ChannelSettings["slack"]): Readonly<Record<string, Value>> {
  const { urlEnv, tokenEnv, recipient } = settings;
  return {
    ...(recipient === undefined ? { url: { env: urlEnv } } : { token: { env: tokenEnv }, recipient }),
    username: "tickwatch",
    title: template("title"),
    text: template("slack"),
  };
}

function webhook(settings: ChannelSettings["webhook"]): Readonly<Record<string, Value>> {
  const { urlEnv, url, authorizationEnv } = settings;
  return {
    url: url ?? { env: urlEnv },
    httpMethod: "POST",
    ...(authorizationEnv === undefined
      ? {}
      : { authorization_scheme: "Bearer", authorization_credentials: { env: authorizationEnv } }),
    title: template("title"),
    message: template("text"),
  };
}

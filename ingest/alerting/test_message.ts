// Test messages: which contact points get one, what it says, and how Grafana is reached. Pure.
import type { Environment } from "../config/substitute.ts";
import { contactPointName } from "./channels.ts";
import type { ContactPoint, GrafanaAccess, TestAlert } from "./grafana_api.ts";
import type { AlertSettings } from "./settings.ts";
import { TEST_LABEL } from "./webhook_message.ts";

const URL_DEFAULT = "http://127.0.0.1:3000";

/** A token before a user with a password; without either Grafana may still let anybody in. */
export function grafanaAccess({ grafana }: AlertSettings, env: Environment): GrafanaAccess {
  const url = (grafana.url ?? (env["GRAFANA_URL"] || URL_DEFAULT)).replace(/\/+$/, "");
  const token = env[grafana.tokenEnv];
  if (token) return { url, authorization: `Bearer ${token}` };
  const password = env[grafana.passwordEnv];
  if (!password) return { url, authorization: undefined };
  const login = `${env[grafana.userEnv] || "admin"}:${password}`;
  return { url, authorization: `Basic ${Buffer.from(login).toString("base64")}` };
}

const PREFIX = contactPointName("");

/** The channel of a contact point of ours; undefined for one of somebody else. */
export function channelName({ title }: ContactPoint): string | undefined {
  return title.startsWith(PREFIX) ? title.slice(PREFIX.length) : undefined;
}

/** The history knows it by its label, and writes nothing. */
export const TEST_ALERT: TestAlert = {
  labels: { alertname: "TickwatchTest", severity: "info", [TEST_LABEL]: "true" },
  annotations: {
    summary: "This is a test: tickwatch reaches you here. Nothing is wrong.",
    value: "42",
    limit: "above 41",
    runbook_url: "docs/runbook.md",
  },
};

// A Grafana of its own on a free port, with an empty data folder and the provisioning that a user mounts. Whatever it
// starts (the plugin's backend) ends with it.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import * as z from "zod";
import { freePort } from "../../ingest/questdb/free_port.ts";
import { until } from "../support/questdb_until.ts";
import { newFamily } from "../support/service_family.ts";
import { GrafanaApi } from "./grafana_api.ts";
import { type Installation, QUESTDB_PLUGIN } from "./installation.ts";

/** How often Grafana's scheduler looks at the rules: what Compose sets, or Grafana's own 10 s. */
export type Tick = "2s" | "default";

export interface GrafanaOptions {
  readonly installation: Installation;
  /** Folder with dashboards/, datasources/, alerting/. */
  readonly provisioning: string;
  /** What the provisioning's files read from the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly tick: Tick;
}

export interface Grafana {
  readonly url: string;
  /** Of the user admin. */
  readonly password: string;
  readonly api: GrafanaApi;
  /** All that it has logged. */
  log(): string;
  stop(): Promise<void>;
}

const START_MS = 120_000;
const STOP_MS = 20_000;
const ADMIN = "admin";

/** What Compose sets for the short tick. */
const TICK_VARIABLES = [
  "GF_FEATURE_TOGGLES_ENABLE",
  "GF_UNIFIED_ALERTING_SCHEDULER_TICK_INTERVAL",
  "GF_UNIFIED_ALERTING_MIN_INTERVAL",
];

/** Starts it; resolves when it answers and everything is provisioned. Rejects with its log when it ends before. */
export async function startGrafana(options: GrafanaOptions): Promise<Grafana> {
  const { installation } = options;
  const data = await mkdtemp(join(tmpdir(), "tickwatch-test-grafana-"));
  const port = await freePort(0, new Set());
  const url = `http://127.0.0.1:${port}`;
  const password = randomBytes(18).toString("base64url");
  const family = newFamily();
  const env = { ...settings(options, port, password), ...family.env };
  const child =
    installation.kind === "folder"
      ? fromFolder(installation, data, env)
      : fromImage(installation, options.provisioning, env);
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (log += text));
  const closed = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    // In order: Grafana gives its plugins none of our environment, so only itself can find and end them.
    child.kill("SIGTERM");
    await Promise.race([closed, delay(STOP_MS, undefined, { ref: false })]);
    await family.end();
    await closed;
    await rm(data, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await until(
      "Grafana to answer",
      async () => {
        if (child.exitCode !== null) throw new Error("Grafana ended");
        const answer = await fetch(`${url}/api/health`).catch(() => undefined);
        return answer?.ok;
      },
      START_MS,
    );
    return { url, password, api: await GrafanaApi.login(url, ADMIN, password), log: () => log, stop };
  } catch (cause) {
    await stop();
    throw new Error(`Grafana did not start; its log:\n${log.slice(-20_000)}`, { cause });
  }
}

function settings(
  { provisioning, env, tick }: GrafanaOptions,
  port: number,
  password: string,
): Record<string, string> {
  return {
    GF_SERVER_HTTP_ADDR: "127.0.0.1",
    GF_SERVER_HTTP_PORT: String(port),
    GF_SECURITY_ADMIN_USER: ADMIN,
    GF_SECURITY_ADMIN_PASSWORD: password,
    GF_PATHS_PROVISIONING: provisioning,
    // It has nobody to talk to, and asks nobody for updates.
    GF_ANALYTICS_ENABLED: "false",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    GF_NEWS_NEWS_FEED_ENABLED: "false",
    GF_SECURITY_DISABLE_GRAVATAR: "true",
    GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS: QUESTDB_PLUGIN,
    GF_LOG_MODE: "console",
    GF_LOG_LEVEL: "info",
    ...composeSettings(tick),
    ...env,
  };
}

/** Time zone and alerting as docker-compose.yml sets them. */
function composeSettings(tick: Tick): Record<string, string> {
  const text = readFileSync(new URL("../../docker-compose.yml", import.meta.url), "utf8");
  const { services } = Compose.parse(parse(text, { merge: true }));
  const isOurs = (name: string) =>
    TICK_VARIABLES.includes(name) ? tick === "2s" : /^GF_(UNIFIED_ALERTING|DATE_FORMATS)_/.test(name);
  return Object.fromEntries(Object.entries(services.grafana.environment).filter(([name]) => isOurs(name)));
}

const Compose = z.object({
  services: z.object({ grafana: z.object({ environment: z.record(z.string(), z.string()) }) }),
});

function fromFolder(
  { home, plugins }: { readonly home: string; readonly plugins: string },
  data: string,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const own = {
    PATH: process.env["PATH"] ?? "",
    HOME: data,
    GF_PLUGINS_PREINSTALL_DISABLED: "true",
    GF_PATHS_DATA: data,
    GF_PATHS_LOGS: data,
    GF_PATHS_PLUGINS: plugins,
  };
  return spawn(join(home, "bin/grafana"), ["server", "--homepath", home], {
    env: { ...own, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function fromImage(
  { image }: { readonly image: string },
  provisioning: string,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const variables = Object.keys(env).flatMap((name) => ["--env", name]);
  const mount = ["--volume", `${provisioning}:${provisioning}:ro`];
  // As ourselves: the image's own user may not read a temporary folder of ours, and Grafana would start with nothing in
  // it. Nor could we find and end processes of that user.
  const user = ["--user", `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`];
  return spawn("docker", ["run", "--rm", "--network", "host", ...user, ...mount, ...variables, image], {
    env: { ...process.env, ...env, GF_PLUGINS_PREINSTALL_SYNC: `${QUESTDB_PLUGIN}@0.1.8` },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

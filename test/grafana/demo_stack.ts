// The whole of it, as a person has it who tries tickwatch: the demo with its QuestDB and simulated exchanges, Grafana
// with the repository's provisioning, and a webhook of ours as the channel that is told. On free ports, in folders of
// its own; nothing of it outlives `stop()`.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCatalogue } from "../../ingest/alerting/catalogue.ts";
import { generateAlerts } from "../../ingest/alerting/generate.ts";
import { defaultAlertSettings } from "../../ingest/alerting/load.ts";
import type { FaultInput } from "../../ingest/demo/simulator/simulator.ts";
import { loadCredentials } from "../../ingest/questdb/credentials.ts";
import { openSql, type Sql } from "../../ingest/questdb/sql.ts";
import type { RunInfo } from "../../ingest/run_file.ts";
import { type ServicePlace, servicePlace } from "../support/service_process.ts";
import { type Grafana, startGrafana, type Tick } from "./grafana_server.ts";
import type { Installation } from "./installation.ts";
import { startWebhook, type Webhook } from "./webhook.ts";

export interface DemoStack {
  readonly place: ServicePlace;
  readonly info: RunInfo;
  readonly grafana: Grafana;
  readonly webhook: Webhook;
  /** As the user that may do everything. */
  readonly sql: Sql;
  /** Has the simulated exchanges fail; resolves when the fault is in force. */
  control(fault: FaultInput): Promise<void>;
  stop(): Promise<void>;
}

/** Where Grafana finds QuestDB, as the datasource's file asks for it. */
export interface QuestdbAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Starts all of it; resolves when tickwatch and Grafana are ready. What was started is stopped when the rest is not. */
export async function startDemoStack(installation: Installation, tick: Tick): Promise<DemoStack> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const place = await servicePlace({ command: "demo", keep: true });
    undo.push(() => place.remove());
    const info = await (await place.run()).ready();
    const webhook = await startWebhook();
    undo.push(() => webhook.stop());
    const credentials = await loadCredentials(join(place.dataDir, "demo", "questdb"));
    const [host = "", port] = info.questdb.pg.split(":");
    const { user, password, readonlyUser, readonlyPassword } = credentials;
    const sql = openSql({ host, port: Number(port), database: "qdb", user, password });
    undo.push(() => sql.close());
    const reader = { host, port: Number(port), user: readonlyUser, password: readonlyPassword };
    const provisioned = await provisionedGrafana(installation, tick, reader, {
      TICKWATCH_URL: place.http,
      ALERT_WEBHOOK_URL: webhook.url,
    });
    undo.push(provisioned.stop);
    const { grafana } = provisioned;
    const control = (fault: FaultInput) => postFault(info, fault);
    return { place, info, grafana, webhook, sql, control, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Grafana on a copy of provisioning/ in which the alerting files are those of `npm run alerts` with these variables. */
export async function provisionedGrafana(
  installation: Installation,
  tick: Tick,
  questdb: QuestdbAccess,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly grafana: Grafana; readonly stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-provisioning-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await cp(fileURLToPath(new URL("../../provisioning/", import.meta.url)), folder, { recursive: true });
    await writeAlerts(join(folder, "alerting"), tick, env);
    const grafana = await startGrafana({
      ...{ installation, tick, provisioning: folder },
      env: {
        TICKWATCH_DASHBOARDS: join(folder, "dashboards", "files"),
        QUESTDB_PG_HOST: questdb.host,
        QUESTDB_PG_PORT: String(questdb.port),
        QUESTDB_READONLY_USER: questdb.user,
        QUESTDB_READONLY_PASSWORD: questdb.password,
        ...env,
      },
    });
    return {
      grafana,
      async stop() {
        await grafana.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writeAlerts(folder: string, tick: Tick, env: Readonly<Record<string, string>>): Promise<void> {
  const catalogue = readCatalogue();
  const { files, filesForShortTick } = generateAlerts(catalogue, defaultAlertSettings(catalogue), env);
  const chosen = new Map([...files, ...(tick === "2s" ? filesForShortTick : [])]);
  for (const [name, text] of chosen) await writeFile(join(folder, name), text);
}

async function postFault({ simulator }: RunInfo, fault: FaultInput): Promise<void> {
  const answer = await fetch(`${simulator?.http}/control`, { method: "POST", body: JSON.stringify(fault) });
  if (!answer.ok) throw new Error(`the simulator refused ${JSON.stringify(fault)}: ${await answer.text()}`);
}

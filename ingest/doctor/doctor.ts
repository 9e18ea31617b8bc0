// Puts the checks together: first what needs nothing, then what needs a QuestDB, if one answers. Changes nothing, starts
// nothing.
import { EVENTS } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import type { Clock } from "../clock.ts";
import { dataFolders } from "../config/data_dir.ts";
import type { Config } from "../config/schema.ts";
import { ttlDaysByTable } from "../database.ts";
import type { Log } from "../log.ts";
import { attachQuestdb } from "../questdb/local.ts";
import type { Env } from "../questdb/run_command.ts";
import type { RunningQuestdb } from "../questdb/running.ts";
import { openSql, type Sql } from "../questdb/sql.ts";
import { type Check, type Result, runChecks } from "./check.ts";
import { dataDirCheck, deadLetterCheck, spoolCheck } from "./data_dir_checks.ts";
import { exchangeCheck } from "./exchange_check.ts";
import { findInstance, instanceCheck, portCheck } from "./instance_check.ts";
import { clockCheck, diskCheck, limitsCheck, nodeCheck } from "./machine_checks.ts";
import { type Attachment, loginCheck, questdbCheck } from "./questdb_check.ts";
import { runtimeCheck } from "./runtime_check.ts";
import { clockSkewCheck, serverLimitsCheck, serverSettingsCheck } from "./server_checks.ts";
import { rollupsCheck, suspendedCheck, tablesCheck } from "./table_checks.ts";

export interface DoctorOptions {
  readonly config: Config;
  readonly env: Env;
  readonly cwd: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Such as "20.20.2". */
  readonly nodeVersion: string;
}

/** How long a configured server that does not answer is waited for. */
const ATTACH_MS = 3_000;

/** Longest time for one statement. */
const STATEMENT_MS = 10_000;

/** Yields one result per check, in a fixed order. Never throws for what it finds. */
export async function* diagnose(options: DoctorOptions, signal: AbortSignal): AsyncGenerator<Result> {
  const { config, env, cwd, clock, nodeVersion } = options;
  const { dataDir } = dataFolders(config.dataDir, cwd, false);
  const instance = await findInstance(dataDir);
  const folders = dataFolders(config.dataDir, cwd, instance?.simulator !== undefined);
  const attaching = attach(options, folders.questdbDir, signal);
  const machine = [
    nodeCheck(nodeVersion),
    runtimeCheck(config.questdb, env),
    limitsCheck(),
    clockCheck(clock),
    dataDirCheck(dataDir),
    diskCheck(dataDir, config.spool.bytesMax),
    spoolCheck(folders.spoolDir, config.spool.bytesMax, instance),
    deadLetterCheck(folders.deadLetterDir),
    instanceCheck(instance, dataDir),
    portCheck(config.http.host, config.http.port, instance),
  ];
  yield* runChecks(machine, clock, signal);
  const attachment = await attaching;
  yield* runChecks([questdbCheck(attachment)], clock, signal);
  if (attachment.server !== undefined) yield* inServer(attachment.server, options, signal);
  const exchanges = config.pipeline.exchanges.map((exchange) => exchangeCheck(exchange, clock));
  yield* runChecks(exchanges, clock, signal);
}

async function* inServer(
  server: RunningQuestdb,
  { config, clock }: DoctorOptions,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  yield* runChecks([serverLimitsCheck(server)], clock, signal);
  let login: Result | undefined;
  for await (const result of runChecks([loginCheck(server)], clock, signal)) {
    login = result;
    yield result;
  }
  // Everything below would only repeat that nobody can log in.
  if (login?.level !== "ok") return;
  const sql = openSql({ ...server.pg, timeoutMs: STATEMENT_MS });
  try {
    yield* runChecks(sqlChecks(server, sql, config, clock), clock, signal);
  } finally {
    await sql.close();
  }
}

function sqlChecks(server: RunningQuestdb, sql: Sql, config: Config, clock: Clock): readonly Check[] {
  return [
    serverSettingsCheck(server, sql),
    clockSkewCheck(sql, clock, config.intake.futureMaxS),
    tablesCheck(sql, EVENTS, ttlDaysByTable(config.retention)),
    suspendedCheck(sql, EVENTS),
    rollupsCheck(sql, ROLLUPS),
  ];
}

/** Never rejects: that no server answers is a finding. */
async function attach(
  { config, env, clock, log }: DoctorOptions,
  root: string,
  signal: AbortSignal,
): Promise<Attachment> {
  const { questdb } = config;
  const options = { questdb, root, env, clock, log, externalTimeoutMs: ATTACH_MS };
  try {
    const server = await attachQuestdb({ ...options, onProgress: () => undefined }, signal);
    return server === undefined ? {} : { server };
  } catch (error) {
    return { error };
  }
}

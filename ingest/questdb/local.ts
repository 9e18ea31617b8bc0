// Finds the QuestDB to work with, or starts one. Order: an address that is configured; a server that runs for this data
// folder already; a Docker engine that answers; Java, with a jar from the cache or from Maven.
// Knows nothing of tables, and prints nothing: progress goes to a callback.
import { stat } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { dockerEngine } from "./docker_engine.ts";
import { dockerEnvFile } from "./docker_server.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { useExternal } from "./external_server.ts";
import { javaDataFolder, javaEngine } from "./java_engine.ts";
import { adoptRunning, makeRoot, type OwnedOptions, shareRunning, startNew } from "./owned_server.ts";
import type { Env } from "./run_command.ts";
import type { QuestdbChoice, RunningQuestdb } from "./running.ts";
import { withStartLock } from "./start_lock.ts";
import { type Findings, installAdvice } from "./toolchain.ts";

export type { PgAddress, QuestdbChoice, RunningQuestdb } from "./running.ts";
export type { Restart } from "./supervisor.ts";

/** Port of the health check and Prometheus text of a started server; the next free one when it is in use. */
const MIN_HTTP_PORT = 9003;
const EXTERNAL_READY_MS = 15_000;
/** Longer than any download: two first starts at once wait for each other. */
const LOCK_MS = 20 * 60_000;

export interface FindOptions {
  readonly questdb: QuestdbChoice;
  /** Folder of a started server, absolute; made when needed. One server per folder. */
  readonly root: string;
  /** Environment for PATH, JAVA_HOME, DOCKER_HOST, HOME, XDG_CACHE_HOME. */
  readonly env: Env;
  readonly clock: Clock;
  readonly log: Log;
  readonly onProgress: (message: string) => void;
  /** Where the jar is kept; by default `tickwatch` in the user's cache folder. */
  readonly cacheDir?: string;
  /** How long an external server may take to answer. */
  readonly externalTimeoutMs?: number;
}

/**
 * A QuestDB that answers and is new enough. Errors: ENVIRONMENT says what to install or free, DB_UNAVAILABLE that a
 * configured server does not answer, CONFIG_INVALID that its address is none. On abort a server being started is ended.
 */
export async function findQuestdb(options: FindOptions, signal: AbortSignal): Promise<RunningQuestdb> {
  const { questdb, root, clock } = options;
  if (questdb.url !== undefined) {
    const timeoutMs = options.externalTimeoutMs ?? EXTERNAL_READY_MS;
    return await useExternal(questdb.url, questdb, { clock, timeoutMs }, signal);
  }
  if (questdb.start === "never") {
    const message =
      "no QuestDB to use: questdb.start is never, and neither questdb.url nor QUESTDB_URL is set";
    throw new TickwatchError("CONFIG_INVALID", message);
  }
  await makeRoot(root);
  const onWait = ({ pid }: { readonly pid: number }) =>
    options.onProgress(`waiting for process ${pid}, which is starting QuestDB`);
  return await withStartLock(
    { root, clock, timeoutMs: LOCK_MS, onWait },
    () => adoptOrStart(options, signal),
    signal,
  );
}

/**
 * The QuestDB that runs already: the configured one, or the one of this data folder, which stays in the hands of the
 * process that looks after it. Starts nothing; undefined when none runs. For commands beside a running service.
 */
export async function attachQuestdb(
  options: FindOptions,
  signal: AbortSignal,
): Promise<RunningQuestdb | undefined> {
  if (options.questdb.url !== undefined) return await findQuestdb(options, signal);
  for (const engine of enginesOf(options)) {
    const shared = await shareRunning(engine, ownedOptions(options), signal);
    if (shared !== undefined) return shared;
  }
  return undefined;
}

async function adoptOrStart(options: FindOptions, signal: AbortSignal): Promise<RunningQuestdb> {
  const owned = ownedOptions(options);
  const engines = enginesOf(options);
  for (const engine of engines) {
    const adopted = await adoptRunning(engine, owned, signal);
    if (adopted !== undefined) return adopted;
  }
  const allowed = await allowedKind(options);
  let findings: Findings = {};
  const failures: string[] = [];
  const passOver = (failure: string | undefined) => {
    if (failure === undefined) return;
    failures.push(failure);
    options.onProgress(failure);
  };
  for (const engine of engines) {
    if (allowed.kind !== undefined && engine.kind !== allowed.kind) continue;
    const preparation = await engine.prepare(signal);
    findings = { ...findings, ...preparation.findings };
    if (!preparation.usable) {
      passOver(preparation.failure);
      continue;
    }
    const notes = [
      ...failures.map(passedOver),
      ...(preparation.note === undefined ? [] : [preparation.note]),
    ];
    try {
      return await startNew(engine, owned, notes, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The first start in this folder may try what is left; a folder with tables has no choice.
      if (allowed.kind !== undefined || engine === engines.at(-1)) throw error;
      passOver(messageOf(error));
    }
  }
  if (allowed.why !== undefined) failures.push(allowed.why);
  throw new TickwatchError("ENVIRONMENT", installAdvice(findings, failures));
}

function passedOver(failure: string): string {
  return `another way to run QuestDB was passed over: ${failure.split("\n")[0]}`;
}

/** In the order they are tried. */
function enginesOf(options: FindOptions): readonly Engine[] {
  return [dockerEngine(engineOptions(options)), javaEngine(engineOptions(options))];
}

/**
 * The one engine that may be used, if not any. A folder whose tables were written by one engine stays with it: the other
 * would start empty beside them, and the data would seem lost.
 */
async function allowedKind(
  options: FindOptions,
): Promise<{ readonly kind?: Engine["kind"]; readonly why?: string }> {
  const { root, questdb } = options;
  if (questdb.start === "java" || questdb.start === "docker") return { kind: questdb.start };
  const why = (name: string) =>
    `the tables of ${root} were written by QuestDB under ${name}, so nothing else is tried; move that folder away to begin empty`;
  if (await exists(javaDataFolder(root))) return { kind: "java", why: why("Java") };
  if (await exists(dockerEnvFile(root))) return { kind: "docker", why: why("Docker") };
  return {};
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function engineOptions(options: FindOptions): EngineOptions {
  const { root, env, clock, onProgress, questdb, cacheDir } = options;
  const base = { root, env, clock, onProgress, version: questdb.version };
  return cacheDir === undefined ? base : { ...base, cacheDir };
}

function ownedOptions(options: FindOptions): OwnedOptions {
  const { root, questdb, clock, log, onProgress } = options;
  const { httpPort, pgPort, version } = questdb;
  const minHttp = httpPort === 0 ? 0 : MIN_HTTP_PORT;
  return {
    root,
    version,
    ports: { http: httpPort, pg: pgPort, minHttp },
    clock,
    log,
    onProgress,
  };
}

// The service: everything that `tickwatch start` and `demo` run, put together and taken apart in order. Start: spool,
// QuestDB and its tables, gateway, sources. Stop: sources, gateway, intake, delivery, QuestDB.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EVENTS, findEvent } from "../schema/registry.ts";
import { ROLLUPS } from "../schema/rollups.ts";
import { microsToIso } from "../schema/timestamp_text.ts";
import { createAlertDesk } from "./alerting/alert_desk.ts";
import { statesFinder } from "./alerting/alert_states.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config/schema.ts";
import { fileRunMarkerStore } from "./daemon/run_marker.ts";
import { createSupervisor } from "./daemon/supervisor.ts";
import {
  type ConnectedDatabase,
  type ConnectOptions,
  connectDatabase,
  connectEventually,
} from "./database.ts";
import { type DemoExchanges, demoConfig, startDemoDaemon, startDemoExchanges } from "./demo/demo.ts";
import { TickwatchError } from "./errors.ts";
import { type Gateway, startGateway } from "./gateway/gateway.ts";
import type { ServiceStatus } from "./gateway/status.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics/record.ts";
import { openPipeline, type Pipeline, ttlDaysOf } from "./pipeline.ts";
import { pollTables } from "./questdb/health.ts";
import { readLiveRollups } from "./questdb/live_rollups.ts";
import { createStateWatch, type StoreState } from "./questdb/state_watch.ts";
import { readTableSizes } from "./questdb/table_sizes.ts";
import { type RunInfo, removeRunFile, writeRunFile } from "./run_file.ts";
import { createSources } from "./sources/registry.ts";
import type { Push } from "./sources/source.ts";
import { tableHealth } from "./table_health.ts";

export type { RunInfo } from "./run_file.ts";

export interface ServiceOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
  /** Environment for finding Docker, Java and Maven. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The data folder is relative to it. */
  readonly cwd: string;
  readonly onProgress?: (message: string) => void;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
  /** Simulated exchanges and a simulated trading daemon instead of the configured exchanges. */
  readonly demo?: boolean;
}

export interface StopReport {
  /** Rows that QuestDB acknowledged since the start. */
  readonly writtenRows: number;
  /** Rows that wait in the spool for the next start. */
  readonly pendingRows: number;
}

export interface RunningService {
  /** What run.json says at this moment. */
  readonly info: RunInfo;
  /** Stops in order within ten seconds; what QuestDB has not taken by then waits in the spool. May be called again. */
  stop(): Promise<StopReport>;
  /** Rejects when the service cannot go on. */
  readonly failed: Promise<never>;
}

/**
 * Starts the service. When it rejects, everything it had started is stopped again. Errors: those of openPipeline,
 * connectDatabase and startGateway.
 */
export async function startService(config: Config, options: ServiceOptions): Promise<RunningService> {
  const service = new Service(config, options);
  try {
    await service.start();
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** Shares of the ten seconds that an ordered stop may take: twice for the sources, then the requests under way. */
const SOURCES_GRACE_MS = 1_500;
const REQUESTS_GRACE_MS = 2_000;

/** A configured QuestDB that takes longer to answer is waited for in the background: producers must not wait for it. */
const EXTERNAL_READY_MS = 3_000;
const RUN_FILE_RETRY_MS = 1_000;

class Service implements RunningService {
  readonly failed: Promise<never>;
  #config: Config;
  readonly #options: ServiceOptions;
  readonly #instance: string;
  readonly #runDir: string;
  readonly #dataDir: string;
  readonly #metrics = createMetrics({ processMetrics: true });
  readonly #stopSources = new AbortController();
  readonly #stopAll = new AbortController();
  readonly #startedUs: number;
  #state: ServiceStatus["state"] = "starting";
  #pipeline: Pipeline | undefined;
  #database: ConnectedDatabase | undefined;
  /** Why there was no QuestDB at the start. */
  #missing: string | undefined;
  #gateway: Gateway | undefined;
  #exchanges: DemoExchanges | undefined;
  #daemon: { stop(): Promise<void> } | undefined;
  #supervisor: ReturnType<typeof createSupervisor> | undefined;
  #suspended: () => ReadonlyMap<string, string> = () => new Map();
  #states: () => ReadonlyMap<string, StoreState> = () => new Map();
  #background: Promise<void>[] = [];
  #sourcesEnded: Promise<void> = Promise.resolve();
  #stopped: Promise<StopReport> | undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(config: Config, options: ServiceOptions) {
    this.#config = config;
    this.#options = options;
    this.#instance = config.instance ?? "tickwatch";
    this.#runDir = resolve(options.cwd, config.dataDir);
    this.#dataDir = options.demo ? join(this.#runDir, "demo") : this.#runDir;
    this.#startedUs = options.clock.nowUs();
    this.failed = new Promise<never>((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  get info(): RunInfo {
    const server = this.#database?.server;
    const { questdb } = this.#config;
    const configured = new URL(questdb.url ?? "http://127.0.0.1:9000");
    return {
      pid: process.pid,
      version: this.#options.version,
      http: this.#gateway?.url ?? "",
      questdb: {
        http: server?.http ?? configured.origin,
        pg: server
          ? `${server.pg.host}:${server.pg.port}`
          : `${questdb.pgHost ?? configured.hostname}:${questdb.pgPort}`,
        version: server?.version ?? null,
        pid: server?.pid ?? null,
      },
      startedAt: microsToIso(this.#startedUs),
      ...(this.#exchanges ? { simulator: { pid: this.#exchanges.pid, http: this.#exchanges.url } } : {}),
    };
  }

  async start(): Promise<void> {
    const { log, clock, env, demo, version } = this.#options;
    await mkdir(this.#dataDir, { recursive: true });
    const pipeline = await openPipeline({
      config: this.#config,
      dataDir: this.#dataDir,
      clock,
      random: Math.random,
      log,
      metrics: this.#metrics,
      onServerState: (up, message) => this.#serverChanged(up, message),
    });
    this.#pipeline = pipeline;
    if (demo) {
      this.#exchanges = await startDemoExchanges({ clock, log, env });
      this.#config = demoConfig(this.#config, this.#exchanges.url);
      this.#exchanges.onRestart(() => this.#writeRunFile());
    }
    await this.#connect(pipeline);
    this.#gateway = await startGateway({
      config: gatewayConfig(this.#config.http),
      accept: (table, rows) => pipeline.intake.accept(table, rows),
      acceptLines: (table, text) => pipeline.intake.acceptLines(table, text),
      replay: (filter) => pipeline.replayDeadLetters(filter),
      alerts: createAlertDesk({
        accept: (rows) => pipeline.intake.accept("alerts", rows),
        findStates: statesFinder(() => this.#database?.sql),
        ...{ clock, log },
      }),
      metrics: this.#metrics,
      status: () => this.#status(),
      ttlDaysOf: (table) => {
        const event = findEvent(table);
        return event === undefined ? 0 : ttlDaysOf(event, this.#config.retention);
      },
      version,
      log,
      clock,
      stopTimeoutMs: REQUESTS_GRACE_MS,
    });
    this.#startSources(pipeline);
    if (demo) this.#daemon = startDemoDaemon(this.#gateway.url, this.#config.http.keys[0]?.key, env);
    this.#state = "running";
    await this.#writeRunFile();
  }

  stop(): Promise<StopReport> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<StopReport> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + this.#config.daemon.shutdownMs;
    this.#state = "stopping";
    this.#stopSources.abort("stopped in order");
    await Promise.all([this.#daemon?.stop(), this.#sourcesEnded]);
    await Promise.all([this.#gateway?.stop(), this.#exchanges?.stop()]);
    const pendingRows = (await this.#pipeline?.stop(Math.max(1_000, deadlineMs - clock.monotonicMs()))) ?? 0;
    this.#stopAll.abort();
    await Promise.all(this.#background);
    await this.#database?.close();
    await this.#database?.server.stop();
    this.#metrics.close();
    await removeRunFile(this.#runDir, process.pid);
    const ledger = this.#pipeline?.ledger;
    const writtenRows = EVENTS.reduce((sum, { name }) => sum + (ledger?.counts(name).written ?? 0), 0);
    return { writtenRows, pendingRows };
  }

  /** A QuestDB of our own must start; a configured one may come later. */
  async #connect(pipeline: Pipeline): Promise<void> {
    const { log, clock, onProgress, env } = this.#options;
    const connect: ConnectOptions = {
      config: this.#config,
      find: {
        questdb: this.#config.questdb,
        root: join(this.#dataDir, "questdb"),
        env,
        clock,
        log,
        onProgress: onProgress ?? (() => undefined),
        externalTimeoutMs: EXTERNAL_READY_MS,
      },
      clock,
      log,
    };
    const signal = AbortSignal.any([
      this.#stopAll.signal,
      ...(this.#options.signal ? [this.#options.signal] : []),
    ]);
    try {
      this.#connected(pipeline, await connectDatabase(connect, signal));
    } catch (error) {
      const mayCome =
        this.#config.questdb.url !== undefined &&
        error instanceof TickwatchError &&
        error.code === "DB_UNAVAILABLE";
      if (!mayCome || signal.aborted) throw error;
      log.warn(
        { err: error },
        "the configured QuestDB does not answer; rows are kept in the spool until it does",
      );
      this.#missing = error.message;
      this.#background.push(this.#connectLater(pipeline, connect, error.code));
    }
  }

  async #connectLater(pipeline: Pipeline, connect: ConnectOptions, logged: string): Promise<void> {
    const database = await connectEventually(connect, logged, this.#stopAll.signal);
    if (database === undefined) return;
    if (this.#state === "stopping") {
      await database.close();
      return;
    }
    this.#options.log.info(
      { version: database.server.version },
      "QuestDB answers; waiting rows are delivered",
    );
    this.#connected(pipeline, database);
    await this.#writeRunFile();
  }

  #connected(pipeline: Pipeline, database: ConnectedDatabase): void {
    const { log, clock } = this.#options;
    this.#database = database;
    for (const note of database.server.notes) log.warn({ note }, "about this QuestDB");
    pipeline.deliverTo(database);
    database.server.onRestart(({ downtimeMs }) => {
      this.#reportError(
        "questdb",
        "error",
        "QUESTDB_RESTARTED",
        `QuestDB ended unexpectedly; back after ${Math.round(downtimeMs)} ms`,
      );
      pipeline.delivery?.resend();
      this.#background.push(this.#writeRunFile());
    });
    const watch = createStateWatch({
      readTables: (signal) => pollTables(database.sql, signal),
      readRollups: (signal) => readLiveRollups(database.sql, signal),
      tables: new Set(EVENTS.map((event) => event.name)),
      rollups: new Set(ROLLUPS.map((rollup) => rollup.name)),
      clock,
      log,
      metrics: this.#metrics,
      onTrouble: (name, { state, reason }) =>
        state === "suspended"
          ? this.#reportError("questdb", "critical", "TABLE_SUSPENDED", `${name}: ${reason}`)
          : this.#reportError("questdb", "error", "ROLLUP_BROKEN", `${name} is ${state}: ${reason}`),
    });
    this.#suspended = watch.suspended;
    this.#states = watch.states;
    this.#background.push(watch.run(this.#stopAll.signal));
  }

  #startSources(pipeline: Pipeline): void {
    const { log, clock, version } = this.#options;
    const context = { clock, log, instance: this.#instance };
    const push: Push = (table, rows) => pipeline.intake.accept(table, rows);
    const sources = createSources({
      config: this.#config,
      context,
      metrics: this.#metrics,
      spoolDir: pipeline.spoolDir,
      restarts: () => this.#supervisor?.restarts() ?? 0,
      tableHealth: () => tableHealth(pipeline, this.#states(), clock.nowUs()),
      tableSizes: async (signal) => {
        if (this.#database === undefined)
          throw new TickwatchError("DB_UNAVAILABLE", "QuestDB has not answered yet");
        const names = [...EVENTS, ...ROLLUPS].map(({ name }) => name);
        return readTableSizes(this.#database.sql, names, signal);
      },
    });
    const supervisor = createSupervisor({
      ...{ sources, push, context, version, metrics: this.#metrics, daemonName: this.#config.daemon.name },
      marker: fileRunMarkerStore(this.#dataDir),
      graceMs: SOURCES_GRACE_MS,
    });
    this.#supervisor = supervisor;
    if (this.#missing !== undefined) this.#reportError("questdb", "error", "DB_UNAVAILABLE", this.#missing);
    this.#sourcesEnded = supervisor
      .run(this.#stopSources.signal)
      .catch((error: unknown) => this.#fail(error));
  }

  #serverChanged(up: boolean, message: string): void {
    const { log } = this.#options;
    if (up) {
      log.info("QuestDB takes rows again");
      return;
    }
    log.warn({ answer: message }, "QuestDB does not take rows; they wait in the spool");
    this.#reportError("questdb", "error", "DB_UNAVAILABLE", message);
  }

  #reportError(component: string, severity: "error" | "critical", code: string, message: string): void {
    this.#supervisor?.reportError({ component, severity, code, message });
  }

  /** A full disk has no room for run.json until waiting rows are delivered: that must not keep them from it. */
  async #writeRunFile(): Promise<void> {
    if (this.#state === "stopping") return;
    try {
      await writeRunFile(this.#runDir, this.info);
    } catch (err) {
      this.#options.log.warn({ err }, "run.json could not be written; it is tried again until it can");
      this.#background.push(this.#repeatRunFile());
    }
  }

  async #repeatRunFile(): Promise<void> {
    for (let isMissing = true; isMissing; ) {
      await this.#options.clock.sleep(RUN_FILE_RETRY_MS, this.#stopAll.signal);
      if (this.#state === "stopping") return;
      isMissing = await writeRunFile(this.#runDir, this.info).then(
        () => false,
        () => true,
      );
    }
  }

  #status(): ServiceStatus {
    const delivery = this.#pipeline?.delivery;
    const isFull = this.#pipeline?.spool.isFull ?? false;
    const diskTrouble = this.#pipeline?.diskTrouble;
    const problems = [
      ...(delivery === undefined ? ["QuestDB has not answered yet: rows wait in the spool"] : []),
      ...(delivery?.server.isUp === false ? ["QuestDB does not answer: rows wait in the spool"] : []),
      ...(isFull ? ["the spool has reached spool.bytesMax: rows are refused"] : []),
      ...(diskTrouble === undefined ? [] : [`${diskTrouble}: rows are refused`]),
      ...(delivery?.troubles() ?? []).map(
        (lane) => `${lane.table} cannot be written: ${lane.trouble?.message ?? ""}`,
      ),
      ...[...this.#suspended()].map(([table, reason]) => `${table} is suspended: ${reason}`),
    ];
    return {
      state: this.#state,
      ready: this.#state === "running" && !isFull,
      problems,
      questdb: { up: delivery?.server.isUp ?? false, since: delivery?.server.sinceUs ?? null },
    };
  }
}

/** Every key was read from where it is kept when the configuration was loaded. */
function gatewayConfig(http: Config["http"]) {
  return { ...http, keys: http.keys.flatMap(({ name, key }) => (key === undefined ? [] : [{ name, key }])) };
}

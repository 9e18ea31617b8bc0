// The writer, put together: intake → frames → spool → delivery. Builds the stages and connects them; no logic of its
// own beyond the order in which they start and stop.
import { join } from "node:path";
import type { EventDefinition } from "../schema/define.ts";
import { EVENTS } from "../schema/registry.ts";
import { microsToIso } from "../schema/timestamp_text.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config/schema.ts";
import { Delivery } from "./deliver/delivery.ts";
import type { IlpHttp } from "./deliver/ilp_http.ts";
import { QueryableProbe, type QueryableProbeOptions } from "./deliver/queryable_probe.ts";
import { openDeadLetters } from "./intake/dead_letter.ts";
import { createIntake, type Intake } from "./intake/intake.ts";
import { type ReplayFilter, type ReplayResult, replayDeadLetters } from "./intake/replay.ts";
import type { Log } from "./log.ts";
import { createLedger, type Ledger } from "./metrics/ledger.ts";
import type { Metrics } from "./metrics/record.ts";
import { takeLock } from "./spool/lock.ts";
import { createRoom } from "./spool/room.ts";
import { openSpool, type Spool } from "./spool/spool.ts";
import { openFolder } from "./spool/storage.ts";

export interface PipelineOptions {
  readonly config: Pick<Config, "intake" | "writer" | "spool" | "retention">;
  /** Folder of the spool and the dead letters, absolute. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Hears when QuestDB goes away and when it is back. */
  readonly onServerState?: (up: boolean, message: string) => void;
}

/** What the pipeline needs once QuestDB is there and its tables are. */
export interface Database {
  readonly sender: IlpHttp;
  readonly tableProblem: (table: string) => Promise<string | undefined>;
  readonly readProgress: QueryableProbeOptions["readProgress"];
}

export interface Pipeline {
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly spoolDir: string;
  readonly deadLetterDir: string;
  /** Brings dead letters back through the intake. */
  replayDeadLetters(filter: ReplayFilter): Promise<ReplayResult>;
  /** Begins to deliver. Before that rows are only spooled. */
  deliverTo(database: Database): void;
  /** Undefined before `deliverTo`. */
  readonly delivery: Delivery | undefined;
  readonly probe: QueryableProbe | undefined;
  /** Takes nothing more, delivers what it can within `withinMs`, leaves the rest in the spool. Returns the rows left. May be called again. */
  stop(withinMs: number): Promise<number>;
}

const CURSOR_EVERY_MS = 1_000;

/** Days that rows of a table are kept, by configuration or definition. */
export function ttlDaysOf(event: EventDefinition, retention: Config["retention"]): number {
  const byTable: Readonly<Record<string, number | undefined>> = retention.tables;
  return byTable[event.name] ?? retention.days ?? event.ttlDays;
}

/** Opens the spool (SPOOL_LOCKED when another process has it) and makes the intake ready. */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config, dataDir, clock, log, metrics } = options;
  const spoolDir = join(dataDir, "spool");
  const deadLetterDir = join(dataDir, "dead-letter");
  const storage = await openFolder(spoolDir);
  const lock = await takeLock(spoolDir, microsToIso(clock.nowUs()));
  const ledger = createLedger(metrics);
  const spool = await openSpool({
    storage,
    ...config.spool,
    nowUs: () => clock.nowUs(),
    onDamage: ({ segment, at, rows }) => {
      log.error({ segment, at, rows }, "the disk changed spooled data; those rows are lost");
      ledger.deadLettered("unknown", "spool_damage", rows ?? 1);
    },
  }).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  logRecovery(log, spool);
  const deadLetters = await openDeadLetters({
    folder: deadLetterDir,
    bytesMax: config.intake.deadLetterBytesMax,
    nowUs: () => clock.nowUs(),
    onDropped: (entries) => {
      metrics.count("tickwatch_dead_letters_dropped_total", {}, entries);
      log.warn({ entries }, "the dead-letter files are full; the oldest entries were deleted");
    },
  });
  const room = createRoom(spool, config.spool.whenFull);
  const stopping = new AbortController();
  let delivery: Delivery | undefined;
  let probe: QueryableProbe | undefined;
  let stopped: Promise<number> | undefined;
  const running: Promise<void>[] = [saveCursorUntil(stopping.signal, spool, options, room.changed)];

  const intake = createIntake({
    ...config.intake,
    ...config.writer,
    syncIntervalMs: config.spool.syncEveryMs,
    ttlDaysOf: (event) => ttlDaysOf(event, config.retention),
    clock,
    ledger,
    deadLetters,
    append: (frames) => spool.append(frames),
    room: room.wait,
    onDurable(frames) {
      const nowUs = clock.nowUs();
      for (const frame of frames) {
        metrics.observe("tickwatch_durable_seconds", {}, (nowUs - frame.acceptedUs) / 1e6);
        delivery?.notify(frame.table);
      }
    },
  });
  metrics.onScrape(() => setSpoolGauges(metrics, spool, clock.nowUs()));

  return {
    intake,
    ledger,
    spool,
    spoolDir,
    deadLetterDir,
    replayDeadLetters: (filter) =>
      replayDeadLetters(
        { folder: deadLetterDir, deadLetters, accept: (table, rows) => intake.accept(table, rows) },
        filter,
      ),
    get delivery() {
      return delivery;
    },
    get probe() {
      return probe;
    },
    deliverTo({ sender, tableProblem, readProgress }) {
      const measured = new QueryableProbe({ readProgress, clock, metrics });
      const {
        commitsPerSecond,
        lingerMinMs: minMs,
        lingerMaxMs: maxMs,
        frameRowsMax,
        requestBytesMax,
      } = config.writer;
      const started = new Delivery({
        ...{ spool, sender, tableProblem, clock, log, metrics, ledger, deadLetters, random: options.random },
        connections: config.writer.connections,
        linger: { commitsPerSecond, minMs, maxMs },
        limits: { rows: frameRowsMax, bytes: requestBytesMax },
        onWritten: (table, acceptedUs) => measured.written(table, acceptedUs),
        onServerState(up, failure) {
          metrics.set("tickwatch_questdb_up", {}, up ? 1 : 0);
          options.onServerState?.(up, failure?.message ?? "");
        },
      });
      metrics.set("tickwatch_questdb_up", {}, 1);
      delivery = started;
      probe = measured;
      running.push(started.run(), measured.run(stopping.signal));
    },
    stop(withinMs) {
      stopped ??= stop(withinMs);
      return stopped;
    },
  };

  async function stop(withinMs: number): Promise<number> {
    const deadlineMs = clock.monotonicMs() + withinMs;
    room.close();
    await intake.stop();
    await delivery?.drain(Math.max(0, deadlineMs - clock.monotonicMs()));
    delivery?.stop();
    stopping.abort();
    await Promise.all(running);
    const left = spool.pending().reduce((sum, table) => sum + table.rows, 0);
    await spool.close();
    await lock.release();
    return left;
  }
}

function logRecovery(log: Log, spool: Spool): void {
  const { tornBytes, setAside } = spool.recovery;
  const rows = spool.pending().reduce((sum, table) => sum + table.rows, 0);
  if (rows > 0) log.info({ rows, spoolBytes: spool.bytes }, "rows from before the start wait in the spool");
  if (tornBytes > 0)
    log.info({ tornBytes }, "cut an unfinished write off the spool; it was never acknowledged");
  if (setAside.length > 0)
    log.error({ segments: setAside }, "spool segments are unreadable and were set aside");
}

/** The cursor may lag, because what is sent again is absorbed; once a second is often enough. */
async function saveCursorUntil(
  signal: AbortSignal,
  spool: Spool,
  { clock, log }: PipelineOptions,
  onRoom: () => void,
): Promise<void> {
  let failed = false;
  while (!signal.aborted) {
    await clock.sleep(CURSOR_EVERY_MS, signal);
    try {
      await spool.saveCursor();
      failed = false;
      onRoom();
    } catch (err) {
      if (!failed)
        log.warn({ err }, "the spool's cursor could not be saved; delivered segments stay until it can");
      failed = true;
    }
  }
}

function setSpoolGauges(metrics: Metrics, spool: Spool, nowUs: number): void {
  const pending = new Map(spool.pending().map((table) => [table.table, table]));
  metrics.set("tickwatch_spool_bytes", {}, spool.bytes);
  for (const { name } of EVENTS)
    metrics.set("tickwatch_spool_pending_rows", { table: name }, pending.get(name)?.rows ?? 0);
  const oldestUs = Math.min(...[...pending.values()].map((table) => table.oldestUs));
  metrics.set(
    "tickwatch_spool_oldest_seconds",
    {},
    pending.size === 0 ? 0 : Math.max(0, (nowUs - oldestUs) / 1e6),
  );
}

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
import {
  createRecreationWatch,
  type RecreationWatch,
  type RecreationWatchOptions,
} from "./deliver/recreation_watch.ts";
import { FrameBuffers } from "./encode/frame_buffers.ts";
import { messageOf, TickwatchError } from "./errors.ts";
import { type DeadLetterWriter, openDeadLetters } from "./intake/dead_letter.ts";
import { createIntake, type Intake } from "./intake/intake.ts";
import { type ReplayFilter, type ReplayResult, replayDeadLetters } from "./intake/replay.ts";
import { type KeyLedger, openKeyLedger, removeKeyLedger } from "./ledger/key_ledger.ts";
import { tableKeys } from "./ledger/open_keys.ts";
import type { Log } from "./log.ts";
import { createLedger, type Ledger } from "./metrics/ledger.ts";
import type { Metrics } from "./metrics/record.ts";
import type { Frame } from "./spool/frame.ts";
import { type SpoolLock, takeLock } from "./spool/lock.ts";
import { giveReserve, takeReserve } from "./spool/reserve.ts";
import { createRoom, type Room } from "./spool/room.ts";
import { openSpool, type Spool } from "./spool/spool.ts";
import { openFolder } from "./spool/storage.ts";

export interface PipelineOptions {
  /** Tables that rows are taken for; those of the registry if absent. */
  readonly events?: readonly EventDefinition[];
  readonly config: Pick<Config, "intake" | "writer" | "spool" | "ledger" | "retention">;
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
  readonly readTableIds: RecreationWatchOptions["readTableIds"];
}

export interface Pipeline {
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly spoolDir: string;
  readonly deadLetterDir: string;
  /** Why the disk took no rows at the last attempt; undefined when it did. */
  readonly diskTrouble: string | undefined;
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

/** A database that takes longer is in trouble that the next start sees. */
const LAST_LOOK_MS = 500;

/** Days that rows of a table are kept, by configuration or definition. */
export function ttlDaysOf(event: EventDefinition, retention: Config["retention"]): number {
  const byTable: Readonly<Record<string, number | undefined>> = retention.tables;
  return byTable[event.name] ?? retention.days ?? event.ttlDays;
}

/**
 * Opens the spool (SPOOL_LOCKED when another process has it, ENVIRONMENT when its disk has no room at all) and makes the
 * intake ready.
 */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  try {
    return await openWriter(options);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause;
    throw new TickwatchError("ENVIRONMENT", `the disk of ${options.dataDir} is full: free some of it`, {
      cause,
    });
  }
}

async function openWriter(options: PipelineOptions): Promise<Pipeline> {
  const { config, dataDir, clock, log, metrics } = options;
  const spoolDir = join(dataDir, "spool");
  const storage = await openFolder(spoolDir);
  await giveReserve(spoolDir);
  const lock = await takeLock(spoolDir, microsToIso(clock.nowUs()));
  const ledger = createLedger(metrics);
  const memory = new FrameBuffers();
  const keys = await openKeys(options);
  try {
    const spool = await openSpool({
      storage,
      ...config.spool,
      graceMs: config.spool.graceS * 1000,
      nowUs: () => clock.nowUs(),
      monotonicMs: () => clock.monotonicMs(),
      onReleased: ({ payload }) => memory.give(payload),
      onDamage: ({ segment, at, rows }) => {
        log.error({ segment, at, rows }, "the disk changed spooled data; those rows are lost");
        ledger.deadLettered("unknown", "spool_damage", rows ?? 1);
      },
      witness: keys,
    });
    await keys?.catchUp(spool);
    logRecovery(log, spool);
    const deadLetterDir = join(dataDir, "dead-letter");
    const deadLetters = await openDeadLetters({
      folder: deadLetterDir,
      bytesMax: config.intake.deadLetterBytesMax,
      nowUs: () => clock.nowUs(),
      onDropped: (entries) => {
        metrics.count("tickwatch_dead_letters_dropped_total", {}, entries);
        log.warn({ entries }, "the dead-letter files are full; the oldest entries were deleted");
      },
      onDroppedRow: (table, line) => keys?.dropped(table, line),
    });
    return new Writer(options, { spool, keys, lock, ledger, memory, deadLetters, spoolDir, deadLetterDir });
  } catch (error) {
    await keys?.close();
    await lock.release();
    throw error;
  }
}

/** The key ledger; without one when it is switched off, or its folder cannot be used, which must not keep rows out. */
async function openKeys(options: PipelineOptions): Promise<KeyLedger | undefined> {
  const { config, dataDir, clock, log, metrics, events = EVENTS } = options;
  const { bytesMax } = config.ledger;
  try {
    const storage = await openFolder(join(dataDir, "ledger"));
    if (bytesMax === 0) {
      await removeKeyLedger(storage);
      return undefined;
    }
    return await openKeyLedger({
      ...{ storage, bytesMax, sync: config.spool.durability === "fsync" },
      futureMaxS: config.intake.futureMaxS,
      tables: new Map(events.map((event) => [event.name, tableKeys(event)])),
      nowUs: () => clock.nowUs(),
      monotonicMs: () => clock.monotonicMs(),
      onGap(reason, err) {
        metrics.count("tickwatch_ledger_gaps_total", { reason });
        log.error({ err, reason }, "the key ledger begins anew: verify cannot account for all earlier rows");
      },
    });
  } catch (err) {
    log.error({ err }, "the key ledger cannot be used: verify will not account for these rows");
    return undefined;
  }
}

/** What is open on disk. */
interface Opened {
  readonly spool: Spool;
  readonly keys: KeyLedger | undefined;
  readonly lock: SpoolLock;
  readonly ledger: Ledger;
  readonly memory: FrameBuffers;
  readonly deadLetters: DeadLetterWriter;
  readonly spoolDir: string;
  readonly deadLetterDir: string;
}

class Writer implements Pipeline {
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly spoolDir: string;
  readonly deadLetterDir: string;
  delivery: Delivery | undefined;
  probe: QueryableProbe | undefined;
  diskTrouble: string | undefined;
  readonly #options: PipelineOptions;
  readonly #deadLetters: DeadLetterWriter;
  readonly #lock: SpoolLock;
  readonly #keys: KeyLedger | undefined;
  readonly #room: Room;
  readonly #stopping = new AbortController();
  #recreations: RecreationWatch | undefined;
  readonly #running: Promise<void>[];
  #stopped: Promise<number> | undefined;

  constructor(options: PipelineOptions, opened: Opened) {
    const { spool, ledger, memory, deadLetters } = opened;
    const { config, clock, metrics } = options;
    this.ledger = ledger;
    this.spool = spool;
    this.spoolDir = opened.spoolDir;
    this.deadLetterDir = opened.deadLetterDir;
    this.#options = options;
    this.#deadLetters = deadLetters;
    this.#lock = opened.lock;
    this.#keys = opened.keys;
    this.#room = createRoom(spool, config.spool.whenFull);
    this.intake = createIntake({
      ...(options.events === undefined ? {} : { events: options.events }),
      ...config.intake,
      ...config.writer,
      syncIntervalMs: config.spool.syncEveryMs,
      ttlDaysOf: (event) => ttlDaysOf(event, config.retention),
      ...{ clock, ledger, memory, deadLetters },
      append: (frames) => this.#append(frames),
      room: this.#room.wait,
      onDurable: (frames) => this.#durable(frames),
    });
    this.#running = [
      saveCursorUntil(this.#stopping.signal, spool, options, () => {
        this.#room.changed();
        memory.trim();
        return opened.keys?.tick();
      }),
    ];
    metrics.onScrape(() => {
      setSpoolGauges(metrics, spool, clock.nowUs());
      metrics.set("tickwatch_ledger_bytes", {}, opened.keys?.bytes ?? 0);
    });
  }

  replayDeadLetters(filter: ReplayFilter): Promise<ReplayResult> {
    const accept: Intake["accept"] = (table, rows) => this.intake.accept(table, rows);
    return replayDeadLetters({ folder: this.deadLetterDir, deadLetters: this.#deadLetters, accept }, filter);
  }

  deliverTo({ sender, tableProblem, readProgress, readTableIds }: Database): void {
    const { config, clock, log, metrics, random, onServerState } = this.#options;
    const { spool, ledger } = this;
    const probe = new QueryableProbe({ readProgress, clock, metrics });
    const { commitsPerSecond, lingerMinMs: minMs, lingerMaxMs: maxMs, connections } = config.writer;
    const { frameRowsMax: rows, requestBytesMax: bytes } = config.writer;
    const delivery = new Delivery({
      ...{ spool, sender, tableProblem, clock, log, metrics, ledger, random, connections },
      deadLetters: this.#deadLetters,
      linger: { commitsPerSecond, minMs, maxMs },
      limits: { rows, bytes },
      onWritten: (table, acceptedUs) => probe.written(table, acceptedUs),
      onServerState(up, failure) {
        metrics.set("tickwatch_questdb_up", {}, up ? 1 : 0);
        onServerState?.(up, failure?.message ?? "");
      },
    });
    metrics.set("tickwatch_questdb_up", {}, 1);
    this.delivery = delivery;
    this.probe = probe;
    const onChanged = (table: string) => delivery.tableChanged(table);
    const { signal } = this.#stopping;
    this.#recreations = createRecreationWatch({ readTableIds, clock, onChanged });
    this.#running.push(delivery.run(), probe.run(signal), this.#recreations.run(signal));
  }

  stop(withinMs: number): Promise<number> {
    this.#stopped ??= this.#stop(withinMs);
    return this.#stopped;
  }

  async #stop(withinMs: number): Promise<number> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + withinMs;
    this.#room.close();
    await this.intake.stop();
    const drain = () => this.delivery?.drain(Math.max(0, deadlineMs - clock.monotonicMs()));
    await drain();
    await this.#recreations?.look(AbortSignal.timeout(LAST_LOOK_MS));
    await drain();
    this.delivery?.stop();
    this.#stopping.abort();
    await Promise.all(this.#running);
    const left = this.spool.pending().reduce((sum, table) => sum + table.rows, 0);
    await this.spool.close();
    await this.#keys?.close();
    await this.#lock.release();
    return left;
  }

  async #append(frames: readonly Frame[]): Promise<void> {
    const { log } = this.#options;
    try {
      await this.spool.append(frames);
    } catch (err) {
      // At its own cap the spool is told by `isFull`.
      if (!this.spool.isFull) {
        if (this.diskTrouble === undefined)
          log.error({ err }, "the spool's disk takes no rows; they are refused");
        this.diskTrouble = messageOf(err);
      }
      throw err;
    }
    if (this.diskTrouble !== undefined) log.info("the spool's disk takes rows again");
    this.diskTrouble = undefined;
  }

  #durable(frames: readonly Frame[]): void {
    const { clock, metrics } = this.#options;
    const nowUs = clock.nowUs();
    for (const frame of frames) {
      metrics.observe("tickwatch_durable_seconds", {}, (nowUs - frame.acceptedUs) / 1e6);
      this.delivery?.notify(frame.table);
    }
  }
}

function logRecovery(log: Log, spool: Spool): void {
  const { tornBytes, doubtfulRows, setAside } = spool.recovery;
  const rows = spool.pending().reduce((sum, table) => sum + table.rows, 0);
  if (rows > 0) log.info({ rows, spoolBytes: spool.bytes }, "rows from before the start wait in the spool");
  if (doubtfulRows > 0)
    log.warn(
      { tornBytes, rows: doubtfulRows },
      "cut damaged records off the end of the spool: never acknowledged if the power was cut, else lost",
    );
  else if (tornBytes > 0)
    log.info({ tornBytes }, "cut an unfinished write off the spool; it was never acknowledged");
  if (setAside.length > 0)
    log.error({ segments: setAside }, "spool segments are unreadable and were set aside");
}

/** The cursor may lag, because what is sent again is absorbed; once a second is often enough. */
async function saveCursorUntil(
  signal: AbortSignal,
  spool: Spool,
  { clock, log, dataDir }: PipelineOptions,
  afterwards: () => Promise<void> | undefined,
): Promise<void> {
  let failed = false;
  while (!signal.aborted) {
    await clock.sleep(CURSOR_EVERY_MS, signal);
    try {
      await spool.saveCursor();
      failed = false;
      await afterwards();
      await takeReserve(join(dataDir, "spool"));
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

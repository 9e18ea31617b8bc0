// Hands the rows of one table over, in order and one batch at a time, and waits where the rest of the program asks
// for it: a push that rejects is repeated until it is taken. Bounded: what comes in faster than it is taken is
// refused at the limit, counted and logged. Knows nothing of exchanges.
import type { EventInput, EventName } from "../../../schema/registry.ts";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Metrics } from "../../metrics/record.ts";
import type { Push } from "../source.ts";

export interface LaneContext {
  readonly push: Push;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** When it aborts, what waits is tried once more and then given up. */
  readonly signal: AbortSignal;
}

/** Most rows waiting in one lane: 15 MB of liquidations, a quarter of an hour of a very bad day. */
const WAITING_ROWS_MAX = 50_000;
const BATCH_ROWS_MAX = 5_000;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5_000;

interface Handover<N extends EventName> {
  readonly rows: readonly EventInput<N>[];
  /** Gets the number of rows that were accepted. */
  readonly done: (accepted: number) => void;
}

export class Lane<N extends EventName> {
  readonly #table: N;
  readonly #context: LaneContext;
  #waiting: Handover<N>[] = [];
  #waitingRows = 0;
  #working: Promise<void> | undefined;
  #refused = 0;

  constructor(table: N, context: LaneContext) {
    this.#table = table;
    this.#context = context;
  }

  /**
   * Resolves with the number of rows accepted once they are durable: fewer than given when some were rejected, and 0
   * when they were given up because the source stops. Rows of a full lane wait with their caller.
   */
  async put(rows: readonly EventInput<N>[]): Promise<number> {
    if (rows.length === 0) return 0;
    return new Promise<number>((resolve) => this.#enqueue({ rows, done: resolve }));
  }

  /** Never waits: for rows whose origin can't be slowed down. Refuses them when the lane is full, counted. */
  offer(rows: readonly EventInput<N>[]): void {
    if (rows.length === 0) return;
    if (this.#waitingRows + rows.length > WAITING_ROWS_MAX) this.#refuse(rows.length);
    else this.#enqueue({ rows, done: () => {} });
  }

  /** Resolves when everything was handed over or given up. Call it after the signal has aborted. */
  async settle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  #enqueue(handover: Handover<N>): void {
    this.#waiting.push(handover);
    this.#waitingRows += handover.rows.length;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // Rows of the same moment belong in one batch.
    await Promise.resolve();
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#deliver(batch);
    this.#working = undefined;
  }

  #take(): readonly Handover<N>[] {
    let rows = 0;
    let count = 0;
    for (const handover of this.#waiting) {
      if (count > 0 && rows + handover.rows.length > BATCH_ROWS_MAX) break;
      rows += handover.rows.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #deliver(batch: readonly Handover<N>[]): Promise<void> {
    const rows = batch.flatMap((handover) => handover.rows);
    const rejected = await this.#pushUntilTaken(rows);
    this.#waitingRows -= rows.length;
    this.#reportRefused();
    let first = 0;
    for (const { rows: own, done } of batch) {
      const end = first + own.length;
      const lost = rejected === undefined ? own.length : rejected.filter((i) => i >= first && i < end).length;
      done(own.length - lost);
      first = end;
    }
  }

  /** Indexes of rejected rows; undefined when the rows were given up. */
  async #pushUntilTaken(rows: readonly EventInput<N>[]): Promise<readonly number[] | undefined> {
    const { push, clock, log, signal } = this.#context;
    const table = this.#table;
    for (let attempt = 0; ; attempt++) {
      try {
        const { rejected } = await push(table, rows);
        if (attempt > 0) log.info({ table, rows: rows.length }, "rows are taken again");
        const [sample] = rejected;
        if (sample) log.debug({ table, rejected: rejected.length, reason: sample.message }, "rows rejected");
        return rejected.map(({ index }) => index);
      } catch (err) {
        if (signal.aborted) return this.#giveUp(rows.length, err);
        if (attempt === 0) log.warn({ table, rows: rows.length, err }, "rows are not taken; waiting");
        await clock.sleep(Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempt, 10), RETRY_MAX_MS), signal);
      }
    }
  }

  #giveUp(rows: number, err: unknown): undefined {
    const { log, metrics } = this.#context;
    const table = this.#table;
    metrics.count("tickwatch_source_discarded_total", { table, reason: "source_stopped" }, rows);
    log.error({ table, rows, reason: messageOf(err) }, "rows lost: nobody takes them and the source stops");
  }

  #refuse(rows: number): void {
    const { log, metrics } = this.#context;
    const table = this.#table;
    metrics.count("tickwatch_source_discarded_total", { table, reason: "source_full" }, rows);
    if (this.#refused === 0)
      log.error({ table, limit: WAITING_ROWS_MAX }, "rows lost: too many wait already");
    this.#refused += rows;
  }

  #reportRefused(): void {
    if (this.#refused === 0) return;
    this.#context.log.error(
      { table: this.#table, rows: this.#refused },
      "rows were lost while too many waited",
    );
    this.#refused = 0;
  }
}

// Live traffic in the process that is measured: the W90 mix at a rate, pushed as it becomes due, without waiting for earlier pushes,
// as events come. A few rows a second are announced to the harness, which asks the database until it sees them.
import { createHistogram, performance } from "node:perf_hooks";
import type { Clock } from "../../ingest/clock.ts";
import type { Pipeline } from "../../ingest/pipeline.ts";
import type { Channel } from "../harness/task.ts";
import { PacedW90 } from "../workload/paced_w90.ts";
import type { TimedRow } from "../workload/w90/stream.ts";
import { acceptAll } from "./bench_pipeline.ts";

export interface LoadOptions {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly channel: Channel;
  readonly rowsPerSecond: number;
  readonly markersPerSecond: number;
  readonly seed: number;
}

export interface LoadReport {
  /** Rows accepted by table, warm-up included. */
  readonly accepted: Record<string, number>;
  readonly durableP50Ms: number;
  readonly durableP99Ms: number;
  /** Latest start of a push after it was due: above some tens of ms the producer itself was too slow. */
  readonly lateMaxMs: number;
  /** CPU that making the rows took, which a real producer would have spent elsewhere. */
  readonly producerSeconds: number;
}

const TICK_MS = 10;

/** Runs until `stop`, which resolves when every push is durable. Figures count from the last `restart` on. */
export class Load {
  readonly #options: LoadOptions;
  readonly #paced: PacedW90;
  readonly #accepted = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #durable = createHistogram();
  #lateMaxMs = 0;
  #producerMs = 0;
  #markersAtMs: number;
  #failure: unknown;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { seed, rowsPerSecond, clock } = options;
    this.#paced = new PacedW90({ seed, startUs: clock.nowUs(), rowsPerSecond });
    this.#markersAtMs = Number.POSITIVE_INFINITY;
    this.#running = this.#run();
  }

  /** The warm-up is over: figures begin, and rows are announced from now on. */
  restart(): void {
    this.#durable = createHistogram();
    this.#lateMaxMs = 0;
    this.#producerMs = 0;
    this.#markersAtMs = this.#options.clock.monotonicMs();
  }

  async stop(): Promise<LoadReport> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
    const ms = (q: number) => (this.#durable.count === 0 ? 0 : this.#durable.percentile(q) / 1000);
    return {
      accepted: Object.fromEntries(this.#accepted),
      durableP50Ms: ms(50),
      durableP99Ms: ms(99),
      lateMaxMs: this.#lateMaxMs,
      producerSeconds: this.#producerMs / 1000,
    };
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    for (let tick = 1; !this.#stopping.signal.aborted; tick++) {
      const dueMs = startMs + tick * TICK_MS;
      const beganMs = clock.monotonicMs();
      if (dueMs > beganMs) await clock.sleep(dueMs - beganMs, this.#stopping.signal);
      const nowMs = clock.monotonicMs();
      this.#lateMaxMs = Math.max(this.#lateMaxMs, nowMs - dueMs);
      this.#push(nowMs - startMs, nowMs);
    }
  }

  #push(elapsedMs: number, nowMs: number): void {
    const beganMs = performance.now();
    const due = this.#paced.due(elapsedMs);
    // A time of its own for every row: it is what the harness finds the row by.
    for (const rows of due.values()) for (const row of rows) row.ts = this.#options.clock.nowUs();
    this.#producerMs += performance.now() - beganMs;
    this.#announce(due, nowMs);
    for (const [table, rows] of due) this.#accept(table, rows);
  }

  #accept(table: string, rows: readonly TimedRow[]): void {
    const { pipeline, clock } = this.#options;
    const startMs = clock.monotonicMs();
    const work = acceptAll(pipeline, table, rows)
      .then(() => {
        this.#accepted.set(table, (this.#accepted.get(table) ?? 0) + rows.length);
        this.#durable.record(Math.max(1, Math.round((clock.monotonicMs() - startMs) * 1000)));
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
        this.#stopping.abort();
      })
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** One row of this push, each as likely as any other, so that large and small tables count as they write. */
  #announce(due: ReadonlyMap<string, readonly TimedRow[]>, nowMs: number): void {
    if (nowMs < this.#markersAtMs) return;
    const total = [...due.values()].reduce((sum, rows) => sum + rows.length, 0);
    if (total === 0) return;
    this.#markersAtMs += 1000 / this.#options.markersPerSecond;
    let at = Math.floor(Math.random() * total);
    for (const [table, rows] of due) {
      const row = rows[at];
      if (row !== undefined) {
        this.#options.channel.send("marker", { table, tsUs: row.ts, acceptedUs: row.ts });
        return;
      }
      at -= rows.length;
    }
  }
}

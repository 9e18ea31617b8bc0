// Measures the promise that counts: from accepting a row to being able to query it. Samples a few rows a second, because
// asking costs the database a query: after a delivery was acknowledged it watches the table's WAL being applied.
import type { Clock } from "../clock.ts";
import type { Metrics } from "../metrics/record.ts";

/** How far each table's log is: committed, and visible to queries. */
export interface AppliedState {
  readonly sequencerTxn: number;
  readonly writerTxn: number;
}

export interface QueryableProbeOptions {
  /** One cheap query over all tables. Rejects when the database does not answer. */
  readonly readProgress: (signal: AbortSignal) => Promise<ReadonlyMap<string, AppliedState>>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

interface Sample {
  readonly table: string;
  readonly acceptedUs: number;
  /** What had been committed when it was first looked at; the row is in it. */
  committedTxn: number | undefined;
}

/** Time between two rounds of samples, and between two looks within one. */
const ROUND_MS = 1_000;
const LOOK_MS = 20;
/** A sample that takes longer is recorded as it stands: it must not vanish because it is bad. */
const LOOKS_MAX = 500;
/** Latencies kept per table between two readings of the percentiles. */
const KEPT_MAX = 1_000;

export class QueryableProbe {
  readonly #options: QueryableProbeOptions;
  readonly #latenciesMs = new Map<string, number[]>();
  readonly #samples = new Map<string, Sample>();
  #roundStartMs = Number.NEGATIVE_INFINITY;
  readonly #sampledThisRound = new Set<string>();
  #wake: (() => void) | undefined;

  constructor(options: QueryableProbeOptions) {
    this.#options = options;
  }

  /** A delivery of the table was acknowledged; its oldest row was accepted at `acceptedUs`. */
  written(table: string, acceptedUs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#roundStartMs >= ROUND_MS) {
      this.#roundStartMs = nowMs;
      this.#sampledThisRound.clear();
    }
    if (this.#sampledThisRound.has(table) || this.#samples.has(table)) return;
    this.#sampledThisRound.add(table);
    this.#samples.set(table, { table, acceptedUs, committedTxn: undefined });
    this.#wake?.();
  }

  /** Percentiles of a table since they were read last, ms; undefined when nothing was measured. */
  takePercentiles(table: string): { readonly p50Ms: number; readonly p99Ms: number } | undefined {
    const sorted = (this.#latenciesMs.get(table) ?? []).sort((a, b) => a - b);
    this.#latenciesMs.delete(table);
    if (sorted.length === 0) return undefined;
    const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99) };
  }

  /** Measures until the signal aborts. Never rejects: without answers the samples are dropped. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
    while (!signal.aborted) {
      if (this.#samples.size === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      for (let looks = 0; this.#samples.size > 0 && !signal.aborted; looks++) {
        if (!(await this.#look(signal, looks >= LOOKS_MAX))) this.#samples.clear();
        if (this.#samples.size > 0) await this.#options.clock.sleep(LOOK_MS, signal);
      }
    }
  }

  async #look(signal: AbortSignal, giveUp: boolean): Promise<boolean> {
    try {
      const progress = await this.#options.readProgress(signal);
      const nowUs = this.#options.clock.nowUs();
      for (const sample of this.#samples.values()) {
        const state = progress.get(sample.table);
        if (state === undefined) continue;
        sample.committedTxn ??= state.sequencerTxn;
        if (state.writerTxn < sample.committedTxn && !giveUp) continue;
        this.#samples.delete(sample.table);
        this.#record(sample.table, (nowUs - sample.acceptedUs) / 1000);
      }
      return true;
    } catch {
      return false; // the outage is told elsewhere
    }
  }

  #record(table: string, ms: number): void {
    this.#options.metrics.observe("tickwatch_queryable_seconds", { table }, ms / 1000);
    const kept = this.#latenciesMs.get(table) ?? [];
    if (kept.length < KEPT_MAX) kept.push(ms);
    this.#latenciesMs.set(table, kept);
  }
}

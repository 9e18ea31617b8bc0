// What the simulated daemon measures about itself: its process (real figures), how long its strategies think, and how
// its made-up parquet store grows.
import { createProcessSampler, type ProcessSampler } from "../../daemon/process_sample.ts";
import { RandomStream } from "../simulator/random.ts";
import type { Emit, Identity } from "./emit.ts";
import type { StrategySpec } from "./strategy.ts";

export interface TelemetryOptions {
  readonly strategies: readonly StrategySpec[];
  readonly seed: number;
  readonly identity: Identity;
  readonly emit: Emit;
  readonly monotonicMs: () => number;
}

/** Bytes that a strategy's market data takes a minute, and what a finished file holds. */
const PARQUET_BYTES_A_MINUTE = 850_000;
const PARQUET_FILE_MINUTES = 15;

export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #process: ProcessSampler;
  readonly #random: RandomStream;
  #minutes: number;
  #bytes: number;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#process = createProcessSampler(options.monotonicMs);
    this.#random = new RandomStream(options.seed, "telemetry");
    // It has run for a while already, as far as its store tells.
    this.#minutes = 2_000 + Math.floor(this.#random.next() * 1_000);
    this.#bytes = this.#minutes * PARQUET_BYTES_A_MINUTE;
  }

  /** One row of `daemon_health`. */
  async health(ts: number): Promise<void> {
    const { emit, identity } = this.#options;
    const sample = await this.#process.sample();
    emit("daemon_health", {
      ts,
      daemon: identity.daemon,
      instance: identity.instance,
      ...sample,
      restarts: 0,
    });
  }

  /** One row of `metrics` per strategy: how long its last decision took. */
  measurements(ts: number): void {
    const { emit, identity, strategies } = this.#options;
    for (const { name: strategy, venue } of strategies) {
      const value = Math.round(3.5 * Math.exp(0.5 * this.#random.normal()) * 1000) / 1000;
      emit("metrics", {
        ts,
        name: "strategy_latency_ms",
        source: identity.daemon,
        value,
        labels: JSON.stringify({ stage: "decide" }),
        exchange: venue,
        strategy,
        instance: identity.instance,
      });
    }
  }

  /** One row of `storage_usage`; called once a minute. */
  storage(ts: number): void {
    this.#minutes += 1;
    this.#bytes += Math.round(PARQUET_BYTES_A_MINUTE * (0.8 + 0.4 * this.#random.next()));
    this.#options.emit("storage_usage", {
      ts,
      store: "parquet",
      path: `${this.#options.identity.daemon} (simulated)`,
      bytes: this.#bytes,
      files: Math.ceil(this.#minutes / PARQUET_FILE_MINUTES),
      partitions: Math.ceil(this.#minutes / 1_440),
    });
  }

  close(): void {
    this.#process.close();
  }
}

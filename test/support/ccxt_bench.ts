// A CCXT source on the real class of a venue, pointed at a simulator: what it pushed, logged and counted can be looked
// at, and everything ends with the test.
import { pino } from "pino";
import { expect, onTestFinished, vi } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { type Config, ConfigSchema } from "../../ingest/config/schema.ts";
import {
  type ExchangeSimulator,
  type SimulatorOptions,
  simulatorUrlOverrides,
  startExchangeSimulator,
  type VenueId,
} from "../../ingest/demo/simulator/simulator.ts";
import { createMetrics, type Metrics } from "../../ingest/metrics/record.ts";
import { createCcxtSource } from "../../ingest/sources/ccxt/ccxt_source.ts";
import type { Source } from "../../ingest/sources/source.ts";
import { type PushedRow, RecordingPush } from "./recording_push.ts";
import { type LoggedLine, WARN } from "./source_context.ts";

type Pipeline = Config["pipeline"];

export interface BenchOptions {
  /** Beside those of BENCH_PIPELINE; below the minima of the configuration if need be. */
  readonly pipeline?: Partial<Omit<Pipeline, "exchanges">>;
  readonly exchange?: Partial<Pipeline["exchanges"][number]>;
  /** Where the venue is; a simulator's `url`. */
  readonly url: string;
}

/** Nothing happens by itself more than once in a test: each test shortens what it is about. */
const BENCH_PIPELINE = {
  openInterestEveryMs: 3_600_000,
  fundingRatesEveryMs: 3_600_000,
  liquidationsEveryMs: 3_600_000,
  fetchTimeoutMs: 5_000,
  staleAfterMs: 3_600_000,
  connectivityEveryMs: 3_600_000,
};

/** Importing a class on a busy machine takes seconds. */
export const EVENTUALLY = { timeout: 30_000, interval: 10 };

export interface Bench {
  readonly source: Source;
  readonly pushed: RecordingPush;
  readonly lines: LoggedLine[];
  readonly metrics: Metrics;
  /** Starts a run that ends with the test at the latest; returns what ends it before. */
  start(): Running;
  rows(table: PushedRow["table"]): PushedRow["row"][];
  /** The states that a channel went through, in order. */
  states(channel: string): PushedRow["row"][];
  /** Waits for the state of a channel and returns its row. */
  untilState(channel: string, state: string, nth?: number): Promise<PushedRow["row"]>;
  untilRows(table: PushedRow["table"], count: number): Promise<PushedRow["row"][]>;
  /** Lines of level warn and above, and those about connections. */
  said(): string[];
}

interface Running {
  readonly done: Promise<void>;
  /** Ends the run and waits for it. */
  stop(): Promise<void>;
}

/** A simulator without liquidations of its own that ends with the test. */
export async function simulatorForBench(options: SimulatorOptions = {}): Promise<ExchangeSimulator> {
  const simulator = await startExchangeSimulator({ liquidationsPerMinute: 0, ...options });
  onTestFinished(() => simulator.stop());
  return simulator;
}

/** `id` may be any exchange of CCXT when the test gives its `exchange.urls`. */
export function ccxtBench(id: string, options: BenchOptions): Bench {
  const { pipeline: defaults } = ConfigSchema.parse({ pipeline: { exchanges: [{ id }] } });
  const [first] = defaults.exchanges;
  if (first === undefined) throw new Error("no exchange");
  const isVenue = (name: string): name is VenueId => name === "binanceusdm" || name === "okx";
  const urls = isVenue(id) ? { urls: { ...simulatorUrlOverrides(id, options.url).api } } : {};
  const exchange = { ...first, ...urls, rateLimitMs: 1, ...options.exchange };
  const pipeline = { ...defaults, ...BENCH_PIPELINE, ...options.pipeline, exchanges: [exchange] };
  const lines: LoggedLine[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) });
  const metrics = createMetrics({ processMetrics: false });
  const pushed = new RecordingPush();
  const source = createCcxtSource(
    { exchange, pipeline, metrics },
    { clock: systemClock(), log, instance: "test:1" },
  );
  const states = (channel: string) =>
    pushed.rowsOf("connections").filter((row) => row["channel"] === channel);

  return {
    source,
    pushed,
    lines,
    metrics,
    start: () => startRun(source, pushed),
    rows: (table) => pushed.rowsOf(table),
    states,
    untilState: (channel, state, nth = 1) =>
      vi.waitFor(() => {
        const row = states(channel).filter((one) => one["state"] === state)[nth - 1];
        if (row === undefined) throw new Error(`${channel} not ${state}: ${JSON.stringify(states(channel))}`);
        return row;
      }, EVENTUALLY),
    untilRows: (table, count) =>
      vi.waitFor(() => {
        const rows = pushed.rowsOf(table);
        expect(rows.length, table).toBeGreaterThanOrEqual(count);
        return rows;
      }, EVENTUALLY),
    said: () => lines.filter(({ level, msg }) => level >= WARN || msg.includes("connected")).map(said),
  };
}

function said({ msg, channel }: LoggedLine): string {
  return typeof channel === "string" ? `${channel}: ${msg}` : msg;
}

function startRun(source: Source, pushed: RecordingPush): Running {
  const abort = new AbortController();
  const done = source.run(pushed.push, abort.signal);
  done.catch(() => {});
  const stop = async () => {
    abort.abort();
    pushed.refusal = undefined;
    pushed.release();
    await done;
  };
  onTestFinished(() => stop().catch(() => {}));
  return { done, stop };
}

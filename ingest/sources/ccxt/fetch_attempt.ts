// One attempt to fetch something: call, look at what came, hand the rows over, and record the attempt itself as a row
// of `fetches` and in the metrics. Retrying is the caller's business.
import type { EventInput } from "../../../schema/registry.ts";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Metrics } from "../../metrics/record.ts";
import { classifyError, type Failure, type FailureKind, MalformedResponse } from "./classify_error.ts";
import type { ExchangeHttp, HttpObservation } from "./http.ts";
import type { Lane } from "./lane.ts";
import { orAbort } from "./or_abort.ts";

export type DataTable = "open_interest" | "funding_rates" | "liquidations";

/** What an answer held: rows to write, how many entries were usable (some may be known already) and how many not. */
export interface Harvest<N extends DataTable> {
  readonly rows: readonly EventInput<N>[];
  readonly usable: number;
  readonly malformed: number;
}

export interface Call {
  /** A table, or "markets". */
  readonly dataset: string;
  /** CCXT method. */
  readonly method: string;
  /** When the call is for one. */
  readonly symbol?: string | undefined;
  readonly ask: () => Promise<unknown>;
}

/** Where the rows of a call go. `harvest` throws MalformedResponse when the answer is not what it should be at all. */
export interface Yield<N extends DataTable> {
  readonly table: N;
  readonly lane: Lane<N>;
  readonly harvest: (answer: unknown) => Harvest<N>;
}

export type Outcome =
  | { readonly kind: "ok"; readonly answer: unknown; readonly rows: number }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly retryAfterMs?: number | undefined;
    }
  /** The run stops; nothing was recorded. */
  | { readonly kind: "aborted" };

export interface AttemptContext {
  readonly exchange: string;
  readonly http: ExchangeHttp;
  readonly fetches: Lane<"fetches">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

type Status = EventInput<"fetches">["status"];

const STATUS_OF: Readonly<Record<FailureKind, Status>> = {
  network: "error",
  timeout: "timeout",
  rate_limited: "rate_limited",
  unsupported: "unsupported",
  wrong_data: "error",
  refused: "error",
};

/**
 * Makes one attempt. Resolves, whatever happens to the call, when its rows and its row in `fetches` are durable. An
 * answer of which nothing was usable is a failure (MalformedResponse); one with some unusable entries is not.
 */
export async function attempt<N extends DataTable>(
  context: AttemptContext,
  call: Call,
  into?: Yield<N>,
): Promise<Outcome> {
  const { http, clock, log, signal } = context;
  const ts = clock.nowUs();
  const startedMs = clock.monotonicMs();
  const seen: HttpObservation = {};
  let endedMs = startedMs;
  let outcome: Outcome;
  try {
    const answer = await orAbort(http.observe(seen, call.ask), signal).finally(() => {
      endedMs = clock.monotonicMs();
    });
    const rows = into ? await store(context, call, into, answer) : 0;
    outcome = { kind: "ok", answer, rows };
  } catch (error) {
    if (signal.aborted) return { kind: "aborted" };
    outcome = { kind: "failed", failure: classifyError(error), retryAfterMs: seen.retryAfterMs };
    const { dataset, method, symbol } = call;
    log.debug({ dataset, method, symbol, reason: outcome.failure.reason }, "fetch failed");
  }
  await record(context, call, { ts, durationMs: endedMs - startedMs, outcome, httpStatus: seen.status });
  return outcome;
}

async function store<N extends DataTable>(
  { metrics, log }: AttemptContext,
  { method, symbol }: Call,
  { table, lane, harvest }: Yield<N>,
  answer: unknown,
): Promise<number> {
  const { rows, usable, malformed } = harvest(answer);
  if (malformed > 0) {
    metrics.count("tickwatch_source_discarded_total", { table, reason: "malformed_response" }, malformed);
    log.debug({ table, method, symbol, malformed, usable }, "unusable entries in an answer");
    if (usable === 0) throw new MalformedResponse("no usable value in the answer");
  }
  return lane.put(rows);
}

interface AttemptFacts {
  readonly ts: number;
  readonly durationMs: number;
  readonly outcome: Exclude<Outcome, { kind: "aborted" }>;
  readonly httpStatus: number | undefined;
}

async function record(
  { exchange, fetches, metrics, newId }: AttemptContext,
  { dataset, method, symbol }: Call,
  { ts, durationMs, outcome, httpStatus }: AttemptFacts,
): Promise<void> {
  const failure = outcome.kind === "failed" ? outcome.failure : undefined;
  const status = failure === undefined ? "ok" : STATUS_OF[failure.kind];
  metrics.count("tickwatch_fetches_total", { exchange, dataset, status });
  const row: EventInput<"fetches"> = {
    ts,
    exchange,
    dataset,
    method,
    fetch_id: newId(),
    symbol,
    status,
    duration_ms: durationMs,
    row_count: outcome.kind === "ok" ? outcome.rows : 0,
    http_status: httpStatus,
    error_code: failure?.errorCode,
  };
  await fetches.put([row]);
}

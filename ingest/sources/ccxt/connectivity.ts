// Samples how each channel of an exchange is doing, at a steady pace whatever the exchange does: a sample waits for its
// probe for a moment only, and says what is known by then.
import type { EventInput } from "../../../schema/registry.ts";
import type { Clock } from "../../clock.ts";
import type { Channel } from "./connection_state.ts";
import type { ExchangeHttp } from "./http.ts";
import type { Lane } from "./lane.ts";
import type { RateLimitMeter } from "./rate_limit.ts";
import type { ProbeResult, RestProbe } from "./rest_probe.ts";
import type { StreamConnection } from "./stream_connection.ts";

export interface SamplerOptions {
  readonly exchange: string;
  readonly instance: string;
  readonly everyMs: number;
  readonly phaseMs: number;
  readonly rest: {
    readonly channel: Channel;
    readonly probe: RestProbe;
    readonly http: ExchangeHttp;
    readonly meter: RateLimitMeter;
  };
  /** Absent when the exchange has no stream for us. */
  readonly stream: { readonly channel: Channel; readonly connection: StreamConnection } | undefined;
  /** For a pong. */
  readonly pingTimeoutMs: number;
  readonly lane: Lane<"connectivity">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Longest wait of a sample for its probe. */
const PROBE_WAIT_MS_MAX = 2_000;

/** Resolves when the signal aborts. */
export async function sampleConnectivity(options: SamplerOptions): Promise<void> {
  const { everyMs, phaseMs, rest, stream, pingTimeoutMs, clock, lane, signal } = options;
  await clock.sleep(phaseMs, signal);
  const startedMs = clock.monotonicMs();
  while (!signal.aborted) {
    const waitMs = Math.min(everyMs / 2, PROBE_WAIT_MS_MAX);
    const [probe, pongMs] = await Promise.all([
      within(clock, waitMs, rest.probe.probe(), signal),
      stream && within(clock, waitMs, stream.connection.pingOrEnd(pingTimeoutMs), signal),
    ]);
    if (signal.aborted) return;
    const rows = [restSample(options, probe), ...(stream ? [streamSample(options, stream, pongMs)] : [])];
    await lane.put(rows);
    // Steady from the start: neither the probe nor a slow push shifts the next sample.
    const elapsedMs = clock.monotonicMs() - startedMs;
    await clock.sleep(everyMs - (elapsedMs % everyMs), signal);
  }
}

type Sample = EventInput<"connectivity">;

function restSample(options: SamplerOptions, probe: ProbeResult | undefined): Sample {
  const { channel, probe: prober, http, meter } = options.rest;
  const limit = meter.use();
  // Without a probe the last fetch tells; while the exchange is away there is no latency at all.
  const fallbackMs = !prober.possible && channel.up ? http.lastLatencyMs : undefined;
  return {
    ...common(options, channel),
    latency_ms: probe?.latencyMs ?? fallbackMs,
    clock_skew_ms: probe?.clockSkewMs,
    rate_limit_used: limit?.used,
    rate_limit_capacity: limit?.capacity,
  };
}

function streamSample(
  options: SamplerOptions,
  { channel }: { readonly channel: Channel },
  pongMs: number | undefined,
): Sample {
  return { ...common(options, channel), latency_ms: pongMs };
}

function common({ exchange, instance, clock }: SamplerOptions, channel: Channel): Sample {
  return {
    ts: clock.nowUs(),
    exchange,
    channel: channel.name,
    instance,
    up: channel.up,
    last_message_ts: channel.lastMessageUs,
    message_count: channel.messages,
    reconnects: channel.reconnects,
  };
}

/** The result, or undefined when it isn't there in time. `promise` must not reject. */
async function within<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const enough = new AbortController();
  const abort = () => enough.abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, clock.sleep(ms, enough.signal).then(() => undefined)]);
  } finally {
    abort();
    signal.removeEventListener("abort", abort);
  }
}

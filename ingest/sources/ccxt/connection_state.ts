// The state of one channel (REST, or one stream) to one exchange, and its record: a row in `connections` for each
// change, one log line when an outage begins and one when it ends, a gauge, a counter of reconnections.
//
//   unknown       nothing was tried yet; no row
//   connected     the last thing tried worked
//   degraded      it answers, but not as it should: rate limited, wrong data, a stream that has gone quiet
//   disconnected  it doesn't answer
//   unsupported   the venue has no such thing; final
//
// Only `set` changes the state, and only along NEXT. Setting the state it has already is no change, whatever the
// reason, and nothing leads out of `unsupported`: what still comes in then is ignored. A channel outlives the runs of its source, so that counts and downtimes span a restart of the source.
import assert from "node:assert/strict";
import type { EventInput } from "../../../schema/registry.ts";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Metrics } from "../../metrics/record.ts";

export type ChannelState = "unknown" | "connected" | "degraded" | "disconnected" | "unsupported";

const NEXT: Readonly<Record<ChannelState, readonly ChannelState[]>> = {
  unknown: ["connected", "degraded", "disconnected", "unsupported"],
  connected: ["degraded", "disconnected", "unsupported"],
  degraded: ["connected", "disconnected", "unsupported"],
  disconnected: ["connected", "degraded", "unsupported"],
  unsupported: [],
};

export interface Cause {
  /** For people. */
  readonly reason?: string;
  /** WebSocket close code. */
  readonly closeCode?: number;
}

export interface ChannelContext {
  readonly exchange: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Counts the changes of this process. */
  readonly nextSeq: () => number;
  /** Takes the rows; must not throw. */
  readonly record: (row: EventInput<"connections">) => void;
}

export class Channel {
  readonly name: string;
  readonly #context: ChannelContext;
  #state: ChannelState = "unknown";
  #everConnected = false;
  /** When the channel left `connected`, or was first found not to be. */
  #awaySinceMs: number | undefined;
  #reconnects = 0;
  #messages = 0;
  #lastMessageUs: number | undefined;

  constructor(name: string, context: ChannelContext) {
    this.name = name;
    this.#context = context;
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** Whether something answers: degraded is up. */
  get up(): boolean {
    return this.#state === "connected" || this.#state === "degraded";
  }

  /** Connections made after the first. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Messages or answers since the process started. */
  get messages(): number {
    return this.#messages;
  }

  /** Wall clock, microseconds. */
  get lastMessageUs(): number | undefined {
    return this.#lastMessageUs;
  }

  countMessage(): void {
    this.#messages += 1;
    this.#lastMessageUs = this.#context.clock.nowUs();
  }

  countReconnect(): void {
    const { metrics, exchange } = this.#context;
    this.#reconnects += 1;
    metrics.count("tickwatch_exchange_reconnects_total", { exchange, channel: this.name });
  }

  set(next: ChannelState, cause: Cause = {}): void {
    const before = this.#state;
    if (before === next || before === "unsupported") return;
    assert(NEXT[before].includes(next), `channel ${this.name}: ${before} -> ${next}`);
    const nowMs = this.#context.clock.monotonicMs();
    const awayMs = this.#awaySinceMs === undefined ? undefined : nowMs - this.#awaySinceMs;
    const downtimeMs = next === "connected" && awayMs !== undefined ? Math.round(awayMs) : undefined;
    this.#state = next;
    if (next === "connected") this.#awaySinceMs = undefined;
    else this.#awaySinceMs ??= nowMs;
    if (before === "disconnected" && this.up && this.#everConnected) this.countReconnect();
    if (next === "connected") this.#everConnected = true;
    this.#publish(cause, downtimeMs);
    this.#say(before, cause, downtimeMs);
  }

  #publish({ reason, closeCode }: Cause, downtimeMs: number | undefined): void {
    const { exchange, instance, clock, metrics, nextSeq, record } = this.#context;
    const state = this.#state;
    if (state === "unknown") return;
    if (state !== "unsupported") {
      metrics.set("tickwatch_exchange_up", { exchange, channel: this.name }, this.up ? 1 : 0);
    }
    const identity = { ts: clock.nowUs(), exchange, channel: this.name, instance, seq: nextSeq() };
    record({ ...identity, state, reason, close_code: closeCode, downtime_ms: downtimeMs });
  }

  /** One line when an outage begins and one when it ends; what happens in between is in the table. */
  #say(before: ChannelState, { reason, closeCode }: Cause, downtimeMs: number | undefined): void {
    const { exchange, log } = this.#context;
    const fields = { exchange, channel: this.name, reason, closeCode };
    const again = downtimeMs !== undefined;
    if (this.#state === "disconnected") log.warn(fields, "exchange disconnected");
    else if (this.#state === "unsupported") log.info(fields, "not supported by the exchange");
    else if (this.#state === "connected") {
      log.info(
        { exchange, channel: this.name, downtimeMs },
        again ? "exchange connected again" : "exchange connected",
      );
    } else if (before === "disconnected") log.debug(fields, "exchange answers again, degraded");
    else log.warn(fields, "exchange degraded");
  }
}

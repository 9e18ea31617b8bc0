// Turns the outcomes of single calls into the state of the REST channel, so that one bad endpoint among good ones is
// one change of state and not two a minute.
//
// - A network failure or time-out is an outage: disconnected, until any call succeeds. But a call that is still
//   failing when others succeed again is a problem of its own: it makes the channel degraded, not disconnected again.
// - Rate limiting, wrong data and refusals are problems of the call that met them: degraded, until that call succeeds.
// - After a rate limit nobody may call before the pause is over (`waitWhilePaused`).
import type { Clock } from "../../clock.ts";
import type { Failure } from "./classify_error.ts";
import type { Channel } from "./connection_state.ts";

/** Pause after a rate limit that names none, and the bounds of one that does. */
const PAUSE_DEFAULT_MS = 5_000;
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 600_000;

export class RestHealth {
  readonly #channel: Channel;
  readonly #clock: Clock;
  /** Reason of the outage, while there is one. */
  #outage: string | undefined;
  /** Reason by call, for the calls whose last attempt failed with a network failure. */
  readonly #failing = new Map<string, string>();
  /** Reason by call, for everything else that makes the channel degraded. */
  readonly #problems = new Map<string, string>();
  #pausedUntilMs = 0;
  #waiting: (() => void)[] = [];
  #onOutage: (() => void) | undefined;

  constructor(channel: Channel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  get disconnected(): boolean {
    return this.#outage !== undefined;
  }

  /** The one listener to the beginning of an outage. */
  onOutage(listener: () => void): void {
    this.#onOutage = listener;
  }

  /** `call` names what succeeded: a dataset, "markets" or "probe". */
  succeeded(call: string): void {
    this.#outage = undefined;
    this.#failing.delete(call);
    this.#problems.delete(call);
    this.#update();
  }

  failed(call: string, failure: Failure, retryAfterMs?: number): void {
    if (failure.kind === "network" || failure.kind === "timeout") this.#networkFailed(call, failure.reason);
    else if (failure.kind === "rate_limited") this.#rateLimited(call, failure.reason, retryAfterMs);
    else this.#answered(call, failure.reason);
    this.#update();
  }

  /** Resolves when the outage is over or `maxMs` have passed, at once when there is none, and when the signal aborts. */
  async waitForRecovery(signal: AbortSignal, maxMs: number): Promise<void> {
    if (!this.disconnected || signal.aborted) return;
    const over = new AbortController();
    const end = () => over.abort();
    signal.addEventListener("abort", end, { once: true });
    this.#waiting.push(end);
    await this.#clock.sleep(maxMs, over.signal);
    signal.removeEventListener("abort", end);
    this.#waiting = this.#waiting.filter((waiting) => waiting !== end);
  }

  /** Milliseconds until calls are allowed again after a rate limit; 0 when they are. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntilMs - this.#clock.monotonicMs());
  }

  /** Resolves when calls are allowed, and when the signal aborts. */
  async waitWhilePaused(signal: AbortSignal): Promise<void> {
    while (this.pauseMs > 0 && !signal.aborted) await this.#clock.sleep(this.pauseMs, signal);
  }

  #networkFailed(call: string, reason: string): void {
    const failsAlone = this.#failing.has(call) && this.#outage === undefined;
    this.#failing.set(call, reason);
    if (failsAlone) {
      this.#problems.set(call, reason);
    } else if (this.#outage === undefined) {
      this.#outage = reason;
      this.#onOutage?.();
    }
  }

  #rateLimited(call: string, reason: string, retryAfterMs: number | undefined): void {
    const pauseMs = Math.min(Math.max(retryAfterMs ?? PAUSE_DEFAULT_MS, PAUSE_MIN_MS), PAUSE_MAX_MS);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonicMs() + pauseMs);
    this.#answered(call, reason);
  }

  /** Something came back: no outage. */
  #answered(call: string, reason: string): void {
    this.#outage = undefined;
    this.#failing.delete(call);
    this.#problems.set(call, reason);
  }

  #update(): void {
    const [problem] = this.#problems;
    if (this.#outage !== undefined) this.#channel.set("disconnected", { reason: this.#outage });
    else if (problem) this.#channel.set("degraded", { reason: `${problem[0]}: ${problem[1]}` });
    else this.#channel.set("connected");
    if (this.#outage === undefined) {
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}

// Is QuestDB there? One field, two states: up and away. Away begins with a request that got no answer and ends with any
// answer; in between, attempts are spaced by a growing delay.
import { type BackoffLimits, backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Failure } from "./outcome.ts";

/** Found quickly when it is back, not hammered while it is away. */
const SERVER_BACKOFF: BackoffLimits = { firstMs: 200, maxMs: 2_000 };

export class ServerState {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onChange: (up: boolean, failure?: Failure) => void;
  #attempts = 0;
  /** Monotonic time before which nothing is sent. */
  notBeforeMs = 0;
  /** Wall clock when the present state began, µs. */
  sinceUs: number;

  constructor(clock: Clock, random: () => number, onChange: (up: boolean, failure?: Failure) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
    this.sinceUs = clock.nowUs();
  }

  get isUp(): boolean {
    return this.#attempts === 0;
  }

  succeeded(): void {
    if (this.isUp) return;
    this.#attempts = 0;
    this.notBeforeMs = 0;
    this.sinceUs = this.#clock.nowUs();
    this.#onChange(true);
  }

  failed(failure: Failure): void {
    const nowMs = this.#clock.monotonicMs();
    // Requests that were under way together fail together: that is one failure.
    if (!this.isUp && nowMs < this.notBeforeMs) return;
    this.#attempts += 1;
    this.notBeforeMs = nowMs + backoffMs(this.#attempts, SERVER_BACKOFF, this.#random);
    if (this.#attempts > 1) return;
    this.sinceUs = this.#clock.nowUs();
    this.#onChange(false, failure);
  }
}

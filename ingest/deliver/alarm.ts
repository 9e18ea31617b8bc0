// Sleeping until a time or until woken, whichever comes first, without a timer for every sleep.
import type { Clock } from "../clock.ts";

export class Alarm {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #onWake: (() => void) | undefined;
  /** When the timer wakes at the latest. */
  #timerMs = Number.POSITIVE_INFINITY;

  /** Timers end with the signal; it wakes nobody. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Resolves at `dueMs` (monotonic) or when woken; at times sooner, so look again. One sleeper. */
  sleepUntil(dueMs: number): Promise<void> {
    this.#wakeAt(dueMs);
    return new Promise((resolve) => (this.#onWake = resolve));
  }

  wake(): void {
    this.#onWake?.();
  }

  /** One timer, for the earliest time asked for: a later one is asked for again when it has woken us. */
  #wakeAt(dueMs: number): void {
    if (dueMs >= this.#timerMs) return;
    this.#timerMs = dueMs;
    void this.#clock.sleep(dueMs - this.#clock.monotonicMs(), this.#signal).then(() => {
      if (this.#timerMs === dueMs) this.#timerMs = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }
}

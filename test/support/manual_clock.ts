// A clock that stands still until a test moves it. Sleeps end in the order of their times, and whoever was woken gets
// to run before the next one is.
import type { Clock } from "../../ingest/clock.ts";

interface Sleeper {
  readonly dueMs: number;
  wake(): void;
}

/** 2026-11-21T12:00:00Z, a whole multiple of every usual cadence. */
export const NOON_US = Date.UTC(2026, 10, 21, 12) * 1000;

export class ManualClock implements Clock {
  readonly #startUs: number;
  readonly #sleepers = new Set<Sleeper>();
  #elapsedMs = 0;
  #steppedUs = 0;
  #lastUs = -1;

  constructor(startUs: number = NOON_US) {
    this.#startUs = startUs;
  }

  /** The set time; asked again without a move it is one microsecond later, as the real one never stands still. */
  nowUs(): number {
    const us = this.#startUs + this.#steppedUs + Math.round(this.#elapsedMs * 1000);
    this.#lastUs = us <= this.#lastUs && this.#lastUs - us < 1000 ? this.#lastUs + 1 : us;
    return this.#lastUs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        dueMs: this.#elapsedMs + Math.max(0, ms),
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener("abort", sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Lets `ms` pass; sleeps begun on the way end too when their time comes. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.wake();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  /** Sets the wall clock forward or, negative, back, as an administrator does: no sleep ends by it. */
  stepWall(ms: number): void {
    this.#steppedUs += ms * 1000;
  }

  #next(untilMs: number): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= untilMs && (earliest === undefined || sleeper.dueMs < earliest.dueMs)) {
        earliest = sleeper;
      }
    }
    return earliest;
  }
}

/** Lets everything run that needs no more time and no input or output. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

// Time and waiting, injected everywhere so that tests own them. The only place that asks the system for the time.
import { performance } from "node:perf_hooks";

export interface Clock {
  /** Wall clock, integer microseconds since 1970. Strictly increasing within this process unless the system clock steps back. */
  nowUs(): number;
  /** Milliseconds of a clock that never steps; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `ms`; resolves at once, without error, when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The system's clock. `nowUs` adds the monotonic fraction to the wall clock, re-read every second to follow adjustments. */
export function systemClock(): Clock {
  let baseUs = Date.now() * 1000;
  let baseMonotonicMs = performance.now();
  let lastUs = 0;
  return {
    nowUs() {
      const monotonicMs = performance.now();
      if (monotonicMs - baseMonotonicMs > 1000) {
        baseUs = Date.now() * 1000;
        baseMonotonicMs = monotonicMs;
      }
      const us = baseUs + Math.floor((monotonicMs - baseMonotonicMs) * 1000);
      // Re-reading may go back by less than a millisecond; a real step back is followed.
      lastUs = us <= lastUs && lastUs - us < 2000 ? lastUs + 1 : us;
      return lastUs;
    },
    monotonicMs: () => performance.now(),
    // Not the promised timer of node: calling that one off costs an error with a stack, some thousand times a second.
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal?.addEventListener("abort", end, { once: true });
      }),
  };
}

// Waiting between attempts: exponential with jitter, never giving up. Pure.

/** First and longest delay. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** For work of our own that failed: a source, a push. */
export const WORK_BACKOFF: BackoffLimits = { firstMs: 1_000, maxMs: 60_000 };

/**
 * Delay before repetition number `attempt`, counting from 1: doubling from `firstMs` to `maxMs`, of which a random part
 * up to half is taken off, so that many that failed together do not come back together. `random` gives [0, 1).
 */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffLimits, random: () => number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}

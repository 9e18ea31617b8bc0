// Waiting between attempts: exponential with jitter, never giving up. Pure.

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** For the server as a whole: found quickly when it is back, not hammered while it is away. */
export const SERVER_BACKOFF: BackoffLimits = { firstMs: 200, maxMs: 5_000 };

/** For one table that has trouble of its own. */
export const TABLE_BACKOFF: BackoffLimits = { firstMs: 500, maxMs: 30_000 };

/** Delay before attempt number `attempt` (1 is the first repetition); `random` in [0, 1) spreads it over its upper half. */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffLimits, random: () => number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}

// How long to wait before trying again. Pure.

const FIRST_MS = 1_000;
const MAX_MS = 60_000;

/**
 * Milliseconds before the next attempt, `attempt` counting from 0: 1 s, doubling to 60 s, of which a random part up to
 * half is taken off, so that many that failed together do not come back together. `random` gives [0, 1).
 */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.round(Math.min(MAX_MS, FIRST_MS * 2 ** attempt) * (0.5 + random() / 2));
}

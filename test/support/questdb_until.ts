// Waiting for something to become true, with a deadline; never for a length of time.
import { setTimeout as delay } from "node:timers/promises";

/** Asks until the answer is neither undefined nor false, and returns it; throws after `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > untilMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await delay(20);
  }
}

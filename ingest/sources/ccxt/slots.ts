// Slots: equal pieces of the wall clock, one row per symbol in each. Pure.

/** Start of the slot that holds the moment, in microseconds. */
export function slotOf(nowUs: number, everyMs: number): number {
  const everyUs = everyMs * 1000;
  return Math.floor(nowUs / everyUs) * everyUs;
}

/** Slots between two slot starts that were left out: 0 for neighbours, and when the clock stepped back. */
export function slotsSkipped(lastUs: number, nextUs: number, everyMs: number): number {
  return Math.max(0, Math.round((nextUs - lastUs) / (everyMs * 1000)) - 1);
}

/** Most that polls are spread over; a row says the start of its slot, so its value should not be much later. */
const SPREAD_MS_MAX = 5_000;

/**
 * How long after the start of a slot this one of `count` pollers begins: evenly over a quarter of the slot, at most
 * five seconds, so that they don't all call at once.
 */
export function phaseMs(index: number, count: number, everyMs: number): number {
  return Math.floor((Math.min(everyMs / 4, SPREAD_MS_MAX) * index) / Math.max(1, count));
}

/** Delay before retry number `retry` (from 0): doubling from an eighth of the slot or a second, capped, with jitter from above. */
export function retryDelayMs(retry: number, everyMs: number, random: () => number): number {
  const firstMs = Math.min(1_000, everyMs / 8);
  const ms = Math.min(firstMs * 2 ** Math.min(retry, 10), RETRY_MS_MAX);
  return Math.round(ms * (0.75 + random() / 4));
}

const RETRY_MS_MAX = 15_000;

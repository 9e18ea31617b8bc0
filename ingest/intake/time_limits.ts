// The time rules that QuestDB would break silently: a row older than the table's TTL vanishes with a 204, one far in the
// future can make others vanish. Pure.
import type { RejectReason } from "../../schema/refusal.ts";
import { microsToIso } from "../../schema/timestamp_text.ts";

const US_PER_DAY = 86_400_000_000;
const US_PER_S = 1_000_000;

export interface TimeLimits {
  readonly ttlDays: number;
  readonly futureMaxS: number;
}

/** The first and the last `ts` that can be taken at a moment, µs. */
export interface TimeWindow {
  readonly fromUs: number;
  readonly toUs: number;
}

/** What can be taken at `nowUs`. */
export function timeWindow(nowUs: number, { ttlDays, futureMaxS }: TimeLimits): TimeWindow {
  return { fromUs: nowUs - ttlDays * US_PER_DAY, toUs: nowUs + futureMaxS * US_PER_S };
}

/** Why a `ts` outside the window of `nowUs` cannot be taken. */
export function timeRefusal(
  ts: number,
  nowUs: number,
  { ttlDays, futureMaxS }: TimeLimits,
): { readonly reason: RejectReason; readonly message: string } {
  if (ts > nowUs) {
    const message = `ts: ${ts} (${readableTime(ts)}) is more than ${futureMaxS} s ahead of this clock (${microsToIso(nowUs)})`;
    return { reason: "time_too_far_ahead", message };
  }
  const message = `ts: ${ts} (${readableTime(ts)}) is older than the table keeps rows (${ttlDays} days)${unitHint(ts, nowUs)}`;
  return { reason: "time_too_old", message };
}

/** The classic mistake, said aloud. */
function unitHint(ts: number, nowUs: number): string {
  for (const [unit, factor] of [
    ["milliseconds", 1000],
    ["seconds", 1_000_000],
  ] as const) {
    if (Math.abs(ts * factor - nowUs) < 3650 * US_PER_DAY)
      return `; it looks like ${unit}: ts is in microseconds`;
  }
  return "";
}

/** Later than what Date can show, a number says more than an error. */
function readableTime(ts: number): string {
  return ts < 8.64e18 / 1000 ? microsToIso(ts) : "beyond any calendar";
}

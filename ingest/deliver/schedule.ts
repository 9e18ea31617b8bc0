// Which tables' requests are due, in which order, and when the next one is. Pure.
//
// A table whose rows fill a request is due at once, but after those that only waited for their linger: a backlog takes
// what is left, in turns with other backlogs, and does not make live rows of other tables wait. These cannot keep a
// backlog waiting either: the commit budget bounds their number.
import { type LingerLimits, lingerMs } from "./linger.ts";
import type { TableLane } from "./table_lane.ts";

/** A table has had rows so recently that it counts for the commit budget. */
const ACTIVE_MS = 10_000;

export interface Moment {
  readonly nowMs: number;
  /** Nothing is sent before, to any table. */
  readonly notBeforeMs: number;
  /** Nothing lingers any more. */
  readonly draining: boolean;
  readonly linger: LingerLimits;
  /** True when the table's rows fill a request. */
  readonly isFull: (lane: TableLane) => boolean;
}

export interface Schedule {
  /** Requests to start now, in this order. */
  readonly due: readonly TableLane[];
  /** When the next table is due (monotonic ms); infinity when none waits. */
  readonly nextMs: number;
}

/** Looks at the tables that have rows to send and no request under way. */
export function scheduleOf(lanes: Iterable<TableLane>, moment: Moment): Schedule {
  const { nowMs, notBeforeMs, draining, linger, isFull } = moment;
  const waiting: { readonly lane: TableLane; readonly sinceMs: number }[] = [];
  let active = 0;
  for (const lane of lanes) {
    if (nowMs - lane.lastAppendMs < ACTIVE_MS) active += 1;
    if (!lane.isSending && lane.waitingSinceMs !== undefined)
      waiting.push({ lane, sinceMs: lane.waitingSinceMs });
  }
  const waitMs = lingerMs(active, linger);
  const due: { readonly lane: TableLane; readonly dueMs: number; readonly full: boolean }[] = [];
  let nextMs = Number.POSITIVE_INFINITY;
  for (const { lane, sinceMs } of waiting) {
    const full = isFull(lane);
    const lingers = !draining && lane.attempts === 0 && !full;
    const dueMs = Math.max(lane.notBeforeMs, notBeforeMs, lingers ? sinceMs + waitMs : sinceMs);
    if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
    else due.push({ lane, dueMs, full });
  }
  due.sort((a, b) => Number(a.full) - Number(b.full) || a.dueMs - b.dueMs);
  return { due: due.map(({ lane }) => lane), nextMs };
}

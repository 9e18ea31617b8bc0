// Two requests of one table at once. QuestDB reads a request with one thread, so a backlog of one table goes nearly twice as
// fast over two connections (docs/adr/0007). Which of the two is committed first is then open, and must not matter: no row
// of one may replace a row of the other. `ts` is part of every key, so that holds when their times do not overlap. Pure.
import type { Frame } from "../spool/frame.ts";
import type { BatchLimits } from "../spool/table_queue.ts";
import { type Batch, batchOf } from "./batch.ts";

/** Fewer rows are not worth a commit of their own. */
const ROWS_MIN = 10_000;

/**
 * Rows of the first request for one of the second: it should be over before the other, because QuestDB applies commits
 * in the order in which they end, and rows behind newer ones cost it more.
 */
const FIRST_TO_SECOND = 0.65;

export interface Pair {
  /** What was cut. */
  readonly both: Batch;
  /** The older rows. */
  readonly first: Batch;
  readonly second: Batch;
}

/** What two requests carry together. */
export function pairLimits({ rows, bytes }: BatchLimits): BatchLimits {
  return { rows: 2 * rows, bytes: 2 * bytes };
}

/** Cuts a batch between two of its frames, before the middle if their times and the limits allow it. */
export function pairOf(both: Batch, limits: BatchLimits): Pair | undefined {
  const { parts, rows, bytes } = both;
  const firstTs = minTsFrom(parts);
  let best: { readonly at: number; readonly off: number } | undefined;
  let lastTs = Number.NEGATIVE_INFINITY;
  let before = { rows: 0, bytes: 0 };
  for (const [index, part] of parts.entries()) {
    const behind = { rows: rows - before.rows, bytes: bytes - before.bytes };
    const fits = [before, behind].every(
      (half) => half.rows >= ROWS_MIN && half.rows <= limits.rows && half.bytes <= limits.bytes,
    );
    const off = Math.abs(before.rows - FIRST_TO_SECOND * behind.rows);
    if (fits && lastTs < (firstTs[index] ?? lastTs) && off < (best?.off ?? rows)) best = { at: index, off };
    lastTs = Math.max(lastTs, part.maxTs);
    before = { rows: before.rows + part.rowCount, bytes: before.bytes + part.payload.length };
  }
  if (best === undefined) return undefined;
  return { both, first: batchOf(parts.slice(0, best.at)), second: batchOf(parts.slice(best.at)) };
}

/** The earliest time of each frame and all behind it. */
function minTsFrom(parts: readonly Frame[]): readonly number[] {
  const mins = parts.map(({ minTs }) => minTs);
  for (let index = mins.length - 2; index >= 0; index--)
    mins[index] = Math.min(mins[index] ?? 0, mins[index + 1] ?? 0);
  return mins;
}

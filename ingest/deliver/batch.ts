// A batch: the rows of one request, cut from the queue's next frames. Pure.
import { type Frame, rowBytes, sliceFrame } from "../spool/frame.ts";
import type { QueuedFrame } from "../spool/table_queue.ts";

/** Rows `from` on of the queue's head, as parts that share memory with their frames. */
export interface Batch {
  readonly parts: readonly Frame[];
  readonly rows: number;
  readonly bytes: number;
  readonly oldestAcceptedUs: number;
}

/** Up to `limitRows` rows, the first `skipRows` left out. Empty (rows 0) when there are none. */
export function cutBatch(frames: readonly QueuedFrame[], skipRows: number, limitRows: number): Batch {
  const parts: Frame[] = [];
  let skip = skipRows;
  let left = limitRows;
  for (const { frame } of frames) {
    if (left <= 0) break;
    const from = Math.min(skip, frame.rowCount);
    skip -= from;
    const to = Math.min(frame.rowCount, from + left);
    if (to <= from) continue;
    parts.push(sliceFrame(frame, from, to));
    left -= to - from;
  }
  return batchOf(parts);
}

/** All rows of some parts. */
export function batchOf(parts: readonly Frame[]): Batch {
  return {
    parts,
    rows: parts.reduce((sum, part) => sum + part.rowCount, 0),
    bytes: parts.reduce((sum, part) => sum + part.payload.length, 0),
    oldestAcceptedUs: parts[0]?.acceptedUs ?? 0,
  };
}

/** The bytes of the first row of a batch. */
export function firstRow(batch: Batch): Buffer {
  const [first] = batch.parts;
  return first === undefined ? Buffer.alloc(0) : rowBytes(first, 0);
}

/** After `doneRows` rows of the queue's head: the last frame that is complete, and the rows done of the one behind it. */
export function progress(
  frames: readonly QueuedFrame[],
  doneRows: number,
): { readonly ackSeq: number | undefined; readonly restRows: number } {
  let rest = doneRows;
  let ackSeq: number | undefined;
  for (const { seq, frame } of frames) {
    if (rest < frame.rowCount) break;
    rest -= frame.rowCount;
    ackSeq = seq;
  }
  return { ackSeq, restRows: rest };
}

export function totalRows(frames: readonly QueuedFrame[]): number {
  return frames.reduce((sum, { frame }) => sum + frame.rowCount, 0);
}

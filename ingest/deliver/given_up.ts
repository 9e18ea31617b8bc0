// Rows of one table that were given up while their frames can still be sent again (spool.graceS): they are passed over
// then, so that no row is in the dead letters twice. Only as long as the process lives.
import type { QueuedFrame } from "../spool/table_queue.ts";

/** Of more rows the oldest are forgotten; if they are sent again, they are refused and dead-lettered again. */
const ROWS_MAX = 100_000;

export class GivenUpRows {
  /** By seq of the frame: places of rows within it, ascending because only the first row of a queue is given up. */
  readonly #rows = new Map<number, number[]>();
  #count = 0;

  /** The row at `index` of the queue's next frames was given up. */
  add(frames: readonly QueuedFrame[], index: number): void {
    let left = index;
    for (const { seq, frame } of frames) {
      if (left < frame.rowCount) {
        const rows = this.#rows.get(seq) ?? [];
        rows.push(left);
        this.#rows.set(seq, rows);
        this.#count += 1;
        break;
      }
      left -= frame.rowCount;
    }
    for (const [seq, rows] of this.#rows) {
      if (this.#count <= ROWS_MAX) break;
      this.#rows.delete(seq);
      this.#count -= rows.length;
    }
  }

  /** How many rows of the queue's next frames, from `index` on, come before one that was given up. */
  rowsBefore(frames: readonly QueuedFrame[], index: number): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    let start = 0;
    for (const { seq, frame } of frames) {
      const row = this.#rows.get(seq)?.find((place) => start + place >= index);
      if (row !== undefined) return start + row - index;
      start += frame.rowCount;
    }
    return Number.POSITIVE_INFINITY;
  }
}

// When frames of a table were delivered, to the second: so that those of the last two minutes can be sent again. QuestDB
// acknowledges from the system's cache, and a crash of its machine can lose what it had not written out yet.

interface Mark {
  seq: number;
  readonly beganMs: number;
  lastMs: number;
}

/** Deliveries within a second share a mark. */
const MARK_MS = 1_000;

export class GraceMarks {
  #marks: Mark[] = [];
  #releasedSeq = 0;

  /** Everything up to `seq` is past its grace time. */
  start(seq: number): void {
    this.#releasedSeq = Math.max(this.#releasedSeq, seq);
    this.#marks = this.#marks.filter((mark) => mark.seq > seq);
  }

  /** Everything up to `seq` is delivered at `nowMs` (monotonic). */
  delivered(seq: number, nowMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && nowMs - last.beganMs < MARK_MS) {
      last.seq = Math.max(last.seq, seq);
      last.lastMs = nowMs;
      return;
    }
    this.#marks.push({ seq, beganMs: nowMs, lastMs: nowMs });
  }

  /** The last seq that was delivered at least `graceMs` ago. */
  released(nowMs: number, graceMs: number): number {
    for (
      let mark = this.#marks[0];
      mark !== undefined && mark.lastMs <= nowMs - graceMs;
      mark = this.#marks[0]
    ) {
      this.#releasedSeq = Math.max(this.#releasedSeq, mark.seq);
      this.#marks.shift();
    }
    return this.#releasedSeq;
  }
}

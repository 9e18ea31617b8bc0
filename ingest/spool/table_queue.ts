// The frames of one table on their way out, oldest first. The newest are in memory while the spool's memory window has
// room; behind that the queue has *spilled*: its next frames are only on disk.
//
// States: empty (all acked) · in memory (frames holds the next ones, nothing spilled) · spilled (frames holds the next
// ones, or is empty, and everything after them is on disk). append() moves towards spilled, ack() back to empty,
// rewind() to spilled. Two positions: acked is where delivery is; delivered is the farthest it ever was. They differ
// only while frames are sent again after a rewind.
import type { Frame } from "./frame.ts";
import { GraceMarks } from "./grace_marks.ts";
import type { ScannedRecord } from "./segment_scan.ts";
import type { Stored } from "./segment_writer.ts";

/** A frame on its way out. */
export interface QueuedFrame {
  readonly seq: number;
  readonly frame: Frame;
}

/** Where a queue stands when it is opened. */
export interface Positions {
  /** Delivery goes on behind this: before `deliveredSeq` when frames are to be sent again. */
  readonly from: number;
  readonly deliveredSeq: number;
  readonly lastSeq: number;
}

export class TableQueue {
  readonly table: string;
  readonly #onReleased: (frame: Frame) => void;
  #frames: QueuedFrame[] = [];
  #head = 0;
  #spilled: boolean;
  #ackedSeq: number;
  #deliveredSeq: number;
  #lastSeq: number;
  readonly #grace = new GraceMarks();
  /** Rows that were never delivered; frames sent again do not count. */
  pendingRows = 0;
  pendingBytes = 0;
  /** When the oldest undelivered row was accepted, µs; an older bound while the queue is spilled. */
  oldestUs: number | undefined;

  /** `onReleased` hears of every frame that was appended and is not in memory any more. */
  constructor(table: string, { from, deliveredSeq, lastSeq }: Positions, onReleased: (frame: Frame) => void) {
    this.table = table;
    this.#onReleased = onReleased;
    this.#ackedSeq = from;
    this.#deliveredSeq = deliveredSeq;
    this.#lastSeq = Math.max(lastSeq, deliveredSeq);
    this.#spilled = this.#lastSeq > from;
    this.#grace.start(from);
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  get deliveredSeq(): number {
    return this.#deliveredSeq;
  }

  /** Up to here frames are delivered for longer than the grace time: they need not be kept any more. */
  releasedSeq(nowMs: number, graceMs: number): number {
    return this.#grace.released(nowMs, graceMs);
  }

  /** Frames up to `seq` are not kept any longer, grace or not. */
  release(seq: number): void {
    this.#grace.start(seq);
  }

  get isEmpty(): boolean {
    return this.#ackedSeq >= this.#lastSeq;
  }

  /** Adds a durable frame. Returns the bytes of memory it takes: 0 when it stays on disk only. */
  append({ seq, frame }: Stored, memoryLeftBytes: number): number {
    this.#lastSeq = seq;
    this.pendingRows += frame.rowCount;
    this.pendingBytes += frame.payload.length;
    this.oldestUs ??= frame.acceptedUs;
    const bytes = memoryOf(frame);
    if (this.#spilled || bytes > memoryLeftBytes) {
      this.#spilled = true;
      this.#onReleased(frame);
      return 0;
    }
    this.#frames.push({ seq, frame });
    return bytes;
  }

  /** The next frames that are in memory, oldest first, within the limits; empty when the next one is on disk. */
  peekMemory(limits: BatchLimits): readonly QueuedFrame[] {
    return withinLimits(this.#frames, this.#head, limits);
  }

  /** True when the next frame has to be read from disk. */
  get nextIsOnDisk(): boolean {
    return !this.isEmpty && this.#head >= this.#frames.length;
  }

  /** Everything up to `seq` is done. `fromDisk` are those of it that were read from disk. Returns bytes of memory freed. */
  ack(seq: number, fromDisk: readonly ScannedRecord[], nowMs: number): number {
    let freed = 0;
    for (const { seq: diskSeq, frame } of fromDisk) {
      if (diskSeq > this.#ackedSeq && diskSeq <= seq) this.#count(diskSeq, frame);
    }
    for (
      let next = this.#frames[this.#head];
      next !== undefined && next.seq <= seq;
      next = this.#frames[this.#head]
    ) {
      this.#head += 1;
      freed += memoryOf(next.frame);
      this.#count(next.seq, next.frame);
      this.#onReleased(next.frame);
    }
    this.#moveTo(seq);
    this.#grace.delivered(this.#ackedSeq, nowMs);
    this.#compact();
    this.#settle();
    return freed;
  }

  #count(seq: number, frame: Frame): void {
    if (seq <= this.#deliveredSeq) return; // sent again
    this.pendingRows -= frame.rowCount;
    this.pendingBytes -= frame.payload.length;
  }

  /** Goes back to send again what is still in its grace time. Returns bytes of memory freed. */
  rewind(releasedSeq: number): number {
    if (releasedSeq >= this.#ackedSeq) return 0;
    const inMemory = this.#frames.slice(this.#head);
    const freed = inMemory.reduce((sum, { frame }) => sum + memoryOf(frame), 0);
    for (const { frame } of inMemory) this.#onReleased(frame);
    this.#frames = [];
    this.#head = 0;
    this.#spilled = true;
    this.#ackedSeq = releasedSeq;
    return freed;
  }

  /** Nothing intact is left up to `seq`: goes on behind it. */
  skipTo(seq: number): void {
    this.#moveTo(seq);
    this.#settle();
  }

  #moveTo(seq: number): void {
    this.#ackedSeq = Math.max(this.#ackedSeq, seq);
    this.#deliveredSeq = Math.max(this.#deliveredSeq, seq);
  }

  #settle(): void {
    if (this.isEmpty) {
      this.#spilled = false;
      this.pendingRows = 0;
      this.pendingBytes = 0;
      this.oldestUs = undefined;
      return;
    }
    this.oldestUs = this.#frames[this.#head]?.frame.acceptedUs ?? this.oldestUs;
  }

  /** Drops the delivered head of the array once it is the larger part: appending and taking stay cheap. */
  #compact(): void {
    const worthIt =
      this.#head >= this.#frames.length || (this.#head >= 64 && this.#head * 2 >= this.#frames.length);
    if (!worthIt) return;
    this.#frames = this.#frames.slice(this.#head);
    this.#head = 0;
  }
}

/** How much one delivery may carry. */
export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** The frames from index `from` on that fit the limits; at least one if there is any. */
export function withinLimits<T extends QueuedFrame>(
  frames: readonly T[],
  from: number,
  limits: BatchLimits,
): T[] {
  let rows = 0;
  let bytes = 0;
  let to = from;
  for (let next = frames[to]; next !== undefined; next = frames[to]) {
    rows += next.frame.rowCount;
    bytes += next.frame.payload.length;
    if (to > from && (rows > limits.rows || bytes > limits.bytes)) break;
    to += 1;
  }
  return frames.slice(from, to);
}

/** Memory that a queued frame takes: payload, offsets, keys, and the objects around them. */
function memoryOf(frame: Frame): number {
  return frame.payload.length + 12 * frame.rowCount + 400;
}

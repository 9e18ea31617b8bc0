// The spool's face: durable queues of frames, one per table, over one shared log (README.md). It knows frames, not what
// is in them, and nothing of QuestDB.
import { TickwatchError } from "../errors.ts";
import { type Cursor, openCursor, type TablePositions } from "./cursor.ts";
import type { Frame } from "./frame.ts";
import { HandedOut, type ReadRecords } from "./handed_out.ts";
import { lastSeqIn, lastSeqOf } from "./last_seq.ts";
import { type Recovery, recover } from "./recovery.ts";
import { segmentName } from "./segment.ts";
import { createSegmentReader, type DamageReport, onceEach, type SegmentReader } from "./segment_reader.ts";
import type { ScannedRecord } from "./segment_scan.ts";
import { createSegmentWriter, type SegmentInfo, type SegmentWriter, type Stored } from "./segment_writer.ts";
import type { Storage } from "./storage.ts";
import { type BatchLimits, type QueuedFrame, TableQueue, withinLimits } from "./table_queue.ts";
import { readFew } from "./table_reader.ts";

export interface SpoolOptions {
  readonly storage: Storage;
  readonly durability: "fsync" | "os";
  readonly bytesMax: number;
  readonly segmentBytes: number;
  readonly memoryBytes: number;
  /** Delivered frames are kept so long, to be sent again after an outage of QuestDB; at most so many bytes of them. */
  readonly graceMs: number;
  readonly graceBytesMax: number;
  readonly nowUs: () => number;
  readonly monotonicMs: () => number;
  /**
   * Hears, once for each frame that was handed to `append`, that its payload is not read any more: it was delivered, or it
   * is on disk only, or it was not taken. The memory may be used for something else then.
   */
  readonly onReleased?: (frame: Frame) => void;
  /** Acknowledged data that the disk changed: to be logged and counted by whoever opens the spool. */
  readonly onDamage: (report: DamageReport) => void;
  /** Keeps account of what is stored: the key ledger. */
  readonly witness?: SpoolWitness | undefined;
}

/** Hears of everything that is stored, and is asked before it is forgotten. */
export interface SpoolWitness {
  /** New records get higher numbers. */
  readonly seq: number;
  /** These frames are durable now. They may be read only during the call. */
  stored(frames: readonly Stored[]): void;
  /** True when the segments of records up to `seq` may be deleted. Asked again later otherwise. */
  covers(seq: number): Promise<boolean>;
}

/** What waits for delivery of one table. */
export interface PendingTable {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly oldestUs: number;
}

export interface Spool {
  /**
   * Stores frames. Resolves when all are durable, by the configured mode, in this order; then they are in their
   * queues. Rejects with SPOOL_FULL or SPOOL_FAILED when none of them counts. One call at a time.
   */
  append(frames: readonly Frame[]): Promise<void>;
  /** True when the byte cap leaves no room for more. */
  readonly isFull: boolean;
  /** Tables with undelivered frames. */
  pending(): readonly PendingTable[];
  pendingOf(table: string): PendingTable | undefined;
  /**
   * The next undelivered frames of a table, oldest first, at least one if there is any, within the limits. They stay
   * in the queue until `ack`; their bytes may be read until then, or until `letGo` or the next `peek`. One consumer per
   * table.
   */
  peek(table: string, limits: BatchLimits): Promise<readonly QueuedFrame[]>;
  /** The bytes of the frames that `peek` gave are not read any more, acknowledged or not: their memory is used again. */
  letGo(table: string): void;
  /** All frames of the table up to `seq` are delivered. Takes effect on disk with the next `saveCursor`. */
  ack(table: string, seq: number): void;
  /** Last seq of the table that was ever delivered: frames up to it are being sent again. */
  deliveredSeq(table: string): number;
  /**
   * Goes back in a table's queue to what was delivered within the grace time, so that it is sent again. Nothing of the
   * table may be under way.
   */
  rewind(table: string): void;
  /** Tables of which something was ever stored. */
  tables(): readonly string[];
  /** The highest number that a record can have now; 0 when nothing was ever stored. */
  readonly lastSeq: number;
  /** Intact records behind `seq`, in order. Not while something is appended. */
  since(seq: number): AsyncIterable<ScannedRecord>;
  /** Writes the cursor if it changed, then deletes the segments that nobody needs any more. */
  saveCursor(): Promise<void>;
  /** Bytes of all segments. */
  readonly bytes: number;
  readonly recovery: Recovery;
  /** Saves the cursor and seals. Nothing may be under way. */
  close(): Promise<void>;
}

/** Opens a spool in a folder whose lock the caller holds. Recovers first. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const cursor = await openCursor(options.storage);
  const recovery = await recover(options.storage);
  const onDamage = onceEach(options.onDamage);
  for (const report of recovery.damaged) onDamage(report);
  const spool = new DiskSpool({ ...options, onDamage }, cursor, recovery);
  await spool.countPartlyDelivered();
  return spool;
}

class DiskSpool implements Spool {
  readonly recovery: Recovery;
  lastSeq: number;
  readonly #options: SpoolOptions;
  readonly #cursor: Cursor;
  readonly #writer: SegmentWriter;
  readonly #reader: SegmentReader;
  readonly #onReleased: (frame: Frame) => void;
  readonly #segments = new Map<number, SegmentInfo>();
  readonly #queues = new Map<string, TableQueue>();
  readonly #handedOut = new HandedOut();
  #memoryBytes = 0;
  #cursorIsStale = false;
  #saved: TablePositions;

  constructor(options: SpoolOptions, cursor: Cursor, recovery: Recovery) {
    this.#options = options;
    this.#cursor = cursor;
    this.#saved = cursor.loaded;
    this.recovery = recovery;
    this.lastSeq = lastSeqOf(recovery, cursor, options.witness);
    this.#onReleased = options.onReleased ?? (() => undefined);
    this.#reader = createSegmentReader(options.storage, options.segmentBytes, options.onDamage);
    for (const info of recovery.segments) this.#segments.set(info.id, info);
    this.#writer = createSegmentWriter({
      storage: options.storage,
      segmentBytes: options.segmentBytes,
      sync: options.durability === "fsync",
      nowUs: options.nowUs,
      nextSegmentId: recovery.nextSegmentId,
      // A cursor may know a higher seq than the segments: all of them delivered and deleted.
      nextSeq: 1 + this.lastSeq,
      onSegment: (info) => void this.#segments.set(info.id, info),
    });
    this.#openQueues(cursor);
  }

  get bytes(): number {
    let sum = 0;
    for (const info of this.#segments.values()) sum += info.durableBytes;
    return sum;
  }

  get isFull(): boolean {
    return this.bytes >= this.#options.bytesMax;
  }

  async append(frames: readonly Frame[]): Promise<void> {
    const all = await this.#write(frames);
    this.lastSeq = all.at(-1)?.seq ?? this.lastSeq;
    this.#options.witness?.stored(all);
    for (const stored of all) {
      const left = this.#options.memoryBytes - this.#memoryBytes;
      this.#memoryBytes += this.#queue(stored.frame.table).append(stored, left);
    }
  }

  async #write(frames: readonly Frame[]): Promise<readonly Stored[]> {
    try {
      if (this.isFull) {
        throw new TickwatchError(
          "SPOOL_FULL",
          "the spool has reached spool.bytesMax: QuestDB must take rows first",
        );
      }
      return await this.#writer.append(frames);
    } catch (error) {
      for (const frame of frames) this.#onReleased(frame);
      throw error;
    }
  }

  pending(): readonly PendingTable[] {
    return [...this.#queues.values()].filter((queue) => !queue.isEmpty).map(pendingOf);
  }

  pendingOf(table: string): PendingTable | undefined {
    const queue = this.#queues.get(table);
    return queue === undefined || queue.isEmpty ? undefined : pendingOf(queue);
  }

  async peek(table: string, limits: BatchLimits): Promise<readonly QueuedFrame[]> {
    const queue = this.#queues.get(table);
    if (queue === undefined || queue.isEmpty) return [];
    if (!queue.nextIsOnDisk) {
      this.#handedOut.forget(table);
      return queue.peekMemory(limits);
    }
    const few = await readFew(this.#options.storage, this.#sealed(), queue, limits.rows);
    const { records: next, release } = few ?? (await this.#readNext(queue));
    const records = withinLimits(next, 0, limits);
    this.#handedOut.set(table, { records, release });
    return records;
  }

  letGo(table: string): void {
    this.#handedOut.letGo(table);
  }

  ack(table: string, seq: number): void {
    const queue = this.#queues.get(table);
    if (queue === undefined || seq <= queue.ackedSeq) return;
    const handedOut = this.#handedOut.recordsOf(table);
    this.#memoryBytes -= queue.ack(seq, handedOut, this.#options.monotonicMs());
    this.#handedOut.acknowledged(table, seq);
    this.#cursorIsStale = true;
  }

  deliveredSeq(table: string): number {
    return this.#queues.get(table)?.deliveredSeq ?? 0;
  }

  rewind(table: string): void {
    const queue = this.#queues.get(table);
    if (queue === undefined) return;
    this.#handedOut.forget(table);
    this.#memoryBytes -= queue.rewind(this.#releasedSeq(queue));
    this.#cursorIsStale = true;
  }

  tables(): readonly string[] {
    return [...this.#queues.keys()];
  }

  async *since(seq: number): AsyncGenerator<ScannedRecord> {
    for (const info of [...this.#segments.values()]) {
      if (lastSeqIn(info) <= seq) continue;
      const { records, release } = await this.#reader.read(info);
      try {
        const inOrder = [...records.values()].flat().sort((a, b) => a.seq - b.seq);
        yield* inOrder.filter((record) => record.seq > seq);
      } finally {
        release();
      }
    }
  }

  async saveCursor(): Promise<void> {
    this.#reader.trim();
    await this.#saveCursor(false);
    await this.#forget();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#cursorIsStale = true;
    await this.#saveCursor(true);
    await this.#forget();
    await this.#cursor.close();
  }

  async #saveCursor(isClean: boolean): Promise<void> {
    if (!this.#cursorIsStale) return;
    this.#cursorIsStale = false;
    const positions = new Map<string, { readonly acked: number; readonly released: number }>();
    for (const [table, queue] of this.#queues) {
      const acked = queue.ackedSeq;
      positions.set(table, { acked, released: Math.min(acked, this.#releasedSeq(queue)) });
    }
    try {
      await this.#cursor.save(positions, isClean);
    } catch (error) {
      this.#cursorIsStale = true;
      throw error;
    }
    this.#saved = positions;
  }

  #releasedSeq(queue: TableQueue): number {
    return queue.releasedSeq(this.#options.monotonicMs(), this.#options.graceMs);
  }

  /** Corrects the counts of tables whose delivered seq lies inside a segment: a footer tells only the whole. */
  async countPartlyDelivered(): Promise<void> {
    for (const info of this.#segments.values()) {
      for (const { table, firstSeq, lastSeq } of info.tables.values()) {
        const queue = this.#queues.get(table);
        if (queue === undefined || queue.deliveredSeq < firstSeq || queue.deliveredSeq >= lastSeq) continue;
        const { records, release } = await this.#reader.read(info);
        for (const { seq, frame } of records.get(table) ?? []) {
          if (seq > queue.deliveredSeq) continue;
          queue.pendingRows -= frame.rowCount;
          queue.pendingBytes -= frame.payload.length;
        }
        release();
      }
    }
  }

  /** After anything but an ordered stop, what was in its grace time is sent again: this machine may have lost power. */
  #openQueues({ loaded, isClean }: Cursor): void {
    const last = new Map([...loaded].map(([table, { acked }]) => [table, acked]));
    for (const info of this.#segments.values()) {
      for (const { table, lastSeq } of info.tables.values())
        last.set(table, Math.max(last.get(table) ?? 0, lastSeq));
    }
    for (const [table, lastSeq] of last) {
      const { acked, released } = loaded.get(table) ?? { acked: 0, released: 0 };
      const positions = { from: isClean ? acked : released, deliveredSeq: acked, lastSeq };
      this.#queues.set(table, new TableQueue(table, positions, this.#onReleased));
    }
    for (const info of this.#segments.values()) {
      for (const summary of info.tables.values()) {
        const queue = this.#queue(summary.table);
        if (summary.lastSeq <= queue.deliveredSeq) continue;
        queue.pendingRows += summary.rows;
        queue.pendingBytes += summary.bytes;
        queue.oldestUs ??= summary.oldestUs;
      }
    }
  }

  #queue(table: string): TableQueue {
    let queue = this.#queues.get(table);
    if (queue === undefined) {
      queue = new TableQueue(table, { from: 0, deliveredSeq: 0, lastSeq: 0 }, this.#onReleased);
      this.#queues.set(table, queue);
    }
    return queue;
  }

  /** Segments that are not written to any more. */
  #sealed(): readonly SegmentInfo[] {
    return [...this.#segments.values()].filter(({ id }) => id !== this.#writer.activeId);
  }

  /** Undelivered records of the first segment that has some; skips what damage has left of others. */
  async #readNext(queue: TableQueue): Promise<ReadRecords> {
    for (const info of [...this.#segments.values()]) {
      const summary = info.tables.get(queue.table);
      if (summary === undefined || summary.lastSeq <= queue.ackedSeq) continue;
      const { lastSeq } = summary;
      const { records: all, release } = await this.#reader.read(info);
      const records = (all.get(queue.table) ?? []).filter((record) => record.seq > queue.ackedSeq);
      if (records[0] !== undefined) {
        queue.oldestUs = records[0].frame.acceptedUs;
        return { records, release };
      }
      release();
      queue.skipTo(lastSeq);
      this.#cursorIsStale = true;
    }
    return { records: [], release: () => undefined };
  }

  /**
   * Deletes sealed segments whose frames are all delivered by the cursor *on disk* and past their grace time. Grace
   * ends early, oldest segment first, for bytes beyond its cap and when the spool is full.
   */
  async #forget(): Promise<void> {
    const delivered = this.#sealed().filter((info) => this.#isDelivered(info));
    const { witness, storage, graceBytesMax, bytesMax } = this.#options;
    let graceBytes = delivered.reduce((sum, info) => sum + info.durableBytes, 0);
    let bytes = this.bytes;
    const unneeded = delivered.filter((info) => {
      const mayStay = graceBytes <= graceBytesMax && bytes < bytesMax;
      if (mayStay && this.#isInGrace(info)) return false;
      graceBytes -= info.durableBytes;
      bytes -= info.durableBytes;
      return true;
    });
    const lastSeq = Math.max(0, ...unneeded.map(lastSeqIn));
    if (lastSeq > 0 && witness !== undefined && !(await witness.covers(lastSeq))) return;
    for (const info of unneeded) {
      for (const { table, lastSeq: seq } of info.tables.values()) this.#queue(table).release(seq);
      this.#segments.delete(info.id);
      this.#reader.drop(info.id);
      await storage.remove(segmentName(info.id));
    }
  }

  #isDelivered(info: SegmentInfo): boolean {
    return [...info.tables.values()].every(
      ({ table, lastSeq }) => lastSeq <= (this.#saved.get(table)?.acked ?? 0),
    );
  }

  #isInGrace(info: SegmentInfo): boolean {
    return [...info.tables.values()].some(
      ({ table, lastSeq }) => lastSeq > this.#releasedSeq(this.#queue(table)),
    );
  }
}

function pendingOf(queue: TableQueue): PendingTable {
  const { table, pendingRows: rows, pendingBytes: bytes, oldestUs = 0 } = queue;
  return { table, rows, bytes, oldestUs };
}

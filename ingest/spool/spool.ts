// The spool's face: durable queues of frames, one per table, over one shared log (README.md). It knows frames, not what
// is in them, and nothing of QuestDB.
import { TickwatchError } from "../errors.ts";
import { type AckedSeqs, type Cursor, openCursor } from "./cursor.ts";
import type { Frame } from "./frame.ts";
import { type Recovery, recover } from "./recovery.ts";
import { segmentName } from "./segment.ts";
import { createSegmentReader, type DamageReport, type SegmentReader } from "./segment_reader.ts";
import type { ScannedRecord } from "./segment_scan.ts";
import { createSegmentWriter, type SegmentInfo, type SegmentWriter } from "./segment_writer.ts";
import type { Storage } from "./storage.ts";
import { type BatchLimits, type QueuedFrame, TableQueue, withinLimits } from "./table_queue.ts";

export interface SpoolOptions {
  readonly storage: Storage;
  readonly durability: "fsync" | "os";
  readonly bytesMax: number;
  readonly segmentBytes: number;
  readonly memoryBytes: number;
  readonly nowUs: () => number;
  /** Acknowledged data that the disk changed: to be logged and counted by whoever opens the spool. */
  readonly onDamage: (report: DamageReport) => void;
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
   * in the queue until `ack`. One consumer per table.
   */
  peek(table: string, limits: BatchLimits): Promise<readonly QueuedFrame[]>;
  /** All frames of the table up to `seq` are delivered. Takes effect on disk with the next `saveCursor`. */
  ack(table: string, seq: number): void;
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
  readonly #options: SpoolOptions;
  readonly #cursor: Cursor;
  readonly #writer: SegmentWriter;
  readonly #reader: SegmentReader;
  readonly #segments = new Map<number, SegmentInfo>();
  readonly #queues = new Map<string, TableQueue>();
  /** Frames handed out that came from disk, by table: their sizes are needed when they are acked. */
  readonly #handedOut = new Map<string, readonly ScannedRecord[]>();
  #memoryBytes = 0;
  #cursorIsStale = false;
  #savedSeqs: AckedSeqs;

  constructor(options: SpoolOptions, cursor: Cursor, recovery: Recovery) {
    this.#options = options;
    this.#cursor = cursor;
    this.#savedSeqs = cursor.loaded;
    this.recovery = recovery;
    this.#reader = createSegmentReader(options.storage, options.onDamage);
    for (const info of recovery.segments) this.#segments.set(info.id, info);
    this.#writer = createSegmentWriter({
      storage: options.storage,
      segmentBytes: options.segmentBytes,
      sync: options.durability === "fsync",
      nowUs: options.nowUs,
      nextSegmentId: recovery.nextSegmentId,
      // A cursor may know a higher seq than the segments: all of them delivered and deleted.
      nextSeq: Math.max(recovery.nextSeq, ...[...cursor.loaded.values()].map((seq) => seq + 1)),
      onSegment: (info) => void this.#segments.set(info.id, info),
    });
    this.#openQueues(cursor.loaded);
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
    if (this.isFull) {
      throw new TickwatchError(
        "SPOOL_FULL",
        "the spool has reached spool.bytesMax: QuestDB must take rows first",
      );
    }
    for (const stored of await this.#writer.append(frames)) {
      const left = this.#options.memoryBytes - this.#memoryBytes;
      this.#memoryBytes += this.#queue(stored.frame.table).append(stored, left);
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
      this.#handedOut.delete(table);
      return queue.peekMemory(limits);
    }
    const records = withinLimits(await this.#readNext(queue), 0, limits);
    this.#handedOut.set(table, records);
    return records;
  }

  ack(table: string, seq: number): void {
    const queue = this.#queues.get(table);
    if (queue === undefined || seq <= queue.ackedSeq) return;
    this.#memoryBytes -= queue.ack(seq, this.#handedOut.get(table) ?? []);
    this.#cursorIsStale = true;
  }

  async saveCursor(): Promise<void> {
    if (this.#cursorIsStale) {
      this.#cursorIsStale = false;
      const acked = new Map([...this.#queues].map(([table, queue]) => [table, queue.ackedSeq]));
      try {
        await this.#cursor.save(acked);
      } catch (error) {
        this.#cursorIsStale = true;
        throw error;
      }
      this.#savedSeqs = acked;
    }
    await this.#forget();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.saveCursor();
    await this.#cursor.close();
  }

  /** Corrects the counts of tables whose acked seq lies inside a segment: a footer tells only the whole. */
  async countPartlyDelivered(): Promise<void> {
    for (const info of this.#segments.values()) {
      for (const { table, firstSeq, lastSeq } of info.tables.values()) {
        const queue = this.#queues.get(table);
        if (queue === undefined || queue.ackedSeq < firstSeq || queue.ackedSeq >= lastSeq) continue;
        for (const { seq, frame } of (await this.#reader.read(info)).get(table) ?? []) {
          if (seq > queue.ackedSeq) continue;
          queue.pendingRows -= frame.rowCount;
          queue.pendingBytes -= frame.payload.length;
        }
      }
    }
  }

  #openQueues(acked: AckedSeqs): void {
    for (const [table, seq] of acked) this.#queues.set(table, new TableQueue(table, seq, seq));
    const last = new Map<string, number>();
    for (const info of this.#segments.values()) {
      for (const { table, lastSeq } of info.tables.values()) last.set(table, lastSeq);
    }
    for (const [table, lastSeq] of last)
      this.#queues.set(table, new TableQueue(table, acked.get(table) ?? 0, lastSeq));
    for (const info of this.#segments.values()) {
      for (const summary of info.tables.values()) {
        const queue = this.#queue(summary.table);
        if (summary.lastSeq <= queue.ackedSeq) continue;
        queue.pendingRows += summary.rows;
        queue.pendingBytes += summary.bytes;
        queue.oldestUs ??= summary.oldestUs;
      }
    }
  }

  #queue(table: string): TableQueue {
    let queue = this.#queues.get(table);
    if (queue === undefined) {
      queue = new TableQueue(table, 0, 0);
      this.#queues.set(table, queue);
    }
    return queue;
  }

  /** Undelivered records of the first segment that has some; skips what damage has left of others. */
  async #readNext(queue: TableQueue): Promise<readonly ScannedRecord[]> {
    for (const info of [...this.#segments.values()]) {
      const summary = info.tables.get(queue.table);
      if (summary === undefined || summary.lastSeq <= queue.ackedSeq) continue;
      const { lastSeq } = summary;
      const records = (await this.#reader.read(info)).get(queue.table) ?? [];
      const next = records.filter((record) => record.seq > queue.ackedSeq);
      if (next.length > 0) return next;
      queue.skipTo(lastSeq);
      this.#cursorIsStale = true;
    }
    return [];
  }

  /** Deletes sealed segments that the cursor *on disk* covers. */
  async #forget(): Promise<void> {
    const acked = this.#savedSeqs;
    for (const [id, info] of [...this.#segments]) {
      const needed = [...info.tables.values()].some(
        ({ table, lastSeq }) => lastSeq > (acked.get(table) ?? 0),
      );
      const isActive = id === this.#writer.activeId;
      if (needed || isActive) continue;
      this.#segments.delete(id);
      this.#reader.drop(id);
      await this.#options.storage.remove(segmentName(id));
    }
  }
}

function pendingOf(queue: TableQueue): PendingTable {
  const { table, pendingRows: rows, pendingBytes: bytes, oldestUs = 0 } = queue;
  return { table, rows, bytes, oldestUs };
}

/** The same place is found again at every reading of its segment, and told only once. */
function onceEach(onDamage: SpoolOptions["onDamage"]): SpoolOptions["onDamage"] {
  const told = new Set<string>();
  return (report) => {
    const place = `${report.segment}@${report.at}`;
    if (told.has(place)) return;
    told.add(place);
    onDamage(report);
  };
}

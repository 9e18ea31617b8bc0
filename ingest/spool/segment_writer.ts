// Appends records to the newest segment and begins a new one when it is full. Owns the order of writes and syncs that
// README.md states. Knows nothing of delivery.
import { strict as assert } from "node:assert";
import { TickwatchError } from "../errors.ts";
import type { Frame } from "./frame.ts";
import { recordHeadBytes, writeRecordHead } from "./record.ts";
import {
  encodeFooter,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  segmentName,
  type TableSummary,
} from "./segment.ts";
import { addToSummary } from "./segment_scan.ts";
import type { Storage, StorageFile } from "./storage.ts";

/** A segment as the spool knows it. `durableBytes` excludes a footer. */
export interface SegmentInfo {
  readonly id: number;
  durableBytes: number;
  readonly tables: Map<string, TableSummary>;
}

export interface SegmentWriterOptions {
  readonly storage: Storage;
  readonly segmentBytes: number;
  /** false: durability is left to the operating system. */
  readonly sync: boolean;
  readonly nowUs: () => number;
  readonly nextSegmentId: number;
  readonly nextSeq: number;
  /** Hears of every new segment, before the first record is written to it. */
  readonly onSegment: (info: SegmentInfo) => void;
}

/** Where a frame was put. */
export interface Stored {
  readonly seq: number;
  readonly frame: Frame;
}

export interface SegmentWriter {
  /**
   * Writes the frames as consecutive records and syncs once. When it resolves they are durable; when it rejects
   * (SPOOL_FULL: no space left; SPOOL_FAILED: anything else) none of them counts. One call at a time.
   */
  append(frames: readonly Frame[]): Promise<readonly Stored[]>;
  /** Seals the newest segment. */
  close(): Promise<void>;
  /** Id of the segment that is written to now; undefined between two. */
  readonly activeId: number | undefined;
}

/** Memory for heads that is kept from one append to the next. */
const HEADS_KEPT_BYTES_MAX = 1_048_576;

export function createSegmentWriter(options: SegmentWriterOptions): SegmentWriter {
  return new Writer(options);
}

class Writer implements SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #active: { readonly info: SegmentInfo; readonly file: StorageFile } | undefined;
  #nextSegmentId: number;
  #nextSeq: number;
  #appending = false;
  #heads = Buffer.alloc(0);

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#nextSegmentId = options.nextSegmentId;
    this.#nextSeq = options.nextSeq;
  }

  get activeId(): number | undefined {
    return this.#active?.info.id;
  }

  async append(frames: readonly Frame[]): Promise<readonly Stored[]> {
    assert(!this.#appending, "one append at a time");
    this.#appending = true;
    try {
      return await this.#append(frames);
    } catch (error) {
      throw spoolError(error);
    } finally {
      this.#appending = false;
    }
  }

  async close(): Promise<void> {
    await this.#seal();
  }

  async #append(frames: readonly Frame[]): Promise<readonly Stored[]> {
    const full = (this.#active?.info.durableBytes ?? 0) >= this.#options.segmentBytes;
    if (full) await this.#seal();
    const active = this.#active ?? (await this.#begin());
    const stored = frames.map((frame): Stored => ({ seq: this.#nextSeq++, frame }));
    const buffers = this.#recordsOf(stored);
    await this.#writeDurably(active, buffers);
    active.info.durableBytes += buffers.reduce((sum, b) => sum + b.length, 0);
    for (const { seq, frame } of stored) addToSummary(active.info.tables, seq, frame);
    return stored;
  }

  /** Heads and payloads in turn. The heads share memory that the next append writes over. */
  #recordsOf(stored: readonly Stored[]): readonly Buffer[] {
    const headBytes = stored.reduce((sum, { frame }) => sum + recordHeadBytes(frame), 0);
    const isRoomy = headBytes <= this.#heads.length;
    const heads = isRoomy ? this.#heads : Buffer.allocUnsafeSlow(headBytes);
    if (heads.length <= HEADS_KEPT_BYTES_MAX) this.#heads = heads;
    let at = 0;
    return stored.flatMap(({ seq, frame }) => {
      const head = heads.subarray(at, at + recordHeadBytes(frame));
      at += head.length;
      writeRecordHead(head, frame, seq);
      return [head, frame.payload];
    });
  }

  async #writeDurably(
    { info, file }: { info: SegmentInfo; file: StorageFile },
    buffers: readonly Buffer[],
  ): Promise<void> {
    try {
      await file.write(buffers, info.durableBytes);
    } catch (error) {
      // Without the cut, the half-written records would be read as a torn tail in the middle of the segment.
      await file.truncate(info.durableBytes).catch(() => this.#abandon());
      throw error;
    }
    if (!this.#options.sync) return;
    try {
      await file.sync();
    } catch (error) {
      // The kernel may have dropped the dirty pages: what a later sync of this file says means nothing any more.
      await file.truncate(info.durableBytes).catch(() => undefined);
      await this.#abandon();
      throw error;
    }
  }

  async #begin(): Promise<{ readonly info: SegmentInfo; readonly file: StorageFile }> {
    const { storage, nowUs, sync } = this.#options;
    const info: SegmentInfo = {
      id: this.#nextSegmentId,
      durableBytes: SEGMENT_HEADER_BYTES,
      tables: new Map(),
    };
    const file = await storage.open(segmentName(info.id), { create: true });
    try {
      await file.truncate(0);
      await file.write([encodeSegmentHeader(info.id, nowUs())], 0);
      if (sync) {
        await file.sync();
        await storage.syncFolder();
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#nextSegmentId += 1;
    this.#active = { info, file };
    this.#options.onSegment(info);
    return this.#active;
  }

  /** A footer that cannot be written is no loss: recovery then reads the segment. */
  async #seal(): Promise<void> {
    const active = this.#active;
    if (active === undefined) return;
    this.#active = undefined;
    const { file, info } = active;
    try {
      await file.write([encodeFooter([...info.tables.values()])], info.durableBytes);
      if (this.#options.sync) await file.sync();
    } catch {
      await file.truncate(info.durableBytes).catch(() => undefined);
    } finally {
      await file.close();
    }
  }

  async #abandon(): Promise<void> {
    const file = this.#active?.file;
    this.#active = undefined;
    await file?.close().catch(() => undefined);
  }
}

function spoolError(error: unknown): TickwatchError {
  if (error instanceof TickwatchError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new TickwatchError("SPOOL_FULL", "the disk of the spool is full: free space in the dataDir", {
      cause: error,
    });
  }
  return new TickwatchError(
    "SPOOL_FAILED",
    "the spool could not be written; nothing of it was acknowledged",
    { cause: error },
  );
}

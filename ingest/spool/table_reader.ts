// Reads the records of one table from segments that hold little of it, without reading the rest: from header to header.
// A table with few rows among many of others has some in every segment: they go as one request, where reading segment by
// segment would make a request of each. Whatever is not as it was written is left to the reader of whole segments, which
// knows what to do about damage.

import type { ReadRecords } from "./handed_out.ts";
import {
  decodeRecordBody,
  decodeRecordHeader,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  recordBytes,
} from "./record.ts";
import { SEGMENT_HEADER_BYTES, segmentName, TABLE_BYTES_MAX } from "./segment.ts";
import type { ScannedRecord } from "./segment_scan.ts";
import type { SegmentInfo } from "./segment_writer.ts";
import type { Storage, StorageFile } from "./storage.ts";
import type { TableQueue } from "./table_queue.ts";

/** A segment has few rows of a table when they take no more than this, and no more than this part of it. */
const FEW_BYTES_MAX = 65_536;
const FEW_PART_MAX = 1 / 8;

/** Segments that are read for one request. */
const SEGMENTS_MAX = 64;

/** Read at once: most records of a mixed segment are smaller, and larger ones are stepped over. */
const CHUNK_BYTES = 65_536;

/** Enough to know whose record it is. */
const HEAD_BYTES_MAX = RECORD_HEADER_BYTES + TABLE_BYTES_MAX;

/**
 * All records of `table` in a segment that is not written to any more, in order and each checked against its CRC.
 * Undefined when they are not exactly as many as were written, or when a header on the way to them is damaged.
 */
async function readTableRecords(
  storage: Storage,
  { id, durableBytes, tables }: SegmentInfo,
  table: string,
): Promise<readonly ScannedRecord[] | undefined> {
  const due = tables.get(table)?.records ?? 0;
  const found: ScannedRecord[] = [];
  const file = await storage.open(segmentName(id));
  try {
    const window = new Window(file, durableBytes);
    for (let at = SEGMENT_HEADER_BYTES; found.length < due && at < durableBytes; ) {
      const header = await window.header(at);
      if (header === undefined) return undefined;
      if ((await window.table(at, header)) === table) {
        const frame = decodeRecordBody(await window.bytes(at, recordBytes(header)), 0, header);
        if (frame === undefined) return undefined;
        found.push({ seq: header.seq, frame });
      }
      at += recordBytes(header);
    }
  } finally {
    await file.close();
  }
  return found.length === due ? found : undefined;
}

/**
 * The queue's next records, from as many of the sealed `segments` as are needed for `rowsMax` rows. Undefined when the
 * first of them has many, is damaged, or there is none.
 */
export async function readFew(
  storage: Storage,
  segments: readonly SegmentInfo[],
  queue: TableQueue,
  rowsMax: number,
): Promise<ReadRecords | undefined> {
  const records: ScannedRecord[] = [];
  let rows = 0;
  let read = 0;
  for (const info of segments) {
    const { lastSeq = 0, bytes = 0 } = info.tables.get(queue.table) ?? {};
    if (lastSeq <= queue.ackedSeq) continue;
    const isFew = bytes <= FEW_BYTES_MAX && bytes <= FEW_PART_MAX * info.durableBytes;
    if (!isFew || rows >= rowsMax || read === SEGMENTS_MAX) break;
    const found = await readTableRecords(storage, info, queue.table);
    if (found === undefined) break;
    read += 1;
    for (const record of found) {
      if (record.seq <= queue.ackedSeq) continue;
      records.push(record);
      rows += record.frame.rowCount;
    }
  }
  if (records[0] === undefined) return undefined;
  queue.oldestUs = records[0].frame.acceptedUs;
  return { records, release: () => undefined };
}

/** A file up to `end`, read a chunk at a time. What it gives out is not written over. */
class Window {
  readonly #file: StorageFile;
  readonly #end: number;
  #from = 0;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(file: StorageFile, end: number) {
    this.#file = file;
    this.#end = end;
  }

  async header(at: number): Promise<RecordHeader | undefined> {
    return decodeRecordHeader(await this.bytes(at, HEAD_BYTES_MAX), 0);
  }

  /** The name behind a header; it may be damaged. */
  async table(at: number, { tableBytes }: RecordHeader): Promise<string> {
    return (await this.bytes(at + RECORD_HEADER_BYTES, tableBytes)).toString("utf8");
  }

  /** Fewer only at the end. */
  async bytes(at: number, length: number): Promise<Buffer> {
    const to = Math.min(at + length, this.#end);
    if (at < this.#from || to > this.#from + this.#chunk.length) {
      this.#chunk = await this.#file.read(at, Math.min(Math.max(length, CHUNK_BYTES), this.#end - at));
      this.#from = at;
    }
    return this.#chunk.subarray(at - this.#from, to - this.#from);
  }
}

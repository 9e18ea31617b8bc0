// Reads the records of one segment's bytes, past damage where there is any. Pure bytes; no files.
import type { Frame } from "./frame.ts";
import { decodeRecordBody, decodeRecordHeader, findRecordMagic, recordBytes } from "./record.ts";
import { decodeFooter, SEGMENT_HEADER_BYTES, type TableSummary } from "./segment.ts";

/** An intact record and where it lies. */
export interface ScannedRecord {
  readonly seq: number;
  readonly frame: Frame;
}

/** A record, or what was one, that does not hold what was written. */
export interface DamagedPlace {
  readonly at: number;
  /** Rows of the record, where its header still tells. */
  readonly rows: number | undefined;
}

/** What a segment's bytes hold. */
export interface SegmentScan {
  readonly records: readonly ScannedRecord[];
  /** End of the last intact record: what follows is a footer, or a torn tail. */
  readonly end: number;
  /** Damaged places with intact records behind them. */
  readonly damaged: readonly DamagedPlace[];
  /** Damaged places behind the last intact record that are of full length, by a header that is intact. */
  readonly doubtful: readonly DamagedPlace[];
}

/**
 * Scans from `from` on, where a record begins; from behind the segment's header if absent. Every body is checked against
 * its CRC, so what comes back is what was acknowledged, or is counted as damaged. Frames share memory with `bytes`.
 */
export function scanSegment(bytes: Buffer, from = 0): SegmentScan {
  const limit = bytes.length - (decodeFooter(bytes)?.footerBytes ?? 0);
  const body = bytes.subarray(0, limit);
  const records: ScannedRecord[] = [];
  const damaged: DamagedPlace[] = [];
  // What is damaged turns out to be a torn tail when nothing intact follows.
  let pending: DamagedPlace[] = [];
  let at = Math.max(from, SEGMENT_HEADER_BYTES);
  let end = at;
  while (at >= 0 && at < limit) {
    const header = decodeRecordHeader(body, at);
    const frame = header === undefined ? undefined : decodeRecordBody(body, at, header);
    if (header !== undefined && frame !== undefined) {
      damaged.push(...pending);
      pending = [];
      records.push({ seq: header.seq, frame });
      at += recordBytes(header);
      end = at;
      continue;
    }
    pending.push({ at, rows: header?.rowCount });
    // An intact header tells where the next record begins, so that each damaged one is counted with its rows.
    const behind = header === undefined ? limit + 1 : at + recordBytes(header);
    at = behind <= limit ? behind : nextIntact(body, at + 1);
  }
  return { records, end, damaged, doubtful: pending.filter((place) => isWhole(body, place)) };
}

function isWhole(body: Buffer, { at }: DamagedPlace): boolean {
  const header = decodeRecordHeader(body, at);
  return header !== undefined && at + recordBytes(header) <= body.length;
}

function nextIntact(body: Buffer, from: number): number {
  for (let at = findRecordMagic(body, from); at !== -1; at = findRecordMagic(body, at + 1)) {
    const header = decodeRecordHeader(body, at);
    if (header !== undefined && decodeRecordBody(body, at, header) !== undefined) return at;
  }
  return -1;
}

/** Per table, what the records come to: for footers and for the spool's book-keeping. */
export function summarize(records: readonly ScannedRecord[]): Map<string, TableSummary> {
  const summaries = new Map<string, TableSummary>();
  for (const { seq, frame } of records) addToSummary(summaries, seq, frame);
  return summaries;
}

/** Adds one record to the summary of its table. */
export function addToSummary(summaries: Map<string, TableSummary>, seq: number, frame: Frame): void {
  const so = summaries.get(frame.table);
  summaries.set(frame.table, {
    table: frame.table,
    records: (so?.records ?? 0) + 1,
    rows: (so?.rows ?? 0) + frame.rowCount,
    bytes: (so?.bytes ?? 0) + frame.payload.length,
    firstSeq: so?.firstSeq ?? seq,
    lastSeq: seq,
    oldestUs: so?.oldestUs ?? frame.acceptedUs,
  });
}

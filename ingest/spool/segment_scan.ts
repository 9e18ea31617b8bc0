// Reads the records of one segment's bytes, past damage where there is any. Pure bytes; no files.
import type { Frame } from "./frame.ts";
import { decodeRecordBody, decodeRecordHeader, findRecordMagic, recordBytes } from "./record.ts";
import { decodeFooter, SEGMENT_HEADER_BYTES, type TableSummary } from "./segment.ts";

/** An intact record and where it lies. */
export interface ScannedRecord {
  readonly seq: number;
  readonly frame: Frame;
}

/** What a segment's bytes hold. */
export interface SegmentScan {
  readonly records: readonly ScannedRecord[];
  /** End of the last intact record: what follows is a footer, or a torn tail. */
  readonly end: number;
  /** Damaged places with intact records behind them, and the rows of those whose header still tells. */
  readonly damaged: readonly { readonly at: number; readonly rows: number | undefined }[];
}

/**
 * Scans from behind the segment's header. Every body is checked against its CRC, so what comes back is what was
 * acknowledged, or is counted as damaged. Frames share memory with `bytes`.
 */
export function scanSegment(bytes: Buffer): SegmentScan {
  const limit = bytes.length - (decodeFooter(bytes)?.footerBytes ?? 0);
  const body = bytes.subarray(0, limit);
  const records: ScannedRecord[] = [];
  const damaged: { at: number; rows: number | undefined }[] = [];
  let at = SEGMENT_HEADER_BYTES;
  let end = at;
  while (at < limit) {
    const header = decodeRecordHeader(body, at);
    const frame = header === undefined ? undefined : decodeRecordBody(body, at, header);
    if (header !== undefined && frame !== undefined) {
      records.push({ seq: header.seq, frame });
      at += recordBytes(header);
      end = at;
      continue;
    }
    const next = nextIntact(body, at + 1);
    if (next === -1) break;
    damaged.push({ at, rows: header?.rowCount });
    at = next;
  }
  return { records, end, damaged };
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

// What a segment file is made of besides its records: name, header, footer. Pure bytes; no files.
import { crc32c } from "./crc32c.ts";

export const SEGMENT_HEADER_BYTES = 32;
const HEADER_MAGIC = "TWSEG\0";
const FOOTER_MAGIC = "TWFT";
const VERSION = 1;
const SUFFIX = ".segment";
/** Bytes after the entries of a footer: its length and its CRC. */
const FOOTER_TAIL_BYTES = 8;

/** Longest name of a table. */
export const TABLE_BYTES_MAX = 256;

/** What a segment holds of one table. */
export interface TableSummary {
  readonly table: string;
  readonly records: number;
  readonly rows: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** When its oldest row was accepted, µs. */
  readonly oldestUs: number;
}

/** File name of a segment. */
export function segmentName(id: number): string {
  return `${String(id).padStart(16, "0")}${SUFFIX}`;
}

/** Id of a segment file, or undefined when the name is not one's. */
export function segmentId(name: string): number | undefined {
  const match = /^(\d{16})\.segment$/.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export function encodeSegmentHeader(id: number, createdUs: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.write(HEADER_MAGIC, 0, "latin1");
  bytes.writeUInt16LE(VERSION, 6);
  bytes.writeBigUInt64LE(BigInt(id), 8);
  bytes.writeBigInt64LE(BigInt(createdUs), 16);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** The id in an intact header, else undefined. */
export function decodeSegmentHeader(bytes: Buffer): number | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  if (bytes.toString("latin1", 0, 6) !== HEADER_MAGIC || bytes.readUInt16LE(6) !== VERSION) return undefined;
  if (bytes.readUInt32LE(28) !== crc32c(bytes.subarray(0, 28))) return undefined;
  return Number(bytes.readBigUInt64LE(8));
}

export function encodeFooter(summaries: readonly TableSummary[]): Buffer {
  const head = Buffer.alloc(8);
  head.write(FOOTER_MAGIC, 0, "latin1");
  head.writeUInt16LE(VERSION, 4);
  head.writeUInt16LE(summaries.length, 6);
  const entries = Buffer.concat([head, ...summaries.map(encodeSummary)]);
  const tail = Buffer.alloc(FOOTER_TAIL_BYTES);
  tail.writeUInt32LE(entries.length + FOOTER_TAIL_BYTES, 0);
  tail.writeUInt32LE(crc32c(entries, tail.subarray(0, 4)), 4);
  return Buffer.concat([entries, tail]);
}

/** The footer at the end of `bytes` (the end of a segment file), or undefined when there is no intact one. */
export function decodeFooter(bytes: Buffer): { summaries: TableSummary[]; footerBytes: number } | undefined {
  if (bytes.length < 8 + FOOTER_TAIL_BYTES) return undefined;
  const footerBytes = bytes.readUInt32LE(bytes.length - FOOTER_TAIL_BYTES);
  if (footerBytes > bytes.length || footerBytes < 8 + FOOTER_TAIL_BYTES) return undefined;
  const footer = bytes.subarray(bytes.length - footerBytes);
  if (footer.readUInt32LE(footerBytes - 4) !== crc32c(footer.subarray(0, footerBytes - 4))) return undefined;
  if (footer.toString("latin1", 0, 4) !== FOOTER_MAGIC || footer.readUInt16LE(4) !== VERSION)
    return undefined;
  const summaries: TableSummary[] = [];
  const end = footerBytes - FOOTER_TAIL_BYTES;
  let at = 8;
  for (let left = footer.readUInt16LE(6); left > 0; left--) {
    const nameBytes = footer.readUInt16LE(at);
    const fields = at + 2 + nameBytes;
    // With a sum that is right only a mistake in a program gets here; the segment is then read instead.
    if (nameBytes > TABLE_BYTES_MAX || fields + SUMMARY_FIXED_BYTES > end) return undefined;
    summaries.push({
      table: footer.toString("utf8", at + 2, fields),
      records: footer.readUInt32LE(fields),
      rows: Number(footer.readBigUInt64LE(fields + 4)),
      bytes: Number(footer.readBigUInt64LE(fields + 12)),
      firstSeq: Number(footer.readBigUInt64LE(fields + 20)),
      lastSeq: Number(footer.readBigUInt64LE(fields + 28)),
      oldestUs: Number(footer.readBigInt64LE(fields + 36)),
    });
    at = fields + SUMMARY_FIXED_BYTES;
  }
  return { summaries, footerBytes };
}

const SUMMARY_FIXED_BYTES = 44;

function encodeSummary(summary: TableSummary): Buffer {
  const name = Buffer.from(summary.table);
  const bytes = Buffer.alloc(2 + name.length + SUMMARY_FIXED_BYTES);
  bytes.writeUInt16LE(name.length, 0);
  name.copy(bytes, 2);
  const fields = 2 + name.length;
  bytes.writeUInt32LE(summary.records, fields);
  bytes.writeBigUInt64LE(BigInt(summary.rows), fields + 4);
  bytes.writeBigUInt64LE(BigInt(summary.bytes), fields + 12);
  bytes.writeBigUInt64LE(BigInt(summary.firstSeq), fields + 20);
  bytes.writeBigUInt64LE(BigInt(summary.lastSeq), fields + 28);
  bytes.writeBigInt64LE(BigInt(summary.oldestUs), fields + 36);
  return bytes;
}

// One record: a frame with its header, as README.md lays it out. Pure bytes; no files.
import { strict as assert } from "node:assert";
import { crc32c } from "./crc32c.ts";
import type { Frame } from "./frame.ts";
import { TABLE_BYTES_MAX } from "./segment.ts";

export const RECORD_HEADER_BYTES = 64;
const MAGIC = 0x4352_5754; // "TWRC" read as a little-endian integer
const VERSION = 1;

/** Limits that no honest record exceeds; a header beyond them is damage, not data. */
const ROWS_MAX = 1 << 20;
const PAYLOAD_BYTES_MAX = 1 << 28;

/** What a record's header says. */
export interface RecordHeader {
  readonly seq: number;
  readonly tableBytes: number;
  readonly payloadBytes: number;
  readonly rowCount: number;
  readonly fingerprint: number;
  readonly bodyCrc: number;
  readonly minTs: number;
  readonly maxTs: number;
  readonly acceptedUs: number;
}

/** Bytes of a whole record with this header. */
export function recordBytes(header: Pick<RecordHeader, "tableBytes" | "payloadBytes" | "rowCount">): number {
  return RECORD_HEADER_BYTES + header.tableBytes + 4 * header.rowCount + header.payloadBytes;
}

/** Bytes of what `writeRecordHead` writes. */
export function recordHeadBytes(frame: Frame): number {
  return RECORD_HEADER_BYTES + Buffer.byteLength(frame.table) + 4 * frame.rowCount;
}

/** Writes header, name and offsets of a record to the start of `head`, which has their size; the payload follows it unchanged. */
export function writeRecordHead(head: Buffer, frame: Frame, seq: number): void {
  assert(
    frame.rowCount > 0 && frame.rowCount === frame.rowOffsets.length,
    "a frame has rows, each with its offset",
  );
  head.fill(0, 0, RECORD_HEADER_BYTES);
  const nameBytes = head.write(frame.table, RECORD_HEADER_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt8(VERSION, 4);
  head.writeUInt16LE(nameBytes, 6);
  head.writeBigUInt64LE(BigInt(seq), 8);
  head.writeUInt32LE(frame.payload.length, 16);
  head.writeUInt32LE(frame.rowCount, 20);
  head.writeUInt32LE(frame.fingerprint, 24);
  head.writeBigInt64LE(BigInt(frame.minTs), 32);
  head.writeBigInt64LE(BigInt(frame.maxTs), 40);
  head.writeBigInt64LE(BigInt(frame.acceptedUs), 48);
  let at = RECORD_HEADER_BYTES + nameBytes;
  for (const offset of frame.rowOffsets) at = head.writeUInt32LE(offset, at);
  head.writeUInt32LE(crc32c(head.subarray(RECORD_HEADER_BYTES), frame.payload), 28);
  head.writeUInt32LE(crc32c(head.subarray(0, 60)), 60);
}

/** The header at `at`, or undefined when there is no intact one. */
export function decodeRecordHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.readUInt32LE(at) !== MAGIC || bytes.readUInt8(at + 4) !== VERSION) return undefined;
  if (bytes.readUInt32LE(at + 60) !== crc32c(bytes.subarray(at, at + 60))) return undefined;
  const header: RecordHeader = {
    tableBytes: bytes.readUInt16LE(at + 6),
    seq: Number(bytes.readBigUInt64LE(at + 8)),
    payloadBytes: bytes.readUInt32LE(at + 16),
    rowCount: bytes.readUInt32LE(at + 20),
    fingerprint: bytes.readUInt32LE(at + 24),
    bodyCrc: bytes.readUInt32LE(at + 28),
    minTs: Number(bytes.readBigInt64LE(at + 32)),
    maxTs: Number(bytes.readBigInt64LE(at + 40)),
    acceptedUs: Number(bytes.readBigInt64LE(at + 48)),
  };
  const sane =
    header.tableBytes > 0 &&
    header.tableBytes <= TABLE_BYTES_MAX &&
    header.rowCount > 0 &&
    header.rowCount <= ROWS_MAX &&
    header.payloadBytes <= PAYLOAD_BYTES_MAX;
  return sane ? header : undefined;
}

/** The frame of the record at `at`, or undefined when its body is cut short or damaged. Shares memory with `bytes`. */
export function decodeRecordBody(bytes: Buffer, at: number, header: RecordHeader): Frame | undefined {
  const end = at + recordBytes(header);
  if (end > bytes.length) return undefined;
  const body = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  if (crc32c(body) !== header.bodyCrc) return undefined;
  const rowOffsets = new Uint32Array(header.rowCount);
  for (let i = 0; i < header.rowCount; i++) rowOffsets[i] = body.readUInt32LE(header.tableBytes + 4 * i);
  return {
    table: body.toString("utf8", 0, header.tableBytes),
    fingerprint: header.fingerprint,
    rowCount: header.rowCount,
    rowOffsets,
    payload: body.subarray(header.tableBytes + 4 * header.rowCount),
    minTs: header.minTs,
    maxTs: header.maxTs,
    acceptedUs: header.acceptedUs,
  };
}

/** Where the next record magic stands at or after `from`, or -1: for going on behind damage. */
export function findRecordMagic(bytes: Buffer, from: number): number {
  return bytes.indexOf("TWRC", from, "latin1");
}

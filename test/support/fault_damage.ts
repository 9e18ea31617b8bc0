// Damages a spool the way disks do, between two lives of the service, and knows what it has damaged.
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeLine } from "../../ingest/encode/decode.ts";
import { type Frame, rowBytes } from "../../ingest/spool/frame.ts";
import {
  decodeRecordBody,
  decodeRecordHeader,
  RECORD_HEADER_BYTES,
  recordBytes,
} from "../../ingest/spool/record.ts";
import { SEGMENT_HEADER_BYTES } from "../../ingest/spool/segment.ts";

/** A whole record in a segment's file. */
export interface SpoolRecord {
  readonly path: string;
  readonly at: number;
  readonly bytes: Buffer;
  readonly frame: Frame;
}

/** All records of a spool that is whole, in the order of their acceptance. */
export async function spoolRecords(dataDir: string): Promise<readonly SpoolRecord[]> {
  const records: SpoolRecord[] = [];
  for (const path of await segmentPaths(dataDir)) {
    const bytes = await readFile(path);
    for (let at = SEGMENT_HEADER_BYTES; ; ) {
      const header = decodeRecordHeader(bytes, at);
      const frame = header === undefined ? undefined : decodeRecordBody(bytes, at, header);
      if (header === undefined || frame === undefined) break;
      const end = at + recordBytes(header);
      records.push({ path, at, bytes: bytes.subarray(at, end), frame });
      at = end;
    }
  }
  return records;
}

/** Paths of the segments, oldest first. */
export async function segmentPaths(dataDir: string): Promise<readonly string[]> {
  const folder = join(dataDir, "spool");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".segment")).sort();
  return names.map((name) => join(folder, name));
}

/** The rows of a frame, as they would be in QuestDB. */
export function rowsOf(frame: Frame): readonly Readonly<Record<string, unknown>>[] {
  return Array.from({ length: frame.rowCount }, (_, index) => {
    const line = decodeLine(rowBytes(frame, index));
    if (line === undefined) throw new Error("a frame holds bytes that are no row");
    return line.row;
  });
}

/** Changes one bit of a record: in its header, or behind it (`share` of the way through). */
export async function flipBit(
  record: SpoolRecord,
  { part, share, bit }: { readonly part: "header" | "body"; readonly share: number; readonly bit: number },
): Promise<void> {
  const from = part === "header" ? 0 : RECORD_HEADER_BYTES;
  const to = part === "header" ? RECORD_HEADER_BYTES : record.bytes.length;
  const at = from + Math.floor(share * (to - from));
  const file = await open(record.path, "r+");
  try {
    const flipped = (record.bytes[at] ?? 0) ^ (1 << bit);
    await file.write(Buffer.from([flipped]), 0, 1, record.at + at);
  } finally {
    await file.close();
  }
}

/** Adds bytes behind the last ones of a file: a write that a power cut has ended. */
export async function tear(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, "a");
  try {
    await file.appendFile(bytes);
  } finally {
    await file.close();
  }
}

// What a spool holds at start, per README.md, "Recovery". Reads footers; only segments without one are read whole.
import {
  decodeFooter,
  decodeSegmentHeader,
  encodeFooter,
  SEGMENT_HEADER_BYTES,
  segmentId,
  segmentName,
} from "./segment.ts";
import type { DamageReport } from "./segment_reader.ts";
import { scanSegment, summarize } from "./segment_scan.ts";
import type { SegmentInfo } from "./segment_writer.ts";
import type { Storage, StorageFile } from "./storage.ts";

/** Enough for the footer of a thousand tables. */
const FOOTER_READ_BYTES = 131_072;

export interface Recovery {
  /** Ascending by id. */
  readonly segments: readonly SegmentInfo[];
  readonly nextSegmentId: number;
  readonly nextSeq: number;
  /** Bytes cut off the ends of segments: writes that were never acknowledged. */
  readonly tornBytes: number;
  /**
   * Rows of records among them that are of full length and still do not hold what was written: the end of a write that
   * a power cut ended, or an acknowledged record that the disk changed. It cannot be told which.
   */
  readonly doubtfulRows: number;
  /** Acknowledged data that the disk changed. */
  readonly damaged: readonly DamageReport[];
  /** Segments set aside because their header is damaged. */
  readonly setAside: readonly string[];
}

/** Brings the folder into order and tells what is in it. Syncs what it changes. */
export async function recover(storage: Storage): Promise<Recovery> {
  const ids = (await storage.list()).flatMap((name) => segmentId(name) ?? []).sort((a, b) => a - b);
  const segments: SegmentInfo[] = [];
  const damaged: DamageReport[] = [];
  const setAside: string[] = [];
  let tornBytes = 0;
  let doubtfulRows = 0;
  let changedNames = false;
  for (const id of ids) {
    const name = segmentName(id);
    const outcome = await recoverSegment(storage, id, name);
    if (outcome.kind === "kept") {
      segments.push(outcome.info);
      damaged.push(...outcome.damaged);
      tornBytes += outcome.tornBytes;
      doubtfulRows += outcome.doubtfulRows;
      continue;
    }
    changedNames = true;
    if (outcome.kind === "empty") {
      await storage.remove(name);
    } else {
      await storage.rename(name, `${name}.damaged`);
      setAside.push(`${name}.damaged`);
    }
  }
  if (changedNames) await storage.syncFolder();
  const lastSeq = Math.max(0, ...segments.flatMap((s) => [...s.tables.values()].map((t) => t.lastSeq)));
  return {
    segments,
    nextSegmentId: (ids.at(-1) ?? 0) + 1,
    nextSeq: lastSeq + 1,
    tornBytes,
    doubtfulRows,
    damaged,
    setAside,
  };
}

type SegmentOutcome =
  | {
      readonly kind: "kept";
      readonly info: SegmentInfo;
      readonly damaged: DamageReport[];
      readonly tornBytes: number;
      readonly doubtfulRows: number;
    }
  | { readonly kind: "empty" }
  | { readonly kind: "unreadable" };

async function recoverSegment(storage: Storage, id: number, name: string): Promise<SegmentOutcome> {
  const file = await storage.open(name);
  try {
    const size = await file.size();
    const header = await file.read(0, SEGMENT_HEADER_BYTES);
    if (header.length < SEGMENT_HEADER_BYTES || header.every((byte) => byte === 0)) return { kind: "empty" };
    if (decodeSegmentHeader(header) !== id) return { kind: "unreadable" };
    const footer = decodeFooter(await file.read(Math.max(0, size - FOOTER_READ_BYTES), FOOTER_READ_BYTES));
    if (footer !== undefined) {
      const tables = new Map(footer.summaries.map((summary) => [summary.table, summary]));
      return {
        kind: "kept",
        info: { id, durableBytes: size - footer.footerBytes, tables },
        damaged: [],
        tornBytes: 0,
        doubtfulRows: 0,
      };
    }
    return await sealByReading(file, id, name, size);
  } finally {
    await file.close();
  }
}

async function sealByReading(
  file: StorageFile,
  id: number,
  name: string,
  size: number,
): Promise<SegmentOutcome> {
  const scan = scanSegment(await file.read(0, size));
  const tables = summarize(scan.records);
  await file.truncate(scan.end);
  try {
    await file.write([encodeFooter([...tables.values()])], scan.end);
  } catch {
    // A full disk: without a footer it is read again at the next start.
    await file.truncate(scan.end);
  }
  await file.sync();
  const damaged = scan.damaged.map(({ at, rows }) => ({ segment: name, at, rows }));
  const doubtfulRows = scan.doubtful.reduce((sum, { rows = 0 }) => sum + rows, 0);
  const info = { id, durableBytes: scan.end, tables };
  return { kind: "kept", info, damaged, tornBytes: size - scan.end, doubtfulRows };
}

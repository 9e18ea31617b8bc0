// Reads segments back: whole files, scanned and grouped by table, the last few kept. Sealed segments never change; the
// one being written is read up to its durable end.

import { segmentName } from "./segment.ts";
import type { ScannedRecord } from "./segment_scan.ts";
import { scanSegment } from "./segment_scan.ts";
import type { SegmentInfo } from "./segment_writer.ts";
import type { Storage } from "./storage.ts";

/** Records of one segment by table, in order. */
export type SegmentRecords = ReadonlyMap<string, readonly ScannedRecord[]>;

/** Damage found in a segment that was intact when it was written. */
export interface DamageReport {
  readonly segment: string;
  readonly at: number;
  /** Rows lost, where the header still told. */
  readonly rows: number | undefined;
}

export interface SegmentReader {
  read(info: SegmentInfo): Promise<SegmentRecords>;
  /** Forgets a deleted segment. */
  drop(id: number): void;
}

/** Segments kept in memory: several tables usually drain from the same one. */
const KEPT = 2;

/** `onDamage` hears of the same damage at every reading. */
export function createSegmentReader(
  storage: Storage,
  onDamage: (report: DamageReport) => void,
): SegmentReader {
  const kept = new Map<
    number,
    { readonly durableBytes: number; readonly records: Promise<SegmentRecords> }
  >();

  async function load(info: SegmentInfo, durableBytes: number): Promise<SegmentRecords> {
    const name = segmentName(info.id);
    const file = await storage.open(name);
    const bytes = await file.read(0, durableBytes).finally(() => file.close());
    const scan = scanSegment(bytes);
    // Here nothing is an unfinished write: every byte up to the durable end was acknowledged.
    const tail = scan.end < durableBytes ? [{ at: scan.end, rows: undefined }] : [];
    const places = [...scan.damaged, ...(scan.doubtful.length > 0 ? scan.doubtful : tail)];
    for (const { at, rows } of places) onDamage({ segment: name, at, rows });
    const byTable = new Map<string, ScannedRecord[]>();
    for (const record of scan.records) {
      const list = byTable.get(record.frame.table);
      if (list === undefined) byTable.set(record.frame.table, [record]);
      else list.push(record);
    }
    return byTable;
  }

  return {
    read(info) {
      const { id, durableBytes } = info;
      const known = kept.get(id);
      if (known !== undefined && known.durableBytes === durableBytes) return known.records;
      const records = load(info, durableBytes);
      kept.delete(id);
      kept.set(id, { durableBytes, records });
      records.catch(() => kept.delete(id));
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      return records;
    },
    drop: (id) => void kept.delete(id),
  };
}

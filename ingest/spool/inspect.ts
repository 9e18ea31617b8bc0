// Looks into a spool for people. Changes nothing, so it may be used while the service runs; what it shows is then a
// moment that has passed.
import { readCursor } from "./cursor.ts";
import type { Frame } from "./frame.ts";
import { type LockOwner, lockOwner } from "./lock.ts";
import { decodeFooter, segmentId, segmentName } from "./segment.ts";
import { scanSegment } from "./segment_scan.ts";
import type { Storage } from "./storage.ts";
import { openFolder } from "./storage.ts";

export interface SpoolListing {
  /** The living process that has the spool, if one has. */
  readonly owner: LockOwner | undefined;
  readonly segments: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sealed: boolean;
    readonly damaged: number;
  }[];
  /** Undelivered rows by table. */
  readonly pending: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly oldestUs: number;
  }[];
}

/** A spooled frame and whether it is delivered. */
export interface SpooledFrame {
  readonly seq: number;
  readonly segment: string;
  readonly delivered: boolean;
  readonly frame: Frame;
}

/** Every intact frame of a spool folder, in order. */
export async function* spooledFrames(folder: string): AsyncGenerator<SpooledFrame> {
  const storage = await openFolder(folder);
  const positions = await readCursor(storage);
  for await (const { name, bytes } of readSegments(storage)) {
    for (const { seq, frame } of scanSegment(bytes).records) {
      yield { seq, segment: name, delivered: seq <= (positions.get(frame.table)?.acked ?? 0), frame };
    }
  }
}

/** What a spool folder holds. Reads all of it. */
export async function listSpool(folder: string): Promise<SpoolListing> {
  const storage = await openFolder(folder);
  const positions = await readCursor(storage);
  const pending = new Map<string, { rows: number; bytes: number; oldestUs: number }>();
  const segments: { name: string; bytes: number; sealed: boolean; damaged: number }[] = [];
  for await (const { name, bytes } of readSegments(storage)) {
    const scan = scanSegment(bytes);
    segments.push({
      name,
      bytes: bytes.length,
      sealed: decodeFooter(bytes) !== undefined,
      damaged: scan.damaged.length,
    });
    for (const { seq, frame } of scan.records) {
      if (seq <= (positions.get(frame.table)?.acked ?? 0)) continue;
      const so = pending.get(frame.table) ?? { rows: 0, bytes: 0, oldestUs: frame.acceptedUs };
      so.rows += frame.rowCount;
      so.bytes += frame.payload.length;
      pending.set(frame.table, so);
    }
  }
  return {
    owner: await lockOwner(folder),
    segments,
    pending: [...pending].map(([table, counts]) => ({ table, ...counts })),
  };
}

/** One segment after the other; one that was deleted meanwhile is delivered, and left out. */
async function* readSegments(
  storage: Storage,
): AsyncGenerator<{ readonly name: string; readonly bytes: Buffer }> {
  const ids = (await storage.list()).flatMap((name) => segmentId(name) ?? []).sort((a, b) => a - b);
  for (const name of ids.map(segmentName)) {
    const file = await storage.open(name).catch(() => undefined);
    if (file === undefined) continue;
    yield { name, bytes: await file.read(0, await file.size()).finally(() => file.close()) };
  }
}

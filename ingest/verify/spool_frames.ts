// Frames of a spool that may be in use, read from outside: those that are not delivered, or not in the ledger yet.
import type { Frame } from "../spool/frame.ts";
import { decodeFooter, segmentId, segmentName } from "../spool/segment.ts";
import { scanSegment } from "../spool/segment_scan.ts";
import type { Storage, StorageFile } from "../spool/storage.ts";

/** Enough for the footer of a thousand tables. */
const FOOTER_READ_BYTES = 131_072;

export interface FoundFrame {
  readonly seq: number;
  readonly frame: Frame;
}

/**
 * Intact records for which `isWanted`, in order. Sealed segments without one are not read. A segment that is deleted
 * meanwhile is passed over: its rows are delivered, and in the ledger.
 */
export async function* spoolFrames(
  storage: Storage,
  isWanted: (table: string, seq: number) => boolean,
): AsyncGenerator<FoundFrame> {
  const ids = (await storage.list()).flatMap((name) => segmentId(name) ?? []).sort((a, b) => a - b);
  for (const name of ids.map(segmentName)) {
    const file = await storage.open(name).catch(() => undefined);
    if (file === undefined) continue;
    const bytes = await wantedBytes(file, isWanted).finally(() => file.close());
    if (bytes === undefined) continue;
    for (const { seq, frame } of scanSegment(bytes).records)
      if (isWanted(frame.table, seq)) yield { seq, frame };
  }
}

async function wantedBytes(
  file: StorageFile,
  isWanted: (table: string, seq: number) => boolean,
): Promise<Buffer | undefined> {
  const size = await file.size();
  const footer = decodeFooter(await file.read(Math.max(0, size - FOOTER_READ_BYTES), FOOTER_READ_BYTES));
  const hasWanted = footer?.summaries.some(({ table, lastSeq }) => isWanted(table, lastSeq)) ?? true;
  return hasWanted ? await file.read(0, size) : undefined;
}

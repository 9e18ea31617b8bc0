// Frames and spools for tests of the spool: small segments, so that a few frames already need several.

import type { Frame } from "../../ingest/spool/frame.ts";
import { openSpool, type Spool, type SpoolOptions } from "../../ingest/spool/spool.ts";
import type { Storage } from "../../ingest/spool/storage.ts";

/** A frame whose payload tells which one it is. */
export function frameOf(table: string, number: number, rowCount = 2): Frame {
  const rows = Array.from({ length: rowCount }, (_, row) =>
    Buffer.from(`${table},n=${number} row=${row}i ${number}t\n`),
  );
  const rowOffsets = new Uint32Array(rowCount);
  let at = 0;
  for (const [index, row] of rows.entries()) {
    rowOffsets[index] = at;
    at += row.length;
  }
  return {
    table,
    fingerprint: 7,
    rowCount,
    rowOffsets,
    payload: Buffer.concat(rows),
    minTs: number,
    maxTs: number,
    acceptedUs: 1_000 + number,
  };
}

export function openTestSpool(storage: Storage, options: Partial<SpoolOptions> = {}): Promise<Spool> {
  return openSpool({
    storage,
    durability: "fsync",
    bytesMax: 1 << 30,
    segmentBytes: 600,
    memoryBytes: 2_000,
    graceMs: 0,
    graceBytesMax: 1 << 30,
    nowUs: () => 5_000,
    monotonicMs: () => 0,
    onDamage: () => undefined,
    ...options,
  });
}

/** Everything undelivered of a table, in order, acknowledging it on the way. */
export async function drainTable(spool: Spool, table: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (;;) {
    const batch = await spool.peek(table, { rows: 5, bytes: 1 << 20 });
    const last = batch.at(-1);
    if (last === undefined) return frames;
    // The memory behind a frame may be used again from here on.
    frames.push(...batch.map(({ frame }) => ({ ...frame, payload: Buffer.from(frame.payload) })));
    spool.ack(table, last.seq);
  }
}

export function payloads(frames: readonly Frame[]): string[] {
  return frames.map((frame) => frame.payload.toString());
}

// How far each table is delivered: two slots written in turn, so that a crash in the middle of a write leaves the other
// one whole (README.md, "Cursor").
import { crc32c } from "./crc32c.ts";
import type { Storage, StorageFile } from "./storage.ts";

const NAME = "cursor";
const SLOT_BYTES = 65_536;
const MAGIC = "TWCU";
const VERSION = 1;
const HEAD_BYTES = 16;

/** Last seq of each table that is delivered or dead-lettered, with all before it. */
export type AckedSeqs = ReadonlyMap<string, number>;

export interface Cursor {
  /** What was in the newer intact slot at start; empty when there was none. */
  readonly loaded: AckedSeqs;
  /** Writes the other slot and syncs; when it has resolved, segments that it covers may be deleted. */
  save(acked: AckedSeqs): Promise<void>;
  close(): Promise<void>;
}

/** Opens (or creates) the cursor file. Damaged slots are ignored: sending again is safe, skipping is not. */
export async function openCursor(storage: Storage): Promise<Cursor> {
  const file = await storage.open(NAME, { create: true });
  const slots = [await readSlot(file, 0), await readSlot(file, 1)];
  const newest = slots.reduce(
    (best, slot) => (slot && slot.generation > (best?.generation ?? -1) ? slot : best),
    undefined,
  );
  let generation = newest?.generation ?? 0;
  return {
    loaded: newest?.acked ?? new Map(),
    async save(acked) {
      generation += 1;
      await file.write([encodeSlot(acked, generation)], (generation % 2) * SLOT_BYTES);
      await file.sync();
    },
    close: () => file.close(),
  };
}

/** Reads the cursor without opening it for writing: for people looking into a spool that may be in use. */
export async function readCursor(storage: Storage): Promise<AckedSeqs> {
  if (!(await storage.list()).includes(NAME)) return new Map();
  const cursor = await openCursor(storage);
  await cursor.close();
  return cursor.loaded;
}

interface Slot {
  readonly generation: number;
  readonly acked: AckedSeqs;
}

async function readSlot(file: StorageFile, index: number): Promise<Slot | undefined> {
  const bytes = await file.read(index * SLOT_BYTES, SLOT_BYTES);
  if (bytes.length < SLOT_BYTES || bytes.toString("latin1", 0, 4) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(SLOT_BYTES - 4) !== crc32c(bytes.subarray(0, SLOT_BYTES - 4))) return undefined;
  if (bytes.readUInt16LE(4) !== VERSION) return undefined;
  const acked = new Map<string, number>();
  let at = HEAD_BYTES;
  for (let left = bytes.readUInt16LE(6); left > 0; left--) {
    const end = at + 2 + bytes.readUInt16LE(at);
    acked.set(bytes.toString("utf8", at + 2, end), Number(bytes.readBigUInt64LE(end)));
    at = end + 8;
  }
  return { generation: Number(bytes.readBigUInt64LE(8)), acked };
}

function encodeSlot(acked: AckedSeqs, generation: number): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt16LE(VERSION, 4);
  bytes.writeUInt16LE(acked.size, 6);
  bytes.writeBigUInt64LE(BigInt(generation), 8);
  let at = HEAD_BYTES;
  for (const [table, seq] of acked) {
    const name = Buffer.from(table);
    if (at + 2 + name.length + 8 > SLOT_BYTES - 4) throw new Error("the cursor holds no more tables");
    bytes.writeUInt16LE(name.length, at);
    name.copy(bytes, at + 2);
    at = bytes.writeBigUInt64LE(BigInt(seq), at + 2 + name.length);
  }
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, SLOT_BYTES - 4)), SLOT_BYTES - 4);
  return bytes;
}

// How far each table is delivered: two slots written in turn, so that a crash in the middle of a write leaves the other
// one whole (README.md, "Cursor").
import { crc32c } from "./crc32c.ts";
import { TABLE_BYTES_MAX } from "./segment.ts";
import type { Storage, StorageFile } from "./storage.ts";

const NAME = "cursor";
const SLOT_BYTES = 65_536;
const MAGIC = "TWCU";
const VERSION = 1;
const HEAD_BYTES = 24;

/** How far a table is: delivered (or dead-lettered) up to `acked`, and for longer than the grace time up to `released`. */
export interface TablePosition {
  readonly acked: number;
  readonly released: number;
}

export type TablePositions = ReadonlyMap<string, TablePosition>;

export interface Cursor {
  /** What was in the newer intact slot at start; empty when there was none. */
  readonly loaded: TablePositions;
  /** The slot was written by an ordered stop: nothing has to be sent again. */
  readonly isClean: boolean;
  /** Writes the other slot and syncs; when it has resolved, segments that it covers may be deleted. */
  save(positions: TablePositions, isClean: boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens (or creates) the cursor file. Damaged slots are ignored: sending again is safe, skipping is not. The room of both
 * slots is taken at once: when waiting rows have filled the disk, saving the cursor is what makes room again.
 */
export async function openCursor(storage: Storage): Promise<Cursor> {
  const file = await storage.open(NAME, { create: true });
  const missingBytes = 2 * SLOT_BYTES - (await file.size());
  if (missingBytes > 0) {
    await file.write([Buffer.alloc(missingBytes)], 2 * SLOT_BYTES - missingBytes);
    await file.sync();
  }
  const newest = await newestSlot(file);
  let generation = newest?.generation ?? 0;
  return {
    loaded: newest?.positions ?? new Map(),
    isClean: newest?.isClean ?? false,
    async save(positions, isClean) {
      generation += 1;
      const slot = encodeSlot({ generation, positions, isClean });
      await file.write([slot], (generation % 2) * SLOT_BYTES);
      await file.sync();
    },
    close: () => file.close(),
  };
}

/** Reads the cursor without opening it for writing: for people looking into a spool that may be in use. */
export async function readCursor(storage: Storage): Promise<TablePositions> {
  if (!(await storage.list()).includes(NAME)) return new Map();
  const file = await storage.open(NAME);
  try {
    return (await newestSlot(file))?.positions ?? new Map();
  } finally {
    await file.close();
  }
}

interface Slot {
  readonly generation: number;
  readonly isClean: boolean;
  readonly positions: TablePositions;
}

async function newestSlot(file: StorageFile): Promise<Slot | undefined> {
  const slots = [await readSlot(file, 0), await readSlot(file, 1)];
  return slots.reduce(
    (best, slot) => (slot && slot.generation > (best?.generation ?? -1) ? slot : best),
    undefined,
  );
}

async function readSlot(file: StorageFile, index: number): Promise<Slot | undefined> {
  const bytes = await file.read(index * SLOT_BYTES, SLOT_BYTES);
  if (bytes.length < SLOT_BYTES || bytes.toString("latin1", 0, 4) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(SLOT_BYTES - 4) !== crc32c(bytes.subarray(0, SLOT_BYTES - 4))) return undefined;
  if (bytes.readUInt16LE(4) !== VERSION) return undefined;
  const positions = new Map<string, TablePosition>();
  let at = HEAD_BYTES;
  for (let left = bytes.readUInt16LE(6); left > 0; left--) {
    const nameBytes = bytes.readUInt16LE(at);
    const end = at + 2 + nameBytes;
    if (nameBytes > TABLE_BYTES_MAX || end + 16 > SLOT_BYTES - 4) return undefined;
    positions.set(bytes.toString("utf8", at + 2, end), {
      acked: Number(bytes.readBigUInt64LE(end)),
      released: Number(bytes.readBigUInt64LE(end + 8)),
    });
    at = end + 16;
  }
  return { generation: Number(bytes.readBigUInt64LE(8)), isClean: bytes.readUInt8(16) === 1, positions };
}

function encodeSlot({ generation, isClean, positions }: Slot): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt16LE(VERSION, 4);
  bytes.writeUInt16LE(positions.size, 6);
  bytes.writeBigUInt64LE(BigInt(generation), 8);
  bytes.writeUInt8(isClean ? 1 : 0, 16);
  let at = HEAD_BYTES;
  for (const [table, { acked, released }] of positions) {
    const name = Buffer.from(table);
    if (at + 2 + name.length + 16 > SLOT_BYTES - 4) throw new Error("the cursor holds no more tables");
    bytes.writeUInt16LE(name.length, at);
    name.copy(bytes, at + 2);
    at = bytes.writeBigUInt64LE(BigInt(acked), at + 2 + name.length);
    at = bytes.writeBigUInt64LE(BigInt(released), at);
  }
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, SLOT_BYTES - 4)), SLOT_BYTES - 4);
  return bytes;
}

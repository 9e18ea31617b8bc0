// A block of the ledger: the keys of consecutive records of the spool, by table and minute (README.md). Pure bytes.
import { crc32c } from "../spool/crc32c.ts";

const BLOCK_HEADER_BYTES = 48;
const MAGIC = "TWLB";
const VERSION = 1;
const GROUP_BYTES = 12;
const KEY_BYTES = 8;
/** No honest block has more. */
const BODY_BYTES_MAX = 1 << 30;

/** What a group's keys are: of rows that were accepted, or of dead letters that were deleted to make room. */
export const KIND_ACCEPTED = 0;
export const KIND_DROPPED = 1;

/** Keys of one table and minute. */
export interface KeyGroup {
  readonly table: string;
  /** Of the columns that the keys were made of. */
  readonly fingerprint: number;
  /** KIND_ACCEPTED or KIND_DROPPED. */
  readonly kind: number;
  /** Minutes since 1970 UTC. */
  readonly minute: number;
  readonly keys: Int32Array;
}

export interface BlockHeader {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Rows with a later `ts` are in no earlier block and not in this one, µs. */
  readonly horizonUs: number;
}

/** A block as bytes. */
export function encodeBlock(header: BlockHeader, groups: readonly KeyGroup[]): Buffer {
  const tables = [...new Map(groups.map(({ table, fingerprint }) => [table, fingerprint]))];
  const index = new Map(tables.map(([table], at) => [table, at]));
  const names = tables.map(([table, fingerprint]) => encodeTable(table, fingerprint));
  const keyCount = groups.reduce((sum, { keys }) => sum + keys.length / 2, 0);
  const nameBytes = names.reduce((sum, { length }) => sum + length, 0);
  const bodyBytes = nameBytes + GROUP_BYTES * groups.length + KEY_BYTES * keyCount;
  const block = Buffer.alloc(BLOCK_HEADER_BYTES + bodyBytes);
  block.write(MAGIC, 0, "latin1");
  block.writeUInt8(VERSION, 4);
  block.writeUInt16LE(tables.length, 6);
  block.writeBigUInt64LE(BigInt(header.fromSeq), 8);
  block.writeBigUInt64LE(BigInt(header.toSeq), 16);
  block.writeBigInt64LE(BigInt(header.horizonUs), 24);
  block.writeUInt32LE(groups.length, 32);
  block.writeUInt32LE(keyCount, 36);
  block.writeUInt32LE(bodyBytes, 40);
  let at = BLOCK_HEADER_BYTES;
  for (const name of names) at += name.copy(block, at);
  for (const { table, kind, minute, keys } of groups) {
    block.writeUInt16LE(index.get(table) ?? 0, at);
    block.writeUInt16LE(kind, at + 2);
    block.writeUInt32LE(minute, at + 4);
    at = block.writeUInt32LE(keys.length / 2, at + 8);
  }
  for (const { keys } of groups) {
    at += Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).copy(block, at);
  }
  block.writeUInt32LE(crcOf(block), 44);
  return block;
}

function encodeTable(table: string, fingerprint: number): Buffer {
  const name = Buffer.from(table);
  const bytes = Buffer.alloc(2 + name.length + 4);
  bytes.writeUInt16LE(name.length, 0);
  name.copy(bytes, 2);
  bytes.writeUInt32LE(fingerprint, 2 + name.length);
  return bytes;
}

/** An intact block and where it ends. */
export interface ReadBlock extends BlockHeader {
  readonly groups: readonly KeyGroup[];
  readonly end: number;
}

/** The block at `at`, or undefined when there is no whole and intact one. Its keys are copies. */
export function decodeBlock(bytes: Buffer, at: number): ReadBlock | undefined {
  if (at + BLOCK_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.toString("latin1", at, at + 4) !== MAGIC || bytes.readUInt8(at + 4) !== VERSION) return undefined;
  const bodyBytes = bytes.readUInt32LE(at + 40);
  const end = at + BLOCK_HEADER_BYTES + bodyBytes;
  if (bodyBytes > BODY_BYTES_MAX || end > bytes.length) return undefined;
  const block = bytes.subarray(at, end);
  if (block.readUInt32LE(44) !== crcOf(block)) return undefined;
  return {
    fromSeq: Number(block.readBigUInt64LE(8)),
    toSeq: Number(block.readBigUInt64LE(16)),
    horizonUs: Number(block.readBigInt64LE(24)),
    groups: decodeGroups(block),
    end,
  };
}

function decodeGroups(block: Buffer): KeyGroup[] {
  const tables: { readonly table: string; readonly fingerprint: number }[] = [];
  let at = BLOCK_HEADER_BYTES;
  for (let left = block.readUInt16LE(6); left > 0; left--) {
    const end = at + 2 + block.readUInt16LE(at);
    tables.push({ table: block.toString("utf8", at + 2, end), fingerprint: block.readUInt32LE(end) });
    at = end + 4;
  }
  const groups: KeyGroup[] = [];
  let keysAt = at + GROUP_BYTES * block.readUInt32LE(32);
  for (let left = block.readUInt32LE(32); left > 0; left--, at += GROUP_BYTES) {
    const { table, fingerprint } = tables[block.readUInt16LE(at)] ?? { table: "", fingerprint: 0 };
    const keys = new Int32Array(2 * block.readUInt32LE(at + 8));
    keysAt += block.copy(Buffer.from(keys.buffer), 0, keysAt, keysAt + keys.byteLength);
    const [kind, minute] = [block.readUInt16LE(at + 2), block.readUInt32LE(at + 4)];
    groups.push({ table, fingerprint, kind, minute, keys });
  }
  return groups;
}

function crcOf(block: Buffer): number {
  return crc32c(block.subarray(0, 44), block.subarray(BLOCK_HEADER_BYTES));
}

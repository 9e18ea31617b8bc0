// What a ledger file is made of besides its blocks: name and header; and reading one whole. Pure bytes; no files.
import { crc32c } from "../spool/crc32c.ts";
import { decodeBlock, type ReadBlock } from "./block.ts";

export const FILE_HEADER_BYTES = 48;
const MAGIC = "TWLEDG";
const VERSION = 1;

export interface FileHeader {
  readonly id: number;
  readonly createdUs: number;
  /** The file's keys are of records behind this one. */
  readonly fromSeq: number;
  /** Rows with a later `ts` than this were not accepted before the file's first block, µs. */
  readonly completeFromUs: number;
}

/** File name of a part of the ledger. */
export function ledgerName(id: number): string {
  return `${String(id).padStart(16, "0")}.ledger`;
}

/** Id of a ledger file, or undefined when the name is not one's. */
export function ledgerId(name: string): number | undefined {
  const match = /^(\d{16})\.ledger$/.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export function encodeFileHeader({ id, createdUs, fromSeq, completeFromUs }: FileHeader): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt16LE(VERSION, 6);
  bytes.writeBigUInt64LE(BigInt(id), 8);
  bytes.writeBigInt64LE(BigInt(createdUs), 16);
  bytes.writeBigUInt64LE(BigInt(fromSeq), 24);
  bytes.writeBigInt64LE(BigInt(completeFromUs), 32);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 44)), 44);
  return bytes;
}

function decodeFileHeader(bytes: Buffer): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  if (bytes.toString("latin1", 0, 6) !== MAGIC || bytes.readUInt16LE(6) !== VERSION) return undefined;
  if (bytes.readUInt32LE(44) !== crc32c(bytes.subarray(0, 44))) return undefined;
  return {
    id: Number(bytes.readBigUInt64LE(8)),
    createdUs: Number(bytes.readBigInt64LE(16)),
    fromSeq: Number(bytes.readBigUInt64LE(24)),
    completeFromUs: Number(bytes.readBigInt64LE(32)),
  };
}

/** A file as it was read. */
export interface ReadFile {
  readonly header: FileHeader;
  readonly blocks: readonly ReadBlock[];
  /** End of the last intact block: what follows was cut short. */
  readonly end: number;
  /** The last record whose keys are in it. */
  readonly toSeq: number;
}

/** The intact blocks at the beginning of a file, or undefined when its header is damaged. */
export function readLedgerBytes(bytes: Buffer): ReadFile | undefined {
  const header = decodeFileHeader(bytes);
  if (header === undefined) return undefined;
  const blocks: ReadBlock[] = [];
  let toSeq = header.fromSeq;
  let end = FILE_HEADER_BYTES;
  for (;;) {
    const block = decodeBlock(bytes, end);
    // A block that does not go on where the last one ended is what an overwritten file has behind its end.
    if (block === undefined || block.fromSeq !== toSeq) return { header, blocks, end, toSeq };
    blocks.push(block);
    toSeq = block.toSeq;
    end = block.end;
  }
}

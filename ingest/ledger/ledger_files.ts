// The files of the ledger while it is written: which is the newest, when a new one begins, which goes to keep the bound.
// Owns the order of writes, syncs and removals that README.md states.
import type { Storage, StorageFile } from "../spool/storage.ts";
import { encodeFileHeader, FILE_HEADER_BYTES, ledgerId, ledgerName, readLedgerBytes } from "./ledger_file.ts";

export interface LedgerFilesOptions {
  readonly storage: Storage;
  readonly bytesMax: number;
  readonly sync: boolean;
  readonly nowUs: () => number;
}

/** Room is made by deleting one file: a sixteenth of what is kept. */
const FILES = 16;
const FILE_BYTES_MIN = 65_536;
const FILE_BYTES_MAX = 16_777_216;

interface ActiveFile {
  readonly id: number;
  readonly file: StorageFile;
  end: number;
}

export class LedgerFiles {
  readonly #options: LedgerFilesOptions;
  /** Bytes by id, ascending; the active one is the last. */
  readonly #sizes: Map<number, number>;
  #nextId: number;
  #active: ActiveFile | undefined;
  #writtenSeq: number | undefined;
  #syncedSeq = 0;
  #horizonUs: number;
  #nameIsSynced = true;

  constructor(options: LedgerFilesOptions, found: Found) {
    this.#options = options;
    this.#sizes = found.sizes;
    this.#nextId = found.nextId;
    this.#active = found.active;
    this.#writtenSeq = found.toSeq;
    // What is found after a crash of this process need not be on disk.
    this.#horizonUs = found.horizonUs;
  }

  /** The last record whose keys are in a file; undefined when there is no file. */
  get writtenSeq(): number | undefined {
    return this.#writtenSeq;
  }

  /** The same, for keys that survive a power cut. */
  get syncedSeq(): number {
    return this.#syncedSeq;
  }

  /** Rows with a later ts are in no block that was written. */
  get horizonUs(): number {
    return this.#horizonUs;
  }

  get bytes(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /**
   * The next block begins behind `seq`, in a file of its own. The file is made at once, so that a crash does not move
   * the beginning; a disk that refuses it is asked again with the first block.
   */
  async beginAnew(seq: number, horizonUs: number): Promise<void> {
    await this.close();
    this.#writtenSeq = seq;
    this.#horizonUs = horizonUs;
    try {
      await this.#begin();
      await this.sync();
    } catch {
      await this.close();
    }
  }

  /** Appends a block. When it rejects, nothing counts; a full disk first takes the oldest files. */
  async append(block: Buffer, toSeq: number, horizonUs: number): Promise<void> {
    for (;;) {
      try {
        await this.#append(block);
        break;
      } catch (error) {
        if (!isFullDisk(error) || !(await this.#removeOldest())) throw error;
      }
    }
    this.#writtenSeq = toSeq;
    this.#horizonUs = horizonUs;
    while (this.bytes > this.#options.bytesMax && (await this.#removeOldest()));
  }

  /** When it resolves, everything that was appended is on disk. */
  async sync(): Promise<void> {
    const { sync, storage } = this.#options;
    const seq = this.#writtenSeq ?? 0;
    if (sync && this.#active !== undefined) {
      try {
        await this.#active.file.sync();
        if (!this.#nameIsSynced) await storage.syncFolder();
        this.#nameIsSynced = true;
      } catch (error) {
        // What the disk holds is unknown then, and a later sync would not tell: the next block begins a file.
        await this.close();
        throw error;
      }
    }
    this.#syncedSeq = seq;
  }

  async removeAll(): Promise<void> {
    await this.close();
    for (const id of [...this.#sizes.keys()]) await this.#remove(id);
  }

  async close(): Promise<void> {
    const { file } = this.#active ?? {};
    this.#active = undefined;
    await file?.close().catch(() => undefined);
  }

  async #append(block: Buffer): Promise<void> {
    const fileBytes = Math.min(FILE_BYTES_MAX, Math.max(FILE_BYTES_MIN, this.#options.bytesMax / FILES));
    if (this.#active !== undefined && this.#active.end >= fileBytes) {
      // Before another one begins, so that a gap between files is never one of a power cut alone.
      await this.sync();
      await this.close();
    }
    const active = this.#active ?? (await this.#begin());
    try {
      await active.file.write([block], active.end);
    } catch (error) {
      await active.file.truncate(active.end).catch(() => this.close());
      throw error;
    }
    active.end += block.length;
    this.#sizes.set(active.id, active.end);
  }

  async #begin(): Promise<ActiveFile> {
    const { storage, nowUs } = this.#options;
    const id = this.#nextId;
    const file = await storage.open(ledgerName(id), { create: true });
    this.#nextId += 1;
    this.#nameIsSynced = false;
    this.#sizes.set(id, FILE_HEADER_BYTES);
    const header = {
      ...{ id, createdUs: nowUs(), fromSeq: this.#writtenSeq ?? 0 },
      completeFromUs: this.#horizonUs,
    };
    try {
      await file.truncate(0);
      await file.write([encodeFileHeader(header)], 0);
    } catch (error) {
      await file.close();
      await this.#remove(id);
      throw error;
    }
    this.#active = { id, file, end: FILE_HEADER_BYTES };
    return this.#active;
  }

  /** False when there is none but the active one. */
  async #removeOldest(): Promise<boolean> {
    const [oldest] = this.#sizes.keys();
    if (oldest === undefined || oldest === this.#active?.id || this.#sizes.size < 2) return false;
    return await this.#remove(oldest);
  }

  async #remove(id: number): Promise<boolean> {
    this.#sizes.delete(id);
    return await this.#options.storage.remove(ledgerName(id)).then(
      () => true,
      () => false,
    );
  }
}

/** The disk has no room, or the user no quota. */
export function isFullDisk(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** What lies in the folder at start. */
interface Found {
  readonly sizes: Map<number, number>;
  readonly nextId: number;
  readonly active: ActiveFile | undefined;
  readonly toSeq: number | undefined;
  readonly horizonUs: number;
}

/** Opens the newest intact file for appending, cut to its last intact block; removes newer ones that are damaged. */
export async function openLedgerFiles(options: LedgerFilesOptions): Promise<LedgerFiles> {
  const { storage } = options;
  const ids = (await storage.list()).flatMap((name) => ledgerId(name) ?? []).sort((a, b) => a - b);
  const nextId = (ids.at(-1) ?? 0) + 1;
  const sizes = new Map<number, number>();
  for (let newest = ids.at(-1); newest !== undefined; newest = ids.at(-1)) {
    const file = await storage.open(ledgerName(newest));
    const size = await file.size();
    const read = readLedgerBytes(await file.read(0, size));
    if (read === undefined) {
      await file.close();
      await storage.remove(ledgerName(newest));
      ids.pop();
      continue;
    }
    if (read.end < size) await file.truncate(read.end);
    for (const id of ids) sizes.set(id, id === newest ? read.end : await sizeOf(storage, id));
    const horizonUs = read.blocks.at(-1)?.horizonUs ?? read.header.completeFromUs;
    const active = { id: newest, file, end: read.end };
    return new LedgerFiles(options, { sizes, nextId, active, toSeq: read.toSeq, horizonUs });
  }
  return new LedgerFiles(options, { sizes, nextId, active: undefined, toSeq: undefined, horizonUs: 0 });
}

async function sizeOf(storage: Storage, id: number): Promise<number> {
  const file = await storage.open(ledgerName(id));
  return await file.size().finally(() => file.close());
}

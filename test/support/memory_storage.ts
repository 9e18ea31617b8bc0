// A disk in memory that forgets what was not synced, and whose power can be cut before any operation.
import type { Storage, StorageFile } from "../../ingest/spool/storage.ts";

/** The power is off: every operation from now on fails with it. */
export class PowerCut extends Error {}

/** What the disk holds of unsynced data after a cut. Real disks may do any of these. */
export type Loss = "all" | "none" | "half";

interface Inode {
  volatile: Buffer;
  durable: Buffer;
}

export class MemoryStorage implements Storage {
  readonly #names: Map<string, Inode>;
  readonly #durableNames: Map<string, Inode>;
  /** Operations so far, by name, for asserting their order. */
  readonly journal: string[] = [];
  /** Of segments, into memory that is used again. */
  bytesRead = 0;
  /** The power is cut before this operation (counted from 0). */
  cutAt = Number.POSITIVE_INFINITY;
  /** The next writes fail with this error code. */
  failWritesWith: string | undefined;
  failSyncsWith: string | undefined;

  constructor(names: ReadonlyMap<string, Buffer> = new Map()) {
    this.#names = new Map([...names].map(([name, bytes]) => [name, { volatile: bytes, durable: bytes }]));
    this.#durableNames = new Map(this.#names);
  }

  /** The disk as it is found after the cut. */
  afterCut(loss: Loss): MemoryStorage {
    const names = loss === "none" ? this.#names : this.#durableNames;
    return new MemoryStorage(new Map([...names].map(([name, inode]) => [name, remains(inode, loss)])));
  }

  /** Content of a file, for damaging it. */
  content(name: string): Buffer {
    return this.#inode(name).volatile;
  }

  replace(name: string, content: Buffer): void {
    const inode = this.#inode(name);
    inode.volatile = content;
    inode.durable = content;
  }

  async open(name: string, options?: { readonly create?: boolean }): Promise<StorageFile> {
    this.#step(`open ${name}`);
    if (options?.create === true && !this.#names.has(name)) {
      this.#names.set(name, { volatile: Buffer.alloc(0), durable: Buffer.alloc(0) });
    }
    return this.#file(name, this.#inode(name));
  }

  async list(): Promise<string[]> {
    return [...this.#names.keys()];
  }

  async remove(name: string): Promise<void> {
    this.#step(`remove ${name}`);
    this.#names.delete(name);
    // A removal may reach the disk at any time: at once is the case that can lose data.
    this.#durableNames.delete(name);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step(`rename ${from} ${to}`);
    const inode = this.#inode(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  async syncFolder(): Promise<void> {
    this.#step("syncFolder");
    this.#durableNames.clear();
    for (const [name, inode] of this.#names) this.#durableNames.set(name, inode);
  }

  #file(name: string, inode: Inode): StorageFile {
    return {
      write: async (buffers, position) => {
        this.#step(`write ${name}`);
        if (this.failWritesWith !== undefined)
          throw Object.assign(new Error("no"), { code: this.failWritesWith });
        const bytes = Buffer.concat(buffers);
        const grown = Buffer.alloc(Math.max(inode.volatile.length, position + bytes.length));
        inode.volatile.copy(grown);
        bytes.copy(grown, position);
        inode.volatile = grown;
      },
      read: async (position, length) => Buffer.from(inode.volatile.subarray(position, position + length)),
      readInto: async (target, position) => {
        this.bytesRead += target.length;
        return inode.volatile.copy(target, 0, position);
      },
      sync: async () => {
        this.#step(`sync ${name}`);
        if (this.failSyncsWith !== undefined)
          throw Object.assign(new Error("no"), { code: this.failSyncsWith });
        inode.durable = inode.volatile;
      },
      truncate: async (length) => {
        this.#step(`truncate ${name}`);
        const cut = Buffer.alloc(length);
        inode.volatile.copy(cut, 0, 0, length);
        inode.volatile = cut;
      },
      size: async () => inode.volatile.length,
      close: async () => undefined,
    };
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw Object.assign(new Error(`no such file ${name}`), { code: "ENOENT" });
    return inode;
  }

  #step(operation: string): void {
    if (this.journal.length >= this.cutAt) throw new PowerCut(`power cut before "${operation}"`);
    this.journal.push(operation);
  }
}

/** `half`: the length has reached the disk, and half of what was written; the rest reads as zeros. */
function remains(inode: Inode, loss: Loss): Buffer {
  if (loss === "all") return inode.durable;
  if (loss === "none") return inode.volatile;
  const kept = Math.floor((inode.durable.length + inode.volatile.length) / 2);
  const from = Math.min(inode.durable.length, kept, inode.volatile.length);
  const bytes = Buffer.alloc(inode.volatile.length);
  inode.durable.copy(bytes);
  inode.volatile.copy(bytes, from, from, kept);
  return bytes;
}

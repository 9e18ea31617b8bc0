// The little that the spool needs of a disk. An interface, so that tests can cut the power after each operation.
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

/** One open file. Positions are explicit; nothing is durable before `sync` has resolved. */
export interface StorageFile {
  /** Writes all buffers one after the other from `position` on. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Reads up to `length` bytes; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  /** Fills the target from `position` on. Returns how many bytes it read; fewer than its size only at the end of the file. */
  readInto(target: Buffer, position: number): Promise<number>;
  /** Makes content and length durable (fdatasync). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** A folder of files. */
export interface Storage {
  /** Opens for reading and writing; creates the file when `create` is set. */
  open(name: string, options?: { readonly create?: boolean }): Promise<StorageFile>;
  /** Names of the files, in no particular order. */
  list(): Promise<string[]>;
  remove(name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes created, removed and renamed names durable. */
  syncFolder(): Promise<void>;
}

/** Files in a real folder, which is created when it is missing. */
export async function openFolder(folder: string): Promise<Storage> {
  await mkdir(folder, { recursive: true });
  return {
    open: async (name, options) => diskFile(await openFile(join(folder, name), options?.create ?? false)),
    list: () => readdir(folder),
    remove: (name) => unlink(join(folder, name)),
    rename: (from, to) => rename(join(folder, from), join(folder, to)),
    async syncFolder() {
      const handle = await open(folder, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

async function openFile(path: string, create: boolean): Promise<FileHandle> {
  if (!create) return open(path, "r+");
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return open(path, exists ? "r+" : "w+", 0o600);
}

/** The system may write less than asked for (a full disk, a signal): repeated until all is written or it fails. */
function diskFile(handle: FileHandle): StorageFile {
  return {
    async write(buffers, position) {
      let at = position;
      let left = buffers.filter((b) => b.length > 0);
      while (left.length > 0) {
        const { bytesWritten } = await handle.writev(left.slice(0, IOV_MAX), at);
        if (bytesWritten === 0) throw new Error("the disk took nothing of a write");
        at += bytesWritten;
        left = without(left, bytesWritten);
      }
    },
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length);
      return buffer.subarray(0, await readInto(handle, buffer, position));
    },
    readInto: (target, position) => readInto(handle, target, position),
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

async function readInto(handle: FileHandle, target: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** Buffers a system takes in one writev (POSIX IOV_MAX is 1024 on Linux and macOS). */
const IOV_MAX = 1024;

function without(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const rest: Uint8Array[] = [];
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length;
    else {
      rest.push(skip > 0 ? buffer.subarray(skip) : buffer);
      skip = 0;
    }
  }
  return rest;
}

// A small file system of its own, to be filled: the only honest way to a full disk. Needs the right to mount, directly
// or through sudo; where there is none, tests say so and are skipped.
import { execFile } from "node:child_process";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface SmallDisk {
  /** Takes all but so many bytes of what is free with a file beside the others. */
  fill(leaveBytes: number): Promise<void>;
  /** Removes that file. */
  free(): Promise<void>;
  freeBytes(): Promise<number>;
  unmount(): Promise<void>;
}

/** Mounts an empty one over `path`, which is made; or says why not. */
export async function mountSmallDisk(path: string, bytes: number): Promise<SmallDisk | string> {
  await mkdir(path, { recursive: true });
  const owner = `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0}`;
  const mount = ["mount", "-t", "tmpfs", "-o", `size=${bytes},mode=0700,${owner}`, "tmpfs", path];
  const reasons: string[] = [];
  for (const prefix of [[], ["sudo", "-n"]]) {
    const [command = "", ...args] = [...prefix, ...mount];
    try {
      await run(command, args);
      return smallDisk(path, prefix);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  return `no small file system can be mounted here: ${reasons.join("; ")}`;
}

function smallDisk(path: string, prefix: readonly string[]): SmallDisk {
  const filler = join(path, "filler");
  const freeBytes = async () => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  };
  return {
    freeBytes,
    async fill(leaveBytes) {
      const file = await open(filler, "a");
      try {
        for (let left = (await freeBytes()) - leaveBytes; left > 0; left = (await freeBytes()) - leaveBytes) {
          await file.appendFile(Buffer.alloc(Math.min(left, 65_536)));
        }
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      } finally {
        await file.close();
      }
    },
    free: () => rm(filler, { force: true }),
    async unmount() {
      const [command = "", ...args] = [...prefix, "umount", "--lazy", path];
      await run(command, args);
    },
  };
}

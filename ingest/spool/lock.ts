// One spool, one process. The lock is a file created with link(2), which fails when the name exists. A lock whose process
// is gone is replaced, never removed first, and only by the one process that holds the claim to it: a file like the lock,
// named after the content of the stale one. So whoever reads an old lock late finds the claim or another content.
import { createHash } from "node:crypto";
import { link, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { TickwatchError } from "../errors.ts";
import { identify, isRunning } from "../process_identity.ts";

/** `bootId` and `startTicks` are the two words of the process's beginning; the first is empty where there is only one. */
const OwnerSchema = z.object({
  pid: z.int(),
  bootId: z.string(),
  startTicks: z.string(),
  startedAt: z.string(),
});

/** Who holds, or held, a spool. */
export type LockOwner = z.output<typeof OwnerSchema>;

export interface SpoolLock {
  /** Gives the spool free. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a spool folder, which must exist. Throws SPOOL_LOCKED with the owner's pid when a living process
 * holds it.
 */
export async function takeLock(folder: string, startedAt: string): Promise<SpoolLock> {
  const path = join(folder, "lock");
  const own = join(folder, `lock.${process.pid}`);
  const text = JSON.stringify({ ...(await ownIdentity()), startedAt });
  await writeFile(own, text, { mode: 0o600 });
  try {
    const other = await acquire(own, path, folder);
    if (other !== undefined) throw lockedBy(other, folder);
  } finally {
    await unlink(own);
  }
  return {
    async release() {
      if ((await contentOf(path)) === text) await unlink(path);
    },
  };
}

/** The living owner of a spool folder, or undefined when nobody holds it. */
export async function lockOwner(folder: string): Promise<LockOwner | undefined> {
  const text = await readFile(join(folder, "lock"), "utf8").catch(() => undefined);
  return text !== undefined && (await isAlive(text)) ? parseOwner(text) : undefined;
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Makes `path` a file with the content of `own`. Returns undefined when it is ours, else the content of the one that a
 * living process has there, or has as its claim to a stale one there.
 */
async function acquire(own: string, path: string, folder: string): Promise<string | undefined> {
  while (!(await linked(own, path))) {
    const seen = await contentOf(path);
    if (seen === undefined) continue; // given free just now
    if (await isAlive(seen)) return seen;
    const claim = join(folder, `lock.claim.${createHash("sha256").update(seen).digest("hex").slice(0, 16)}`);
    const other = await acquire(own, claim, folder);
    if (other !== undefined) return other;
    try {
      // Nobody but the holder of the claim replaces this content, so it stays as it is found here.
      if ((await contentOf(path)) !== seen) continue;
      await rm(`${own}.name`, { force: true });
      await link(own, `${own}.name`);
      await rename(`${own}.name`, path);
      return undefined;
    } finally {
      await unlink(claim);
    }
  }
  return undefined;
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function lockedBy(text: string, folder: string): TickwatchError {
  const owner = parseOwner(text);
  const who =
    owner === undefined ? "another process" : `process ${owner.pid}, running since ${owner.startedAt}`;
  return new TickwatchError(
    "SPOOL_LOCKED",
    `the spool in ${folder} belongs to ${who}: stop it first, or use another dataDir`,
  );
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return OwnerSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // a crash while the lock was written: nobody owns it
  }
}

async function isAlive(text: string): Promise<boolean> {
  const owner = parseOwner(text);
  if (owner === undefined) return false;
  return isRunning({ pid: owner.pid, began: `${owner.bootId} ${owner.startTicks}`.trim() });
}

async function ownIdentity(): Promise<Pick<LockOwner, "pid" | "bootId" | "startTicks">> {
  const self = await identify(process.pid);
  if (self === undefined)
    throw new TickwatchError("ENVIRONMENT", "cannot read this process's own start time");
  const [, bootId = "", startTicks = self.began] = /^(\S+) (\d+)$/.exec(self.began) ?? [];
  return { pid: self.pid, bootId, startTicks };
}

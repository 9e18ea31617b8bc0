// One spool, one process. The lock is a file created with link(2), which fails when the name exists; a lock whose
// process is gone is taken over. Process identity includes the start time, because pids are reused.
import { readFileSync } from "node:fs";
import { link, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { TickwatchError } from "../errors.ts";

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
  const text = JSON.stringify({ ...identityOf(process.pid), pid: process.pid, startedAt });
  await writeFile(own, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await linked(own, path)) return { release: () => unlink(path) };
      await clearStale(path, folder);
    }
  } finally {
    await unlink(own);
  }
  throw new TickwatchError(
    "SPOOL_LOCKED",
    `the spool in ${folder} is being taken by another process; try again`,
  );
}

/** The living owner of a spool folder, or undefined when nobody holds it. */
export async function lockOwner(folder: string): Promise<LockOwner | undefined> {
  const text = await readFile(join(folder, "lock"), "utf8").catch(() => undefined);
  const owner = text === undefined ? undefined : parseOwner(text);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
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

/** Moves a stale lock away. What was moved is looked at again: another process may have replaced it in between. */
async function clearStale(path: string, folder: string): Promise<void> {
  const seen = await readFile(path, "utf8").catch(() => undefined);
  if (seen === undefined) return;
  refuseIfAlive(seen, folder);
  const aside = join(folder, `lock.stale.${process.pid}`);
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const found = await readFile(aside, "utf8");
  if (found !== seen) await linked(aside, path);
  await unlink(aside);
  refuseIfAlive(found, folder);
}

function refuseIfAlive(text: string, folder: string): void {
  const owner = parseOwner(text);
  if (owner === undefined || !isAlive(owner)) return;
  throw new TickwatchError(
    "SPOOL_LOCKED",
    `the spool in ${folder} belongs to process ${owner.pid}, running since ${owner.startedAt}: stop it first, or use another dataDir`,
  );
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return OwnerSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // a crash while the lock was written: nobody owns it
  }
}

function isAlive(owner: LockOwner): boolean {
  if (!processExists(owner.pid)) return false;
  const now = identityOf(owner.pid);
  return now.bootId === owner.bootId && now.startTicks === owner.startTicks;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** What tells a process from a later one with the same pid; empty strings where the system does not tell (not Linux). */
function identityOf(pid: number): { bootId: string; startTicks: string } {
  const stat = readProc(`/proc/${pid}/stat`);
  // Field 22 of proc(5) stat; the command's name, field 2, may hold spaces but ends with the last parenthesis.
  const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { bootId: readProc("/proc/sys/kernel/random/boot_id").trim(), startTicks };
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

// Lets one process at a time look for and start the QuestDB of a data folder. A lock whose holder died is taken over.
// Only the start is guarded; a running server is guarded by server.json and by QuestDB's own lock on its files.
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { identify, isRunning, type ProcessIdentity } from "../process_identity.ts";

const Holder = z.strictObject({ pid: z.int().positive(), began: z.string() });

const POLL_MS = 100;

export interface StartLockOptions {
  readonly root: string;
  readonly clock: Clock;
  /** How long to wait for another process that is starting the server right now. */
  readonly timeoutMs: number;
  readonly onWait: (holder: ProcessIdentity) => void;
}

/** Runs `work` while holding the lock. Throws ENVIRONMENT when another living process holds it beyond the time-out. */
export async function withStartLock<T>(
  options: StartLockOptions,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const path = join(options.root, "start.lock");
  await acquire(path, options, signal);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, options: StartLockOptions, signal: AbortSignal): Promise<void> {
  const self = await identify(process.pid);
  if (self === undefined)
    throw new TickwatchError("ENVIRONMENT", "cannot read this process's own start time");
  const untilMs = options.clock.monotonicMs() + options.timeoutMs;
  let announced = false;
  for (;;) {
    signal.throwIfAborted();
    if (await take(path, self)) return;
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const holder = holderOf(text);
    if (holder === undefined || !(await isRunning(holder))) {
      await discard(path, text);
      continue;
    }
    if (!announced) options.onWait(holder);
    announced = true;
    if (options.clock.monotonicMs() > untilMs) {
      const message = `process ${holder.pid} has been starting the QuestDB of ${options.root} for too long: stop it and start again`;
      throw new TickwatchError("ENVIRONMENT", message);
    }
    await options.clock.sleep(POLL_MS, signal);
  }
}

/** Linking a file that is already written makes the lock appear with its holder in it, never empty. */
async function take(path: string, self: ProcessIdentity): Promise<boolean> {
  const own = `${path}.${self.pid}.${counter++}`;
  await writeFile(own, JSON.stringify(self), { mode: 0o600 });
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

let counter = 0;

/** Removes a dead holder's lock; puts it back when in the meantime somebody else had taken it. */
async function discard(path: string, expected: string): Promise<void> {
  const aside = `${path}.${process.pid}.${counter++}.stale`;
  try {
    await rename(path, aside);
  } catch {
    return; // another process was faster
  }
  const moved = await readFile(aside, "utf8");
  if (moved !== expected) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function holderOf(text: string): ProcessIdentity | undefined {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

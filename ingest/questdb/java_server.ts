// Runs QuestDB's jar under a local Java: command line, log file, its process. The process has its own group, so that
// Ctrl-C in a terminal reaches tickwatch alone, which still has rows to deliver. Knows nothing of ports or readiness.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import { identify, isRunning, type ProcessIdentity } from "../process_identity.ts";
import { type Env, lastLines } from "./run_command.ts";
import { type ServerExit, type ServerProcess, TERMINATE_MS } from "./server_process.ts";
import { JVM_OPTIONS } from "./server_settings.ts";

const LOG_BYTES_MAX = 5 * 1024 * 1024;
const LIVENESS_POLL_MS = 250;

export interface JavaLaunch {
  readonly java: string;
  readonly jar: string;
  /** QuestDB's root folder, absolute: conf/, db/ and log/ are in it. */
  readonly root: string;
  readonly env: Env;
  readonly clock: Clock;
}

export interface JavaProcess extends ServerProcess {
  readonly identity: ProcessIdentity;
}

/** Where the server's own output goes. */
export function serverLog(root: string): string {
  return join(root, "log", "server.log");
}

/** Starts the server. Throws ENVIRONMENT when Java cannot be run at all; a later end shows in `ended`. */
export async function launchJava(launch: JavaLaunch): Promise<JavaProcess> {
  const { root, java, jar, clock } = launch;
  await mkdir(join(root, "log"), { recursive: true });
  await keepLogSmall(serverLog(root));
  const log = await open(serverLog(root), "a", 0o600);
  try {
    const args = [...JVM_OPTIONS, "-p", jar, "-m", "io.questdb/io.questdb.ServerMain", "-d", root];
    const stdio: ["ignore", number, number] = ["ignore", log.fd, log.fd];
    const child = spawn(java, args, { cwd: root, env: withoutQuestdb(launch.env), detached: true, stdio });
    const ended = endOf(child);
    await started(child, java);
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    // Gone before it could be looked at: `ended` tells why, and nobody can be mistaken for it.
    return processOf(identity ?? { pid: child.pid ?? 0, began: "" }, () => ended, clock);
  } finally {
    await log.close();
  }
}

/** A server that an earlier tickwatch started. It is not our child, so its end is noticed by looking. */
export function adoptJava(identity: ProcessIdentity, clock: Clock): JavaProcess {
  let ended: Promise<ServerExit> | undefined;
  const look = async (): Promise<ServerExit> => {
    while (await isRunning(identity)) await clock.sleep(LIVENESS_POLL_MS);
    return { exitCode: null, signal: null };
  };
  return processOf(
    identity,
    () => {
      ended ??= look();
      return ended;
    },
    clock,
  );
}

/** The last lines the server wrote, for an error message. */
export async function serverLogTail(root: string): Promise<string> {
  const file = await open(serverLog(root), "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 16_384);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return lastLines(buffer.toString("utf8"), 12);
  } finally {
    await file.close();
  }
}

function processOf(identity: ProcessIdentity, ended: () => Promise<ServerExit>, clock: Clock): JavaProcess {
  return {
    pid: identity.pid,
    identity,
    ended,
    async terminate() {
      // A child that has ended is no longer running either: its number may already belong to another process.
      if (await isRunning(identity)) send(identity.pid, "SIGTERM");
      const enough = new AbortController();
      await Promise.race([ended(), clock.sleep(TERMINATE_MS, enough.signal)]);
      enough.abort();
      if (await isRunning(identity)) send(identity.pid, "SIGKILL");
      await ended();
    },
  };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}

function endOf(child: ChildProcess): Promise<ServerExit> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    child.once("error", () => resolve({ exitCode: null, signal: null }));
  });
}

function started(child: ChildProcess, java: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      reject(new TickwatchError("ENVIRONMENT", `cannot run ${java}: ${messageOf(cause)}`, { cause }));
    });
  });
}

/** QuestDB takes QDB_* variables before server.conf: the ones of our own environment are not meant for this server. */
function withoutQuestdb(env: Env): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("QDB_")));
}

/** Before each start a large log becomes `server.log.1`, in place of the one before it. */
async function keepLogSmall(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && found.size > LOG_BYTES_MAX) await rename(path, `${path}.1`);
}

// Which processes belong to a started program: itself, its children, and what they left behind, also when a parent in
// between is gone. All inherit one variable of the environment, by which they are found (Linux).
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { until } from "./questdb_until.ts";

const VARIABLE = "TEST_SERVICE_FAMILY";

/** Run from its sources, a program brings the compiler of its loader with it, which is no part of it. */
const COMPILER = /\besbuild\b.*--service/;

export interface Member {
  readonly pid: number;
  readonly command: string;
}

export interface Family {
  /** To be added to the environment of the first process. */
  readonly env: Readonly<Record<string, string>>;
  /** Those that live now; a zombie does not. */
  members(): Promise<readonly Member[]>;
  /** Ends all of them at once; resolves when none is left. */
  end(): Promise<void>;
}

/**
 * A family without members yet. It does not outlive this process, however that ends: a watchdog takes care of it until
 * `end()`.
 */
export function newFamily(): Family {
  const mark = `${VARIABLE}=${randomUUID()}`;
  const watchdog = startWatchdog(mark);

  async function all(): Promise<readonly Member[]> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(pids.map((pid) => memberOf(pid, mark)));
    return found.flat();
  }

  return {
    env: { [VARIABLE]: mark.slice(VARIABLE.length + 1) },
    members: async () => (await all()).filter(({ command }) => !COMPILER.test(command)),
    async end() {
      await until("the processes of a test to end", async () => {
        const left = await all();
        for (const { pid } of left) killAtOnce(pid);
        return left.length === 0;
      });
      if (watchdog.pid !== undefined && watchdog.exitCode === null) process.kill(-watchdog.pid, "SIGKILL");
    },
  };
}

async function memberOf(pid: string, mark: string): Promise<Member[]> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  if (!environment.split("\0").includes(mark)) return [];
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return line === "" ? [] : [{ pid: Number(pid), command: line.replaceAll("\0", " ").trim() }];
}

function killAtOnce(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended between the look and the signal.
  }
}

/** Its standard input is a pipe that only this process holds open: it reads to the end exactly when we no longer exist. */
function startWatchdog(mark: string): ChildProcess {
  const script = `cat >/dev/null; for p in /proc/[0-9]*; do grep -qzxF "${mark}" "$p/environ" && kill -9 "\${p#/proc/}"; done 2>/dev/null`;
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  child.unref();
  if (child.stdin !== null && "unref" in child.stdin && typeof child.stdin.unref === "function") {
    child.stdin.unref();
  }
  return child;
}

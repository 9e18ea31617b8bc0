// Nothing of a benchmark outlives it: temporary folders are removed, and a server that was started ends with the harness,
// also when the harness is killed.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder below the system's folder for such. */
export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `tickwatch-bench-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Ends process `pid` when this one is gone. The returned function calls that off; call it before `pid` is free again. */
export function endWithUs(pid: number): () => void {
  // Its standard input is a pipe that only we hold open: it reads to the end exactly when we no longer exist.
  const guard = spawn("/bin/sh", ["-c", `cat >/dev/null; kill -9 ${pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  const { stdin } = guard;
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return () => {
    if (guard.pid !== undefined && guard.exitCode === null) process.kill(-guard.pid, "SIGKILL");
  };
}

// A server outlives the process that started it, on purpose. Servers of tests must not: a watchdog ends one as soon as
// this process is gone, however it went, also by kill -9.
import { spawn } from "node:child_process";

/** Ends process `pid` when this one is gone. The returned function calls the watchdog off; call it before `pid` is free. */
export function endWithUs(pid: number): () => void {
  // Its standard input is a pipe that only we hold open: it reads to the end exactly when we no longer exist.
  const child = spawn("/bin/sh", ["-c", `cat >/dev/null; kill -9 ${pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  if (child.stdin !== null && "unref" in child.stdin && typeof child.stdin.unref === "function") {
    child.stdin.unref();
  }
  return () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
}

// A server outlives the process that started it, on purpose. Servers of tests must not: a watchdog ends one as soon as
// this process is gone, however it went, also by kill -9.
import { spawn } from "node:child_process";
import { containerName } from "../../ingest/questdb/docker_server.ts";
import type { RunningQuestdb } from "../../ingest/questdb/local.ts";

/** Ends process `pid` when this one is gone. The returned function calls the watchdog off; call it before `pid` is free. */
export function endWithUs(pid: number): () => void {
  return whenWeAreGone(`kill -9 ${pid}`);
}

/** Removes the container of data folder `root`, with its volume, when this process is gone, unless called off. */
export function endContainerWithUs(root: string): () => void {
  const name = containerName(root);
  return whenWeAreGone(`docker rm -f ${name}; docker volume rm ${name}`);
}

/** The same for whichever server this process looks after. */
export function endServerWithUs(server: Pick<RunningQuestdb, "kind" | "pid" | "started">, root: string) {
  if (!server.started) return () => undefined;
  if (server.kind === "docker") return endContainerWithUs(root);
  return server.pid === undefined ? () => undefined : endWithUs(server.pid);
}

function whenWeAreGone(script: string): () => void {
  // Its standard input is a pipe that only we hold open: it reads to the end exactly when we no longer exist.
  const child = spawn("/bin/sh", ["-c", `cat >/dev/null; ${script}`], {
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

// A CPU profile of a usage window alone, without warm-up and preparation, through node's inspector.
import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import type { WindowObserver } from "./usage_window.ts";

/** Fine enough for functions of a microsecond, coarse enough to cost little. */
const SAMPLE_US = 250;

/** Writes `<folder>/<name>-<process>-<n>.cpuprofile` for every window that closes. */
export function windowProfiler(folder: string, name: string): WindowObserver {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  let written = 0;
  return {
    opened: () => session.post("Profiler.start"),
    // The session is of this thread, so the answer comes before `post` returns.
    closed: () =>
      session.post("Profiler.stop", (error, result) => {
        if (error !== null) throw error;
        mkdirSync(folder, { recursive: true });
        writeFileSync(
          join(folder, `${name}-${process.pid}-${++written}.cpuprofile`),
          JSON.stringify(result.profile),
        );
      }),
  };
}

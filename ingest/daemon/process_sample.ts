// What this process can say about itself: CPU, memory, event loop, open files. Knows nothing of rows or daemons' names.
import { readdir } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** One sample, in the columns of `daemon_health`. */
interface ProcessSample {
  readonly uptime_s: number;
  /** Since the last sample; 100 is one core. Null in the first one. */
  readonly cpu_percent: number | null;
  readonly rss_bytes: number;
  readonly heap_used_bytes: number;
  /** p99 of how late the event loop ran since the last sample. Null when nothing was measured yet. */
  readonly event_loop_lag_ms: number | null;
  /** Null where the system does not show it (anything but Linux). */
  readonly open_fds: number | null;
}

export interface ProcessSampler {
  sample(): Promise<ProcessSample>;
  /** Stops watching the event loop. */
  close(): void;
}

/** How often the event loop is looked at. A delay includes this interval itself, so it is taken off the result. */
const RESOLUTION_MS = 10;

/** Begins to watch the event loop at once. `monotonicMs` only serves for differences. */
export function createProcessSampler(monotonicMs: () => number): ProcessSampler {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  let last: { readonly atMs: number; readonly cpuUs: number } | undefined;

  function cpuPercent(): number | null {
    const { user, system } = process.cpuUsage();
    const now = { atMs: monotonicMs(), cpuUs: user + system };
    const before = last;
    last = now;
    if (before === undefined || now.atMs <= before.atMs) return null;
    return (now.cpuUs - before.cpuUs) / (now.atMs - before.atMs) / 10;
  }

  function loopLagMs(): number | null {
    if (loop.count === 0) return null;
    const lagMs = loop.percentile(99) / 1e6 - RESOLUTION_MS;
    loop.reset();
    return Math.max(0, lagMs);
  }

  return {
    async sample() {
      const { rss, heapUsed } = process.memoryUsage();
      return {
        uptime_s: process.uptime(),
        cpu_percent: cpuPercent(),
        rss_bytes: rss,
        heap_used_bytes: heapUsed,
        event_loop_lag_ms: loopLagMs(),
        open_fds: await openFds(),
      };
    },
    close: () => void loop.disable(),
  };
}

async function openFds(): Promise<number | null> {
  try {
    // One of them is the folder that is being read.
    return (await readdir("/proc/self/fd")).length - 1;
  } catch {
    return null;
  }
}

// What this process uses between two moments: CPU of all its threads, memory, delays of its event loop. Opened by a
// task when its warm-up is over.

import type { PerformanceEntry } from "node:perf_hooks";
import {
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from "node:perf_hooks";
import * as z from "zod";

export const UsageSchema = z.object({
  wallSeconds: z.number(),
  /** User and system, all threads of the process. */
  cpuSeconds: z.number(),
  rssMaxBytes: z.number(),
  loopDelayP99Ms: z.number(),
  /** Time that the garbage collector held the program up. */
  gcSeconds: z.number(),
  /** Resident memory every `RSS_EVERY_MS`. */
  rssBytes: z.array(z.number()),
});
export type Usage = z.output<typeof UsageSchema>;

/** Time between two looks at the resident memory. */
export const RSS_EVERY_MS = 250;
const LOOP_DELAY_RESOLUTION_MS = 10;

/** Hears when a window opens, before it measures anything, and when it has closed. */
export interface WindowObserver {
  opened(): void;
  closed(): void;
}

let observer: WindowObserver | undefined;

/** For all windows of this process from now on. */
export function observeWindows(by: WindowObserver): void {
  observer = by;
}

export class UsageWindow {
  readonly #cpu: NodeJS.CpuUsage;
  readonly #startMs: number;
  readonly #rssBytes: number[] = [process.memoryUsage.rss()];
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  readonly #timer = setInterval(() => this.#rssBytes.push(process.memoryUsage.rss()), RSS_EVERY_MS);

  readonly #collections = new PerformanceObserver((list) => this.#count(list.getEntries()));
  #gcMs = 0;

  constructor() {
    this.#collections.observe({ entryTypes: ["gc"] });
    observer?.opened();
    this.#timer.unref();
    this.#delays.enable();
    this.#cpu = process.cpuUsage();
    this.#startMs = performance.now();
  }

  close(): Usage {
    const wallSeconds = (performance.now() - this.#startMs) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    clearInterval(this.#timer);
    this.#delays.disable();
    this.#count(this.#collections.takeRecords());
    this.#collections.disconnect();
    this.#rssBytes.push(process.memoryUsage.rss());
    const delayMs = this.#delays.count === 0 ? 0 : this.#delays.percentile(99) / 1e6;
    observer?.closed();
    return {
      wallSeconds,
      cpuSeconds: (user + system) / 1e6,
      rssMaxBytes: Math.max(...this.#rssBytes),
      // The histogram counts the timer's own period.
      loopDelayP99Ms: Math.max(0, delayMs - LOOP_DELAY_RESOLUTION_MS),
      gcSeconds: this.#gcMs / 1000,
      rssBytes: this.#rssBytes,
    };
  }

  #count(collections: readonly PerformanceEntry[]): void {
    for (const { duration } of collections) this.#gcMs += duration;
  }
}

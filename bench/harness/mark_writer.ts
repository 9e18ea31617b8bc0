// Something that writes ten-column rows on command, in a process of its own: one of our tasks, or a client in another language. All are
// measured the same way: from the first row to the moment when queries see the last one.

import * as z from "zod";
import { MARKS } from "../workload/mark_event.ts";
import type { Bench } from "./bench.ts";
import { cpuSecondsOf } from "./process_usage.ts";
import type { Figures } from "./result.ts";
import type { Task } from "./task.ts";
import { type Written, WrittenSchema } from "./written.ts";

export interface MarkWriter {
  /** Resolves when the warm-up rows are written and it waits for the word. */
  ready(): Promise<void>;
  go(): void;
  /** Resolves when the last row is acknowledged. */
  written(): Promise<Written>;
  /** Lets it finish what it has to clean up. Resolves when its process is gone. */
  end(): Promise<void>;
}

/** One of our tasks that ends in `writeOnCommand`. */
export function taskWriter<I, O>(
  bench: Bench,
  task: Task<I, O>,
  input: I,
  nodeFlags: readonly string[] = [],
): MarkWriter {
  const worker = bench.start(task, input, nodeFlags);
  return {
    ready: () => worker.take("ready", z.unknown()).then(() => undefined),
    go: () => worker.send("go"),
    written: () => worker.take("written", WrittenSchema),
    async end() {
      await worker.result;
      await worker.end();
    },
  };
}

export interface MarkLoad {
  readonly rows: number;
  readonly warmupRows: number;
}

/** Empties the table, lets the writer write, counts. Throws when rows are missing. */
export async function measureMarks(bench: Bench, load: MarkLoad, start: () => MarkWriter): Promise<Figures> {
  const questdb = await bench.questdb();
  await questdb.emptyTable(MARKS);
  const writer = start();
  await writer.ready();
  await questdb.allQueryable(MARKS.name, load.warmupRows, bench.timeoutMs);
  const cpuBefore = cpuSecondsOf(questdb.pid);
  writer.go();
  const written = await writer.written();
  const queryableUs = await questdb.allQueryable(MARKS.name, load.warmupRows + load.rows, bench.timeoutMs);
  const cpuAfter = cpuSecondsOf(questdb.pid);
  await writer.end();
  const perMillion = 1e6 / load.rows;
  return {
    rowsPerSecond: load.rows / ((queryableUs - written.startUs) / 1e6),
    acknowledgedRowsPerSecond: load.rows / ((written.deliveredUs - written.startUs) / 1e6),
    clientCpuSecondsPerMillion: written.cpuSeconds * perMillion,
    questdbCpuSecondsPerMillion:
      cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) * perMillion,
    rssMaxMb: written.rssMaxBytes / 1e6,
    loopDelayP99Ms: written.loopDelayP99Ms,
    gcSecondsPerMillion: written.gcSeconds === null ? null : written.gcSeconds * perMillion,
  };
}

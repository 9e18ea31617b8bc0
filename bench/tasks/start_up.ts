// A start on a spool that holds something: how long until the first row is accepted, and how much of the spool was read.
import * as z from "zod";
import { bytesReadBySelf } from "../harness/process_usage.ts";
import { defineTask } from "../harness/task.ts";
import { MARKS, markRows, stamp } from "../workload/mark_event.ts";
import { acceptAll, openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";

export const task = defineTask({
  name: "start_up",
  input: z.object({ service: ServiceInputSchema }),
  output: z.object({
    openMs: z.number(),
    /** Wall clock when the first row was durable, µs. */
    acceptedUs: z.number(),
    readBytes: z.number().nullable(),
    pendingRows: z.number(),
    rssBytes: z.number(),
  }),
  async run({ service }) {
    const before = bytesReadBySelf();
    const startMs = performance.now();
    const bench = await openBenchPipeline(service);
    const { pipeline, clock } = bench;
    const openMs = performance.now() - startMs;
    const pendingRows = pipeline.spool.pendingOf(MARKS.name)?.rows ?? 0;
    const rows = markRows(1, 1);
    stamp(rows, clock.nowUs());
    await acceptAll(pipeline, MARKS.name, rows);
    const acceptedUs = clock.nowUs();
    const after = bytesReadBySelf();
    const readBytes = before === null || after === null ? null : after - before;
    const rssBytes = process.memoryUsage.rss();
    await bench.close();
    return { openMs, acceptedUs, readBytes, pendingRows, rssBytes };
  },
});

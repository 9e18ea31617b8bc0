// Lone rows: each is pushed when the one before it has been seen in the database and a pause is over.
import * as z from "zod";
import { defineTask } from "../harness/task.ts";
import { MARKS, markRows, stamp } from "../workload/mark_event.ts";
import { acceptAll, openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";

const InputSchema = z.object({
  service: ServiceInputSchema,
  warmupRows: z.int().min(0),
  rows: z.int().min(1),
  pauseMinMs: z.number().min(0),
  pauseMaxMs: z.number().min(0),
});

export const task = defineTask({
  name: "lone_rows",
  input: InputSchema,
  output: z.object({ durableMs: z.array(z.number()) }),
  async run({ service, warmupRows, rows, pauseMinMs, pauseMaxMs }, channel) {
    const bench = await openBenchPipeline(service);
    const { pipeline, clock } = bench;
    await bench.connect();
    const durableMs: number[] = [];
    for (const [index, row] of markRows(warmupRows + rows, 1).entries()) {
      const acceptedUs = clock.nowUs();
      stamp([row], acceptedUs);
      const startMs = clock.monotonicMs();
      const durable = acceptAll(pipeline, MARKS.name, [row]);
      const topic = index < warmupRows ? "warmup" : "marker";
      channel.send(topic, { table: MARKS.name, tsUs: acceptedUs, acceptedUs });
      await durable;
      if (index >= warmupRows) durableMs.push(clock.monotonicMs() - startMs);
      await channel.take("seen", z.unknown());
      await clock.sleep(pauseMinMs + Math.random() * (pauseMaxMs - pauseMinMs));
    }
    await bench.close();
    return { durableMs };
  },
});

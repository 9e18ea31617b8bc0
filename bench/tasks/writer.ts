// The writer in this process: rows validated, encoded, synced before they are acknowledged, delivered. Several producers have
// pushes under way, as sources do.
import * as z from "zod";
import { defineTask } from "../harness/task.ts";
import { MARKS, type MarkRow } from "../workload/mark_event.ts";
import { acceptAll, openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";
import { MarkProducers } from "./mark_producers.ts";
import { writeOnCommand } from "./write_on_command.ts";

const InputSchema = z.object({
  service: ServiceInputSchema,
  rows: z.int().min(1),
  warmupRows: z.int().min(0),
  producers: z.int().min(1),
  pushRowsMin: z.int().min(1),
  pushRowsMax: z.int().min(1),
});

export const task = defineTask({
  name: "writer",
  input: InputSchema,
  output: z.null(),
  async run(input, channel) {
    const bench = await openBenchPipeline(input.service);
    const { pipeline, clock } = bench;
    try {
      await bench.connect();
      const firstUs = clock.nowUs() - input.rows - input.warmupRows;
      const producers = new MarkProducers({ ...input, firstUs });
      const write = (batch: readonly MarkRow[]) => acceptAll(pipeline, MARKS.name, batch);
      await producers.push(input.warmupRows, write);
      await bench.delivered();
      await writeOnCommand(channel, clock, async () => {
        await producers.push(input.rows, write);
        await bench.delivered();
      });
    } finally {
      await bench.close();
    }
    return null;
  },
});

// Fills a spool that nobody empties, up to a size. Afterwards the process is ended in order or killed, as the harness likes.
import * as z from "zod";
import { defineTask } from "../harness/task.ts";
import { MARKS } from "../workload/mark_event.ts";
import { acceptAll, openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";
import { MarkProducers } from "./mark_producers.ts";

const CHUNK_ROWS = 100_000;

export const task = defineTask({
  name: "fill_spool",
  input: z.object({ service: ServiceInputSchema, bytes: z.number().min(1) }),
  output: z.object({ bytes: z.number(), rows: z.number() }),
  async run({ service, bytes }, channel) {
    const bench = await openBenchPipeline(service);
    const { pipeline, clock } = bench;
    // Far enough back that every row's time is past, whatever their number.
    const firstUs = clock.nowUs() - 3_600_000_000;
    const producers = new MarkProducers({ producers: 4, pushRowsMin: 1000, pushRowsMax: 5000, firstUs });
    let rows = 0;
    while (pipeline.spool.bytes < bytes) {
      await producers.push(CHUNK_ROWS, (batch) => acceptAll(pipeline, MARKS.name, batch));
      rows += CHUNK_ROWS;
    }
    const filled = { bytes: pipeline.spool.bytes, rows };
    channel.send("filled", filled);
    await channel.take("close", z.unknown());
    await bench.close();
    return filled;
  },
});

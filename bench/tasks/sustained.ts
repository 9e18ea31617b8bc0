// The service under steady load: the W90 mix at a rate into the writer with its default configuration, for minutes.
import * as z from "zod";
import { defineTask } from "../harness/task.ts";
import { UsageSchema, UsageWindow } from "../harness/usage_window.ts";
import { openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";
import { Load } from "./load.ts";
import { requestsSent } from "./requests_sent.ts";

const InputSchema = z.object({
  service: ServiceInputSchema,
  warmupSeconds: z.number().min(0),
  seconds: z.number().min(1),
});

const OutputSchema = z.object({
  usage: UsageSchema,
  accepted: z.record(z.string(), z.number()),
  rows: z.number(),
  durableP50Ms: z.number(),
  durableP99Ms: z.number(),
  lateMaxMs: z.number(),
  requestsPerSecond: z.number(),
});

export const task = defineTask({
  name: "sustained",
  input: InputSchema,
  output: OutputSchema,
  async run(input, channel) {
    const bench = await openBenchPipeline(input.service);
    const { pipeline, clock, metrics } = bench;
    await bench.connect();
    const load = await Load.listen(pipeline, clock);
    channel.send("listening", { port: load.port });
    await clock.sleep(input.warmupSeconds * 1000);
    await load.restart();
    channel.send("begin");
    const window = new UsageWindow();
    const requestsBefore = await requestsSent(metrics);
    await clock.sleep(input.seconds * 1000);
    const usage = window.close();
    const requests = (await requestsSent(metrics)) - requestsBefore;
    channel.send("end");
    const report = await load.stop();
    await bench.delivered();
    await bench.close();
    return { usage, ...report, requestsPerSecond: requests / usage.wallSeconds };
  },
});

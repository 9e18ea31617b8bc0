// The service through an outage of QuestDB: live traffic throughout, a backlog built up while the database is away, and its
// way back. The harness stops and starts the database when it is told.
import * as z from "zod";
import type { Clock } from "../../ingest/clock.ts";
import { defineTask } from "../harness/task.ts";
import { UsageSchema, UsageWindow } from "../harness/usage_window.ts";
import { MARKS, type MarkRow } from "../workload/mark_event.ts";
import { acceptAll, openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";
import { Load } from "./load.ts";
import { MarkProducers } from "./mark_producers.ts";

const InputSchema = z.object({
  service: ServiceInputSchema,
  backlogRows: z.int().min(1),
  /** Live traffic before the outage. */
  warmupSeconds: z.number().min(0),
  /** Without traffic, before and after everything: for the memory at rest. */
  idleSeconds: z.number().min(0),
});

const OutputSchema = z.object({
  /** By phase: idle, live, outage, drain, after. */
  phases: z.record(z.string(), UsageSchema),
  spoolBytes: z.number(),
  fillSeconds: z.number(),
  /** From the database's return to the first delivered row of the backlog, and from there to the last. */
  recoverySeconds: z.number(),
  drainSeconds: z.number(),
  accepted: z.record(z.string(), z.number()),
});

const POLL_MS = 2;

export const task = defineTask({
  name: "outage",
  input: InputSchema,
  output: OutputSchema,
  async run(input, channel) {
    const bench = await openBenchPipeline(input.service);
    const { pipeline, clock } = bench;
    await bench.connect();
    const phases: Record<string, z.output<typeof UsageSchema>> = {};
    const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const window = new UsageWindow();
      const done = await work();
      phases[name] = window.close();
      return done;
    };
    await phase("idle", () => clock.sleep(input.idleSeconds * 1000));
    const load = await Load.listen(pipeline, clock);
    channel.send("listening", { port: load.port });
    await phase("live", () => clock.sleep(input.warmupSeconds * 1000));

    channel.send("stop database");
    await channel.take("database is down", z.unknown());
    const write = (batch: readonly MarkRow[]) => acceptAll(pipeline, MARKS.name, batch);
    const fillSeconds = await phase("outage", () =>
      secondsOf(clock, () => {
        const firstUs = clock.nowUs() - input.backlogRows;
        return new MarkProducers({ producers: 4, pushRowsMin: 1000, pushRowsMax: 5000, firstUs }).push(
          input.backlogRows,
          write,
        );
      }),
    );
    const spoolBytes = pipeline.spool.bytes;

    channel.send("start database");
    await channel.take("database is up", z.unknown());
    const written = (rows: number) => async () => {
      while (pipeline.ledger.counts(MARKS.name).written < rows) await clock.sleep(POLL_MS);
    };
    const recoverySeconds = await secondsOf(clock, written(1));
    await load.restart();
    const drainSeconds = await phase("drain", () => secondsOf(clock, written(input.backlogRows)));
    channel.send("drained");
    const { accepted } = await load.stop();
    await bench.delivered();
    await phase("after", () => clock.sleep(input.idleSeconds * 1000));
    await bench.close();
    return { phases, spoolBytes, fillSeconds, recoverySeconds, drainSeconds, accepted };
  },
});

async function secondsOf(clock: Clock, work: () => Promise<void>): Promise<number> {
  const startMs = clock.monotonicMs();
  await work();
  return (clock.monotonicMs() - startMs) / 1000;
}

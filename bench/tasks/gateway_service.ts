// The service's gateway and writer, with the configuration's defaults, for a client in another process.
import * as z from "zod";
import { createAlertDesk } from "../../ingest/alerting/alert_desk.ts";
import { startGateway } from "../../ingest/gateway/gateway.ts";
import { defineTask } from "../harness/task.ts";
import { openBenchPipeline, ServiceInputSchema } from "./bench_pipeline.ts";
import { writeOnCommand } from "./write_on_command.ts";

const InputSchema = z.object({
  service: ServiceInputSchema,
  warmupRows: z.int().min(0),
  rows: z.int().min(1),
  table: z.string(),
});

/** Any free port of this machine alone. */
const ADDRESS = { host: "127.0.0.1", port: 0, keys: [], corsOrigins: [] };
const POLL_MS = 2;

export const task = defineTask({
  name: "gateway_service",
  input: InputSchema,
  output: z.null(),
  async run(input, channel) {
    const bench = await openBenchPipeline(input.service);
    const { pipeline, metrics, clock, log, config } = bench;
    await bench.connect();
    const gateway = await startGateway({
      config: { ...config.http, ...ADDRESS },
      accept: (table, rows) => pipeline.intake.accept(table, rows),
      acceptLines: (table, text) => pipeline.intake.acceptLines(table, text),
      replay: (filter) => pipeline.replayDeadLetters(filter),
      alerts: createAlertDesk({
        accept: (rows) => pipeline.intake.accept("alerts", rows),
        findStates: async () => [],
        ...{ clock, log },
      }),
      status: () => ({ state: "running", ready: true, problems: [], questdb: { up: true, since: null } }),
      ttlDaysOf: () => 90,
      version: "bench",
      ...{ metrics, log, clock },
    });
    const written = async (rows: number) => {
      while (pipeline.ledger.counts(input.table).written < rows) await clock.sleep(POLL_MS);
    };
    try {
      channel.send("listening", { url: gateway.url });
      await written(input.warmupRows);
      await writeOnCommand(channel, clock, () => written(input.warmupRows + input.rows));
    } finally {
      await gateway.stop();
      await bench.close();
    }
    return null;
  },
});

// Scenario `gateway`: rows through POST /v1/events as NDJSON, from a client in another process, until queries see them.
import * as z from "zod";
import { findEvent } from "../../schema/registry.ts";
import { endOfService } from "../harness/accounted.ts";
import type { Bench } from "../harness/bench.ts";
import { cpuSecondsOf } from "../harness/process_usage.ts";
import { type Figures, variantOf } from "../harness/result.ts";
import { WrittenSchema } from "../harness/written.ts";
import { task as clientTask } from "../tasks/gateway_client.ts";
import { task as serviceTask } from "../tasks/gateway_service.ts";
import { NDJSON_TABLE } from "../workload/ndjson_body.ts";
import { amount, count, defineScenario, REPEATED, repeat, text } from "./scenario.ts";
import { newService, SERVICE_FLAGS } from "./service_input.ts";
import { WRITE_COLUMNS } from "./writer.ts";

interface Load {
  readonly rows: number;
  readonly warmupRows: number;
  readonly bodyBytes: number;
}

export const gateway = defineScenario({
  name: "gateway",
  about:
    "rows of `pnl` (nine columns) as NDJSON through the gateway, from a client in another process on the same cores",
  options: z.object({
    rows: count(1_000_000, "rows a run"),
    warmupRows: amount(200_000, "rows before the clock starts"),
    bodyBytes: count(1_000_000, "bytes of a request's body"),
    connections: text("2,4", "numbers of connections to measure, with commas"),
    ...REPEATED,
  }),
  columns: [
    ...WRITE_COLUMNS,
    { figure: "producerCpuSecondsPerMillion", title: "producer's CPU s per million rows" },
  ],
  async run(bench, options) {
    const connections = options.connections
      .split(",")
      .map((part) => z.coerce.number().int().min(1).parse(part));
    const runs = connections.map((): Figures[] => []);
    await repeat(bench, options, async (label, counts) => {
      for (const [index, number] of connections.entries()) {
        const figures = await measure(bench, options, number);
        const rate = Math.round(figures["rowsPerSecond"] ?? 0);
        bench.say(`${label}: ${number} connections ${rate} rows/s`);
        if (counts) runs[index]?.push(figures);
      }
    });
    const variants = connections.map((number, i) => variantOf(`${number} connections`, runs[i] ?? []));
    return { variants, warmups: options.warmups };
  },
});

async function measure(bench: Bench, load: Load, connections: number): Promise<Figures> {
  const { rows, warmupRows, bodyBytes } = load;
  const questdb = await bench.questdb();
  const event = findEvent(NDJSON_TABLE);
  if (event === undefined) throw new Error(`there is no table ${NDJSON_TABLE}`);
  await questdb.emptyTable(event);
  const service = await newService(bench);
  const worker = bench.start(serviceTask, { service, rows, warmupRows, table: NDJSON_TABLE }, SERVICE_FLAGS);
  const { url } = await worker.take("listening", z.object({ url: z.string() }));
  const client = bench.start(clientTask, {
    url,
    rows,
    warmupRows,
    bodyBytes,
    connections,
    table: NDJSON_TABLE,
  });
  await Promise.all([client.take("warm", z.unknown()), worker.take("ready", z.unknown())]);
  await questdb.allQueryable(NDJSON_TABLE, warmupRows, bench.timeoutMs);
  const cpuBefore = cpuSecondsOf(questdb.pid);
  worker.send("go");
  client.send("go");
  const [written, { usage }] = await Promise.all([worker.take("written", WrittenSchema), client.result]);
  const queryableUs = await questdb.allQueryable(NDJSON_TABLE, warmupRows + rows, bench.timeoutMs);
  const cpuAfter = cpuSecondsOf(questdb.pid);
  await client.end();
  await worker.result;
  await worker.end();
  await endOfService(bench, service.dataDir);
  const perMillion = 1e6 / rows;
  return {
    rowsPerSecond: rows / ((queryableUs - written.startUs) / 1e6),
    clientCpuSecondsPerMillion: written.cpuSeconds * perMillion,
    questdbCpuSecondsPerMillion:
      cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) * perMillion,
    producerCpuSecondsPerMillion: usage.cpuSeconds * perMillion,
    rssMaxMb: written.rssMaxBytes / 1e6,
    loopDelayP99Ms: written.loopDelayP99Ms,
    gcSecondsPerMillion: written.gcSeconds === null ? null : written.gcSeconds * perMillion,
  };
}

// Scenario `latency`: one lone row at a time, from handing it over to seeing it in a query.
import * as z from "zod";
import { endOfService } from "../harness/accounted.ts";
import type { Bench } from "../harness/bench.ts";
import { latencyFigures, MarkerSchema, Markers } from "../harness/markers.ts";
import { type Figures, variantOf } from "../harness/result.ts";
import { percentile } from "../harness/statistics.ts";
import type { ServiceInput } from "../tasks/bench_pipeline.ts";
import { task } from "../tasks/lone_rows.ts";
import { MARKS } from "../workload/mark_event.ts";
import { amount, count, defineScenario } from "./scenario.ts";
import { newService, SERVICE_FLAGS } from "./service_input.ts";

const VARIANTS: readonly { readonly name: string; readonly settings: ServiceInput["settings"] }[] = [
  { name: "default", settings: {} },
  { name: "linger 0", settings: { writer: { lingerMinMs: 0, lingerMaxMs: 0 } } },
];

/** The row is asked for without a pause worth the name: a millisecond is a tenth of what is measured. */
const ASK_EVERY_MS = 0.5;
const GIVE_UP_MS = 20_000;

interface Load {
  readonly rows: number;
  readonly warmupRows: number;
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
}

export const latency = defineScenario({
  name: "latency",
  about: "one lone row at a time: from handing it over to seeing it in a query",
  options: z.object({
    rows: count(300, "rows of each setting"),
    warmupRows: count(30, "rows before them"),
    pauseMinMs: amount(50, "shortest pause between a row that was seen and the next one"),
    pauseMaxMs: amount(150, "longest pause"),
    runs: count(1, "runs that count"),
    warmups: z.coerce.number().int().min(0).default(0).describe("runs before them that do not"),
  }),
  columns: [
    { figure: "queryableP50Ms", title: "queryable p50 ms" },
    { figure: "queryableP99Ms", title: "queryable p99 ms" },
    { figure: "queryableMaxMs", title: "queryable max ms" },
    { figure: "durableP99Ms", title: "durable p99 ms" },
    { figure: "markers", title: "rows" },
  ],
  async run(bench, options) {
    const variants = [];
    for (const { name, settings } of VARIANTS) {
      const runs: Figures[] = [];
      for (let run = 1 - options.warmups; run <= options.runs; run++) {
        const figures = await measure(bench, options, settings);
        bench.say(
          `${name}: p50 ${figures["queryableP50Ms"]?.toFixed(1)} ms, p99 ${figures["queryableP99Ms"]?.toFixed(1)} ms`,
        );
        if (run >= 1) runs.push(figures);
      }
      variants.push(variantOf(name, runs));
    }
    return { variants, warmups: options.warmups };
  },
});

async function measure(bench: Bench, load: Load, settings: ServiceInput["settings"]): Promise<Figures> {
  const questdb = await bench.questdb();
  await questdb.emptyTable(MARKS);
  const service = await newService(bench, settings);
  const markers = new Markers({
    ...{ sql: questdb.sql, clock: bench.clock, everyMs: ASK_EVERY_MS, giveUpMs: GIVE_UP_MS },
  });
  const { rows, warmupRows, pauseMinMs, pauseMaxMs } = load;
  const worker = bench.start(task, { service, rows, warmupRows, pauseMinMs, pauseMaxMs }, SERVICE_FLAGS);
  const latenciesMs: number[] = [];
  for (let row = 0; row < warmupRows + rows; row++) {
    const isWarmup = row < warmupRows;
    const ms = await markers.seen(await worker.take(isWarmup ? "warmup" : "marker", MarkerSchema));
    if (!isWarmup) latenciesMs.push(ms);
    worker.send("seen");
  }
  const { durableMs } = await worker.result;
  await worker.end();
  await questdb.allQueryable(MARKS.name, warmupRows + rows, bench.timeoutMs);
  await endOfService(bench, service.dataDir);
  return { ...latencyFigures(latenciesMs), durableP99Ms: percentile(durableMs, 0.99) };
}

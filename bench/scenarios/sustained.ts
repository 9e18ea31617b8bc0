// Scenario `sustained`: the W90 mix at a steady rate into the service's writer with its default configuration.
import * as z from "zod";
import { endOfService } from "../harness/accounted.ts";
import type { Bench } from "../harness/bench.ts";
import { Markers } from "../harness/markers.ts";
import { cpuSecondsOf, residentBytesOf } from "../harness/process_usage.ts";
import { type Figures, type Variant, variantOf } from "../harness/result.ts";
import { median, slopePerMinute } from "../harness/statistics.ts";
import { RSS_EVERY_MS } from "../harness/usage_window.ts";
import type { ServiceInput } from "../tasks/bench_pipeline.ts";
import { task } from "../tasks/sustained.ts";
import { emptyTrafficTables, startTraffic } from "./live_traffic.ts";
import { amount, type Column, count, defineScenario } from "./scenario.ts";
import { newService, SERVICE_FLAGS } from "./service_input.ts";

export const LOAD_OPTIONS = {
  rate: count(10_000, "rows a second over all tables"),
  markers: amount(4, "rows a second whose way into the database is timed"),
  warmup: amount(20, "seconds of load before the clock starts"),
  seed: count(1, "the workload's"),
};

const ASK_EVERY_MS = 5;
const GIVE_UP_MS = 30_000;

interface Load {
  readonly rate: number;
  readonly markers: number;
  readonly warmup: number;
  readonly seed: number;
}

export const SUSTAINED_COLUMNS: readonly Column[] = [
  { figure: "rowsPerSecond", title: "rows/s" },
  { figure: "queryableP50Ms", title: "queryable p50 ms" },
  { figure: "queryableP99Ms", title: "queryable p99 ms" },
  { figure: "durableP99Ms", title: "durable p99 ms" },
  { figure: "serviceCorePercent", title: "service, % of a core" },
  { figure: "questdbCorePercent", title: "QuestDB, % of a core" },
  { figure: "rssMaxMb", title: "RSS max MB" },
  { figure: "rssMbPerMinute", title: "RSS growth MB/min" },
  { figure: "requestsPerSecond", title: "requests/s" },
];

export const sustained = defineScenario({
  name: "sustained",
  about:
    "the W90 mix over all its tables at a steady rate, default configuration; a sample of rows is looked for in the database",
  options: z.object({
    ...LOAD_OPTIONS,
    minutes: amount(10, "how long"),
    seconds: amount(0, "how long, instead of minutes"),
    budget: amount(0, "commits a second (writer.commitsPerSecond); 0 is the default"),
  }),
  columns: SUSTAINED_COLUMNS,
  async run(bench, { minutes, seconds, budget, ...load }) {
    const settings: ServiceInput["settings"] = budget > 0 ? { writer: { commitsPerSecond: budget } } : {};
    const name = budget > 0 ? `${budget} commits/s` : "default";
    return {
      variants: [await measureLoad(bench, load, seconds || minutes * 60, name, settings)],
      warmups: 0,
    };
  },
});

/** One run on emptied tables. Throws when a table lacks rows afterwards. */
export async function measureLoad(
  bench: Bench,
  { rate, markers: markersPerSecond, warmup, seed }: Load,
  seconds: number,
  name: string,
  settings: ServiceInput["settings"],
): Promise<Variant> {
  const questdb = await bench.questdb();
  await emptyTrafficTables(questdb);
  const { sql } = questdb;
  const markers = new Markers({ sql, clock: bench.clock, everyMs: ASK_EVERY_MS, giveUpMs: GIVE_UP_MS });
  const service = await newService(bench, settings);
  const worker = bench.start(task, { service, warmupSeconds: warmup, seconds }, SERVICE_FLAGS);
  const producer = await startTraffic(bench, worker, markers, {
    rowsPerSecond: rate,
    markersPerSecond,
    seed,
  });
  await worker.take("begin", z.unknown());
  const cpuBefore = cpuSecondsOf(questdb.pid);
  await worker.take("end", z.unknown());
  const cpuAfter = cpuSecondsOf(questdb.pid);
  const questdbRss = residentBytesOf(questdb.pid);
  const report = await worker.result;
  await Promise.all([worker.end(), producer.end()]);
  for (const [table, rows] of Object.entries(report.accepted)) {
    await questdb.allQueryable(table, rows, bench.timeoutMs);
  }
  const latency = await markers.settled();
  await endOfService(bench, service.dataDir);
  const { usage, durableP50Ms, durableP99Ms, lateMaxMs, requestsPerSecond } = report;
  const corePercent = (cpuSeconds: number) => (100 * cpuSeconds) / usage.wallSeconds;
  const acceptedRows = Object.values(report.accepted).reduce((sum, rows) => sum + rows, 0);
  const figures: Figures = {
    rowsPerSecond: report.rows / usage.wallSeconds,
    ...latency,
    ...{ durableP50Ms, durableP99Ms, lateMaxMs, requestsPerSecond },
    serviceCorePercent: corePercent(usage.cpuSeconds),
    questdbCorePercent: cpuBefore === null || cpuAfter === null ? null : corePercent(cpuAfter - cpuBefore),
    gcCorePercent: corePercent(usage.gcSeconds),
    questdbRssMb: questdbRss === null ? null : questdbRss / 1e6,
    loopDelayP99Ms: usage.loopDelayP99Ms,
    ...memoryFigures(usage.rssBytes),
    acceptedRows,
  };
  bench.say(
    `${name}: p50 ${text(figures["queryableP50Ms"])} ms, p99 ${text(figures["queryableP99Ms"])} ms, service ` +
      `${text(figures["serviceCorePercent"])} %, QuestDB ${text(figures["questdbCorePercent"])} % of a core`,
  );
  return variantOf(name, [figures], { rssMb: thinned(usage.rssBytes.map((bytes) => bytes / 1e6)) });
}

/** Memory is flat when the second half of the run grows by next to nothing. */
function memoryFigures(rssBytes: readonly number[]): Figures {
  const megabytes = rssBytes.map((bytes) => bytes / 1e6);
  const half = megabytes.slice(Math.floor(megabytes.length / 2));
  return {
    rssMaxMb: Math.max(...megabytes),
    rssMedianMb: median(megabytes),
    rssMbPerMinute: slopePerMinute(half, RSS_EVERY_MS / 1000),
  };
}

const SERIES_POINTS = 60;

function thinned(values: readonly number[]): number[] {
  const step = Math.max(1, Math.ceil(values.length / SERIES_POINTS));
  return values.filter((_, index) => index % step === 0).map((value) => Math.round(value * 10) / 10);
}

function text(value: number | null | undefined): string {
  return value === null || value === undefined ? "?" : value.toFixed(1);
}

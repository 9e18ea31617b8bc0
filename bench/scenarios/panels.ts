// Scenario `panels`: every query of every dashboard on a database that is full, as Grafana sends them, at several ranges; and each
// dashboard as a whole.
import { performance } from "node:perf_hooks";
import * as z from "zod";
import { shippedPath } from "../../ingest/package_root.ts";
import type { Bench } from "../harness/bench.ts";
import { type Figures, type Variant, variantOf } from "../harness/result.ts";
import { median, percentile } from "../harness/statistics.ts";
import { type Dashboard, readDashboards } from "../panels/dashboard_file.ts";
import { fillDatabase, rollupBytes, w90Bytes } from "../panels/filled_database.ts";
import { type FrameReader, openFrames } from "../panels/frame.ts";
import { allValues, queriesOf, sqlFor } from "../panels/panel_queries.ts";
import { count, defineScenario } from "./scenario.ts";

const HOUR_US = 3_600_000_000;
const RANGES = [
  { name: "6 hours", hours: 6 },
  { name: "24 hours", hours: 24 },
  { name: "7 days", hours: 7 * 24 },
  { name: "30 days", hours: 30 * 24 },
  { name: "90 days", hours: 90 * 24 },
] as const;
const SLOWEST = 10;
/** As many as Grafana asks at the same time: a browser has six connections to a server. */
const AT_ONCE = 6;

/** One query at one range. */
interface Timed {
  readonly name: string;
  readonly reads: string;
  readonly range: string;
  readonly runsMs: readonly number[];
}

export const panels = defineScenario({
  name: "panels",
  about: "every query of the dashboards on W90, one after the other, and each dashboard as a whole",
  options: z.object({
    days: count(90, "days of W90 in the database"),
    runs: count(5, "times each query is asked"),
    filled: z
      .boolean()
      .default(false)
      .describe("the server of QUESTDB_URL holds the rows of an earlier run; write none"),
  }),
  columns: [
    { figure: "queries", title: "queries" },
    { figure: "p50Ms", title: "ms p50" },
    { figure: "p95Ms", title: "ms p95" },
    { figure: "maxMs", title: "ms, slowest" },
    { figure: "gigabytes", title: "GB" },
  ],
  async run(bench, { days, runs, filled }) {
    const { sql, address } = await bench.questdb();
    if (!filled) await fillDatabase(bench, days);
    const dashboards = readDashboards(shippedPath("provisioning", "dashboards", "files", "tickwatch"));
    const frames = await openFrames(address.pg);
    try {
      const timed = await timeQueries(bench, frames, dashboards, days, runs);
      const variants = [
        ...RANGES.filter(({ hours }) => hours <= days * 24).map(({ name }) =>
          summary(
            name,
            timed.filter(({ range }) => range === name),
          ),
        ),
        summary("all ranges", timed),
        summary(
          "open interest, 30 days",
          timed.filter((one) => one.range === "30 days" && /\bopen_interest/.test(one.reads)),
        ),
        ...(await timeDashboards(bench, dashboards, runs)),
        ...slowest(timed),
        variantOf("W90 on disk", [{ gigabytes: (await w90Bytes(sql)) / 1e9 }]),
        variantOf("its rollups", [{ gigabytes: (await rollupBytes(sql)) / 1e9 }]),
      ];
      return { variants, warmups: 1 };
    } finally {
      await frames.close();
    }
  },
});

async function timeQueries(
  bench: Bench,
  frames: FrameReader,
  dashboards: readonly Dashboard[],
  days: number,
  runs: number,
): Promise<readonly Timed[]> {
  const toUs = bench.clock.nowUs();
  const timed: Timed[] = [];
  for (const { name: range, hours } of RANGES.filter((one) => one.hours <= days * 24)) {
    const window = { fromUs: toUs - hours * HOUR_US, toUs };
    for (const dashboard of dashboards) {
      const values = await allValues(dashboard, frames, window);
      for (const query of queriesOf(dashboard)) {
        bench.throwIfAborted();
        const text = sqlFor(query, values, window);
        // The first one compiles the query and brings the files into memory.
        await frames.read(text);
        const runsMs: number[] = [];
        for (let run = 0; run < runs; run++) runsMs.push(await timeOf(() => frames.read(text)));
        timed.push({ name: query.where, reads: query.rawSql, range, runsMs });
      }
    }
    const p95 = percentile(
      timed.filter((one) => one.range === range).flatMap(({ runsMs }) => runsMs),
      0.95,
    );
    bench.say(`${range}: p95 ${p95?.toFixed(1)} ms`);
  }
  return timed;
}

/** All queries of a dashboard at its own range, several at a time, from the first one sent to the last one answered. */
async function timeDashboards(
  bench: Bench,
  dashboards: readonly Dashboard[],
  runs: number,
): Promise<Variant[]> {
  const { address } = await bench.questdb();
  const readers = await Promise.all(Array.from({ length: AT_ONCE }, () => openFrames(address.pg)));
  const variants: Variant[] = [];
  try {
    for (const dashboard of dashboards) {
      const toUs = bench.clock.nowUs();
      const window = { fromUs: toUs - hoursOf(dashboard) * HOUR_US, toUs };
      const [first] = readers;
      const values = first === undefined ? new Map() : await allValues(dashboard, first, window);
      const queries = queriesOf(dashboard);
      const texts = queries.map((query) => sqlFor(query, values, window));
      const loads: number[] = [];
      for (let run = 0; run <= runs; run++) {
        const waiting = [...texts];
        const ms = await timeOf(() =>
          Promise.all(
            readers.map(async (reader) => {
              for (let text = waiting.shift(); text !== undefined; text = waiting.shift())
                await reader.read(text);
            }),
          ),
        );
        if (run > 0) loads.push(ms);
      }
      variants.push(
        variantOf(`dashboard ${dashboard.name} as a whole`, [{ queries: texts.length, ...spreadOf(loads) }]),
      );
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
  return variants;
}

function hoursOf(dashboard: Dashboard): number {
  const [, amount, unit] = /^now-(\d+)([mhd])$/.exec(dashboard.json.time?.from ?? "") ?? [];
  return Number(amount ?? 6) * (unit === "d" ? 24 : unit === "m" ? 1 / 60 : 1);
}

function summary(name: string, timed: readonly Timed[]): Variant {
  return variantOf(name, [{ queries: timed.length, ...spreadOf(timed.flatMap(({ runsMs }) => runsMs)) }]);
}

function slowest(timed: readonly Timed[]): Variant[] {
  return timed
    .toSorted((a, b) => (median(b.runsMs) ?? 0) - (median(a.runsMs) ?? 0))
    .slice(0, SLOWEST)
    .map(({ name, range, runsMs }) => variantOf(`${name}, ${range}`, [{ queries: 1, ...spreadOf(runsMs) }]));
}

function spreadOf(runsMs: readonly number[]): Figures {
  return { p50Ms: percentile(runsMs, 0.5), p95Ms: percentile(runsMs, 0.95), maxMs: percentile(runsMs, 1) };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

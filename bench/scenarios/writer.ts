// Scenario `writer`: the whole writer in one process, until queries see every row.
import * as z from "zod";
import { endOfService } from "../harness/accounted.ts";
import type { Bench } from "../harness/bench.ts";
import { measureMarks, taskWriter } from "../harness/mark_writer.ts";
import { type Figures, variantOf } from "../harness/result.ts";
import { task } from "../tasks/writer.ts";
import { amount, type Column, count, defineScenario, REPEATED, repeat } from "./scenario.ts";
import { newService, SERVICE_FLAGS } from "./service_input.ts";

export const WRITE_COLUMNS: readonly Column[] = [
  { figure: "rowsPerSecond", title: "rows/s until queryable" },
  { figure: "clientCpuSecondsPerMillion", title: "CPU s per million rows" },
  { figure: "questdbCpuSecondsPerMillion", title: "QuestDB's CPU s per million rows" },
  { figure: "gcSecondsPerMillion", title: "of ours in GC" },
  { figure: "rssMaxMb", title: "RSS max MB" },
  { figure: "loopDelayP99Ms", title: "event loop delay p99 ms" },
];

export const PUSHES = {
  producers: count(4, "producers with a push under way each"),
  pushRowsMin: count(1_000, "rows of the smallest push"),
  pushRowsMax: count(5_000, "rows of the largest push"),
};

interface WriterOptions {
  readonly rows: number;
  readonly warmupRows: number;
  readonly producers: number;
  readonly pushRowsMin: number;
  readonly pushRowsMax: number;
}

/** One run of our writer on an emptied table. */
export async function measureWriter(bench: Bench, options: WriterOptions): Promise<Figures> {
  const { rows, warmupRows, producers, pushRowsMin, pushRowsMax } = options;
  const service = await newService(bench);
  const input = { service, rows, warmupRows, producers, pushRowsMin, pushRowsMax };
  const figures = await measureMarks(bench, { rows, warmupRows }, () =>
    taskWriter(bench, task, input, SERVICE_FLAGS),
  );
  await endOfService(bench, service.dataDir);
  return figures;
}

export const writer = defineScenario({
  name: "writer",
  about:
    "in-process: rows validated, encoded, synced before they are acknowledged, delivered; default configuration",
  options: z.object({
    rows: count(2_000_000, "rows a run"),
    warmupRows: amount(500_000, "rows before the clock starts, in each process"),
    ...PUSHES,
    ...REPEATED,
  }),
  columns: WRITE_COLUMNS,
  async run(bench, options) {
    const runs: Figures[] = [];
    await repeat(bench, options, async (label, counts) => {
      const figures = await measureWriter(bench, options);
      bench.say(`${label}: ${Math.round(figures["rowsPerSecond"] ?? 0)} rows/s`);
      if (counts) runs.push(figures);
    });
    return { variants: [variantOf("in-process", runs)], warmups: options.warmups };
  },
});

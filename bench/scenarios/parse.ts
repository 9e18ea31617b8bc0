// Scenario `parse`: the check of unknown rows alone.
import * as z from "zod";
import { type Figures, variantOf } from "../harness/result.ts";
import { task } from "../tasks/parse.ts";
import { count, defineScenario, REPEATED, repeat } from "./scenario.ts";

const VARIANTS = [
  { name: "ten columns", rows: "marks" },
  { name: "W90 mix", rows: "w90" },
] as const;

export const parse = defineScenario({
  name: "parse",
  about: "the check of unknown rows against their table, in one thread",
  options: z.object({
    rows: count(3_000_000, "rows a run"),
    warmupRows: count(300_000, "rows before the clock starts, in each process"),
    ...REPEATED,
  }),
  columns: [
    { figure: "rowsPerSecond", title: "rows/s" },
    { figure: "cpuSecondsPerMillion", title: "CPU s per million rows" },
  ],
  async run(bench, { rows, warmupRows, ...times }) {
    const runs = VARIANTS.map((): Figures[] => []);
    await repeat(bench, times, async (label, counts) => {
      for (const [index, variant] of VARIANTS.entries()) {
        const input = { rows: variant.rows, count: rows, warmupCount: warmupRows };
        const { usage, rowCount } = await bench.run(task, input);
        bench.say(`${label}: ${variant.name} ${Math.round(rowCount / usage.wallSeconds)} rows/s`);
        if (!counts) continue;
        runs[index]?.push({
          rowsPerSecond: rowCount / usage.wallSeconds,
          cpuSecondsPerMillion: usage.cpuSeconds * (1e6 / rowCount),
        });
      }
    });
    return {
      variants: VARIANTS.map(({ name }, i) => variantOf(name, runs[i] ?? [])),
      warmups: times.warmups,
    };
  },
});

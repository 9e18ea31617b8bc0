// Scenario `encode`: the encoder alone, ours and the official client's buffer.
import * as z from "zod";
import { type Figures, type Variant, variantOf } from "../harness/result.ts";
import { task } from "../tasks/encode.ts";
import { count, defineScenario, REPEATED, repeat } from "./scenario.ts";

const VARIANTS = [
  { name: "native", encoder: "native", share: 1 },
  { name: "native, W90 mix", encoder: "w90", share: 1 },
  { name: "official client's buffer", encoder: "official", share: 0.2 },
  { name: "official, selected in the configuration", encoder: "selected", share: 0.1 },
] as const;

/** A young generation that holds everything that is allocated, so that nothing is collected in between. */
const ALLOCATION_FLAGS = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

export const encode = defineScenario({
  name: "encode",
  about: "the encoder alone: checked rows to bytes, in one thread",
  options: z.object({
    rows: count(5_000_000, "rows a run; fewer of slower encoders"),
    warmupRows: count(300_000, "rows before the clock starts, in each process"),
    ...REPEATED,
  }),
  columns: [
    { figure: "rowsPerSecond", title: "rows/s" },
    { figure: "cpuSecondsPerMillion", title: "CPU s per million rows" },
    { figure: "bytesPerRow", title: "bytes a row" },
    { figure: "allocatedBytesPerRow", title: "allocated bytes a row" },
  ],
  async run(bench, { rows, warmupRows, ...times }) {
    const runs = VARIANTS.map((): Figures[] => []);
    await repeat(bench, times, async (label, counts) => {
      for (const [index, { name, encoder, share }] of VARIANTS.entries()) {
        const rowCount = Math.ceil(rows * share);
        const input = { encoder, count: rowCount, warmupCount: warmupRows, allocation: false };
        const { usage, bytes } = await bench.run(task, input);
        const figures: Figures = {
          rowsPerSecond: rowCount / usage.wallSeconds,
          cpuSecondsPerMillion: usage.cpuSeconds * (1e6 / rowCount),
          bytesPerRow: bytes / rowCount,
        };
        bench.say(`${label}: ${name} ${Math.round(rowCount / usage.wallSeconds)} rows/s`);
        if (counts) runs[index]?.push(figures);
      }
    });
    const variants: Variant[] = [];
    for (const [index, { name, encoder }] of VARIANTS.entries()) {
      const input = { encoder, count: 1, warmupCount: warmupRows, allocation: true };
      const { allocatedBytesPerRow } = await bench.run(task, input, ALLOCATION_FLAGS);
      variants.push(
        variantOf(
          name,
          (runs[index] ?? []).map((run) => ({ ...run, allocatedBytesPerRow })),
        ),
      );
    }
    return { variants, warmups: times.warmups };
  },
});

// Scenario `spool`: frames appended and made durable, without encoder and database.
import * as z from "zod";
import { type Figures, variantOf } from "../harness/result.ts";
import { task } from "../tasks/spool.ts";
import { count, defineScenario, REPEATED, repeat } from "./scenario.ts";

const VARIANTS = [
  { name: "5,000-row frames, fsync", rowsPerFrame: 5_000, framesPerAppend: 4, durability: "fsync", share: 1 },
  { name: "5,000-row frames, os", rowsPerFrame: 5_000, framesPerAppend: 4, durability: "os", share: 1 },
  { name: "14 × 10-row frames, fsync", rowsPerFrame: 10, framesPerAppend: 14, durability: "fsync", share: 8 },
  { name: "1-row frames, fsync", rowsPerFrame: 1, framesPerAppend: 1, durability: "fsync", share: 8 },
] as const;

export const spool = defineScenario({
  name: "spool",
  about: "frames appended to the spool, each append durable before the next",
  options: z.object({
    appends: count(250, "appends of large frames a run; eight times as many of small ones"),
    warmupAppends: count(20, "appends before the clock starts"),
    ...REPEATED,
  }),
  columns: [
    { figure: "megabytesPerSecond", title: "MB/s" },
    { figure: "framesPerSecond", title: "frames/s" },
    { figure: "syncsPerSecond", title: "fsyncs/s" },
    { figure: "cpuSecondsPerGigabyte", title: "CPU s per GB" },
  ],
  async run(bench, { appends, warmupAppends, ...times }) {
    const runs = VARIANTS.map((): Figures[] => []);
    await repeat(bench, times, async (label, counts) => {
      for (const [index, { name, share, ...variant }] of VARIANTS.entries()) {
        const folder = await bench.folder("spool");
        const input = { ...variant, folder, appends: appends * share, warmupAppends };
        const { usage, frames, bytes, syncs } = await bench.run(task, input);
        await bench.removeFolder(folder);
        const figures = {
          megabytesPerSecond: bytes / 1e6 / usage.wallSeconds,
          framesPerSecond: frames / usage.wallSeconds,
          syncsPerSecond: syncs / usage.wallSeconds,
          cpuSecondsPerGigabyte: usage.cpuSeconds / (bytes / 1e9),
          rssMaxMb: usage.rssMaxBytes / 1e6,
        };
        bench.say(`${label}: ${name} ${figures.megabytesPerSecond.toFixed(1)} MB/s`);
        if (counts) runs[index]?.push(figures);
      }
    });
    return {
      variants: VARIANTS.map(({ name }, i) => variantOf(name, runs[i] ?? [])),
      warmups: times.warmups,
    };
  },
});

// Scenario `memory`: what the writer holds at rest, under load, through an outage and afterwards.
import * as z from "zod";
import { variantOf } from "../harness/result.ts";
import { median } from "../harness/statistics.ts";
import { runThroughOutage } from "./outage_run.ts";
import { amount, count, defineScenario } from "./scenario.ts";

/** In the order they happen. */
const PHASES = ["idle", "live", "outage", "drain", "after"] as const;

export const memory = defineScenario({
  name: "memory",
  about:
    "resident memory of the writer's process: idle, under load, while QuestDB is away, while the backlog drains, idle again",
  options: z.object({
    rate: count(10_000, "rows a second (W90 mix) from the second phase on"),
    seconds: amount(30, "seconds of load before the outage"),
    idle: amount(10, "seconds of rest before and after"),
    backlog: count(3_000_000, "rows that are written at full speed while QuestDB is away"),
    seed: count(1, "the workload's"),
  }),
  columns: [
    { figure: "rssMaxMb", title: "RSS max MB" },
    { figure: "rssMedianMb", title: "RSS median MB" },
    { figure: "seconds", title: "s" },
  ],
  async run(bench, { rate, seconds, idle, backlog, seed }) {
    const { phases } = await runThroughOutage(bench, {
      ...{ backlogRows: backlog, liveRowsPerSecond: rate, markersPerSecond: 1, seed },
      ...{ warmupSeconds: seconds, idleSeconds: idle },
    });
    const variants = PHASES.map((name) => {
      const { rssBytes = [], wallSeconds = 0 } = phases[name] ?? {};
      const megabytes = rssBytes.map((bytes) => bytes / 1e6);
      const figures = {
        rssMaxMb: Math.max(...megabytes),
        rssMedianMb: median(megabytes),
        seconds: wallSeconds,
      };
      bench.say(`${name}: ${figures.rssMaxMb.toFixed(1)} MB at most`);
      return variantOf(name, [figures]);
    });
    return { variants, warmups: 0 };
  },
});

// Scenario `drain`: QuestDB comes back after an outage; how fast the backlog goes, and how live rows of other tables fare meanwhile.
import * as z from "zod";
import { type Figures, variantOf } from "../harness/result.ts";
import { runThroughOutage } from "./outage_run.ts";
import { amount, count, defineScenario } from "./scenario.ts";

export const drain = defineScenario({
  name: "drain",
  about:
    "a backlog of one table built up while QuestDB is stopped, delivered after its return under live traffic of other tables",
  options: z.object({
    rows: count(5_000_000, "rows of the backlog"),
    live: count(1_000, "live rows a second (W90 mix) before, during and after the outage"),
    markers: amount(10, "live rows a second whose way into the database is timed while the backlog drains"),
    seed: count(1, "the workload's"),
    runs: count(3, "runs; the median is reported"),
  }),
  columns: [
    { figure: "rowsPerSecond", title: "backlog rows/s" },
    { figure: "recoverySeconds", title: "s from QuestDB's return to the first row" },
    { figure: "queryableP50Ms", title: "live rows queryable p50 ms" },
    { figure: "queryableP99Ms", title: "live rows queryable p99 ms" },
    { figure: "serviceCpuSecondsPerMillion", title: "CPU s per million rows" },
    { figure: "questdbCpuSecondsPerMillion", title: "QuestDB's CPU s per million rows" },
    { figure: "rssMaxMb", title: "RSS max MB" },
    { figure: "fillRowsPerSecond", title: "rows/s accepted while it was away" },
  ],
  async run(bench, { rows, live, markers, seed, runs: times }) {
    const runs: Figures[] = [];
    for (let run = 1; run <= times; run++) {
      const report = await runThroughOutage(bench, {
        ...{ backlogRows: rows, liveRowsPerSecond: live, markersPerSecond: markers, seed },
        ...{ warmupSeconds: 3, idleSeconds: 0 },
      });
      const { drainSeconds, recoverySeconds, fillSeconds, spoolBytes, questdbCpuSeconds, phases } = report;
      const during = phases["drain"];
      bench.say(`run ${run}/${times}: ${Math.round(rows / drainSeconds)} rows/s`);
      runs.push({
        rowsPerSecond: rows / drainSeconds,
        ...{ recoverySeconds, spoolMb: spoolBytes / 1e6, fillRowsPerSecond: rows / fillSeconds },
        ...report.live,
        serviceCpuSecondsPerMillion: during === undefined ? null : during.cpuSeconds * (1e6 / rows),
        questdbCpuSecondsPerMillion: questdbCpuSeconds === null ? null : questdbCpuSeconds * (1e6 / rows),
        rssMaxMb: Math.max(...Object.values(phases).map((usage) => usage.rssMaxBytes)) / 1e6,
        loopDelayP99Ms: during?.loopDelayP99Ms ?? null,
      });
    }
    return { variants: [variantOf("one table's backlog", runs)], warmups: 0 };
  },
});

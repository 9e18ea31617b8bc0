// Scenario `start`: how long the service takes to accept its first row when its spool is full of undelivered ones.
import * as z from "zod";
import { type Figures, type Variant, variantOf } from "../harness/result.ts";
import { task as fillTask } from "../tasks/fill_spool.ts";
import { task as startTask } from "../tasks/start_up.ts";
import { amount, count, defineScenario } from "./scenario.ts";
import { NOWHERE, SERVICE_FLAGS } from "./service_input.ts";

const ENDINGS = ["stopped in order", "killed"] as const;
/** A frame is a few thousand rows; the rest of the cap is for the rows of the start itself. */
const CAP_SHARE = 1.2;

export const start = defineScenario({
  name: "start",
  about:
    "from the start of the process to the first durable row, with undelivered rows in the spool (in the page cache)",
  options: z.object({
    gb: amount(5, "gigabytes in the spool"),
    runs: count(5, "starts that count; the median is reported"),
  }),
  columns: [
    { figure: "acceptingMs", title: "ms to the first durable row" },
    { figure: "openMs", title: "ms of them in opening" },
    { figure: "readMb", title: "MB read" },
    { figure: "spoolMb", title: "MB in the spool" },
    { figure: "rssMb", title: "RSS MB" },
  ],
  async run(bench, { gb, runs: times }) {
    const variants: Variant[] = [];
    for (const ending of ENDINGS) {
      const dataDir = await bench.folder("data");
      const bytesMax = Math.ceil(gb * CAP_SHARE * 1e9) + 100_000_000;
      const service = { server: NOWHERE, dataDir, settings: { spool: { bytesMax } } };
      const filler = bench.start(fillTask, { service, bytes: gb * 1e9 });
      const filled = await filler.take("filled", z.object({ bytes: z.number(), rows: z.number() }));
      bench.say(`the spool holds ${filled.rows} rows, ${Math.round(filled.bytes / 1e6)} MB`);
      if (ending === "killed") await filler.kill();
      else {
        filler.send("close");
        await filler.result;
        await filler.end();
      }
      const runs: Figures[] = [];
      for (let run = 1; run <= times; run++) {
        const startUs = bench.clock.nowUs();
        const report = await bench.run(startTask, { service }, SERVICE_FLAGS);
        if (report.pendingRows < filled.rows)
          throw new Error(`only ${report.pendingRows} of ${filled.rows} rows are there`);
        const acceptingMs = (report.acceptedUs - startUs) / 1000;
        bench.say(`${ending}, start ${run}/${times}: ${acceptingMs.toFixed(0)} ms`);
        runs.push({
          ...{
            acceptingMs,
            openMs: report.openMs,
            spoolMb: filled.bytes / 1e6,
            rssMb: report.rssBytes / 1e6,
          },
          readMb: report.readBytes === null ? null : report.readBytes / 1e6,
        });
      }
      variants.push(variantOf(ending, runs));
      await bench.removeFolder(dataDir);
    }
    return { variants, warmups: 0 };
  },
});

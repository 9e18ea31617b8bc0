// Scenario `curve`: what a commit budget costs and what it buys, by running `sustained` with several.
import * as z from "zod";
import type { Variant } from "../harness/result.ts";
import { amount, defineScenario, text } from "./scenario.ts";
import { LOAD_OPTIONS, measureLoad, SUSTAINED_COLUMNS } from "./sustained.ts";

const SERVER_WARMUP_S = 20;

export const curve = defineScenario({
  name: "curve",
  about:
    "`sustained` with several commit budgets (writer.commitsPerSecond): latency bought with QuestDB's CPU",
  options: z.object({
    ...LOAD_OPTIONS,
    seconds: amount(60, "how long with each budget"),
    budgets: text("20,50,100,200", "commits a second, with commas"),
  }),
  columns: SUSTAINED_COLUMNS,
  async run(bench, { seconds, budgets, ...load }) {
    const variants: Variant[] = [];
    // The first budget would pay for the server's own warm-up.
    await measureLoad(bench, load, SERVER_WARMUP_S, "warm-up", {});
    for (const part of budgets.split(",")) {
      const commitsPerSecond = z.coerce.number().int().min(1).parse(part);
      bench.throwIfAborted();
      // The shortest and the longest wait would hide what the budget does.
      const settings = { writer: { commitsPerSecond, lingerMinMs: 1, lingerMaxMs: 5_000 } };
      variants.push(await measureLoad(bench, load, seconds, `${commitsPerSecond} commits/s`, settings));
    }
    return { variants, warmups: 1 };
  },
});

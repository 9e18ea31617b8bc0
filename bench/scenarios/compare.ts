// Scenario `compare`: our writer, the official clients and the server's own limit with the same rows on the same server, in turns, so
// that whatever else the machine does hits all of them.
import * as z from "zod";
import type { Bench } from "../harness/bench.ts";
import { measureMarks, taskWriter } from "../harness/mark_writer.ts";
import { type Figures, missingVariant, type Variant, variantOf } from "../harness/result.ts";
import { type PythonMode, pythonMissing, pythonWriter, writePythonPool } from "../peers/python_writer.ts";
import { task as encodedBodies } from "../tasks/encoded_bodies.ts";
import { task as officialClient } from "../tasks/official_client.ts";
import { amount, count, defineScenario, REPEATED, repeat, text } from "./scenario.ts";
import { measureWriter, PUSHES, WRITE_COLUMNS } from "./writer.ts";

const OPTIONS = z.object({
  // Fewer would measure the beginning and the end of a run more than what is between.
  rows: count(2_000_000, "rows a run of each"),
  warmupRows: amount(200_000, "rows before the clock starts, in each process"),
  rowsPerFlush: count(50_000, "rows in a request of the official clients and of the server's limit"),
  python: text("python3", "the Python that has the official client"),
  ...PUSHES,
  ...REPEATED,
});
type Options = z.output<typeof OPTIONS>;

interface Contestant {
  /** Name of its ratio: ours ÷ this. */
  readonly key: string;
  readonly name: string;
  readonly missing?: string | undefined;
  measure(): Promise<Figures>;
}

export const compare = defineScenario({
  name: "compare",
  about: "the same rows through our writer, the official clients, and as bodies encoded beforehand, in turns",
  options: OPTIONS,
  columns: WRITE_COLUMNS,
  async run(bench, options) {
    const contestants = await contestantsOf(bench, options);
    for (const { name, missing } of contestants) if (missing) bench.say(`${name}: not measured: ${missing}`);
    const runs = new Map<string, Figures[]>(contestants.map(({ key }) => [key, []]));
    await repeat(bench, options, async (label, counts) => {
      for (const contestant of contestants) {
        if (contestant.missing !== undefined) continue;
        const figures = await contestant.measure();
        bench.say(`${label}: ${contestant.name} ${Math.round(figures["rowsPerSecond"] ?? 0)} rows/s`);
        if (counts) runs.get(contestant.key)?.push(figures);
      }
    });
    const variants = contestants.map(({ key, name, missing }): Variant & { key: string } => ({
      ...(missing === undefined ? variantOf(name, runs.get(key) ?? []) : missingVariant(name, missing)),
      key,
    }));
    const ratios = ratiosOf(variants);
    bench.say(`ratios: ${JSON.stringify(ratios)}`);
    return { variants: variants.map(({ key: _, ...variant }) => variant), ratios, warmups: options.warmups };
  },
});

async function contestantsOf(bench: Bench, options: Options): Promise<readonly Contestant[]> {
  const { rows, warmupRows, rowsPerFlush } = options;
  const questdb = await bench.questdb();
  const load = { rows, warmupRows };
  const { address: server } = questdb;
  return [
    { key: "ours", name: "tickwatch, in-process", measure: () => measureWriter(bench, options) },
    {
      key: "officialNode",
      name: "official Node client",
      measure: () =>
        measureMarks(bench, load, () =>
          taskWriter(bench, officialClient, { server, ...load, rowsPerFlush, senders: 2 }),
        ),
    },
    await python(bench, options, "rows", "pythonRows", "official Python client, rows"),
    await python(bench, options, "dataframe", "pythonDataframe", "official Python client, dataframes"),
    {
      key: "serverLimit",
      name: "bodies encoded beforehand",
      measure: () =>
        measureMarks(bench, load, () =>
          taskWriter(bench, encodedBodies, { server, ...load, rowsPerBody: rowsPerFlush, connections: 2 }),
        ),
    },
  ];
}

async function python(
  bench: Bench,
  { python, rows, warmupRows, rowsPerFlush }: Options,
  mode: PythonMode,
  key: string,
  name: string,
): Promise<Contestant> {
  const questdb = await bench.questdb();
  const missing = await pythonMissing(bench, python, mode);
  const pool = await writePythonPool(bench);
  const address = new URL(questdb.address.http).host;
  const job = { mode, python, address, rows, warmupRows, rowsPerFlush, pool };
  return {
    ...{ key, name, missing },
    measure: () => measureMarks(bench, { rows, warmupRows }, () => pythonWriter(bench, job)),
  };
}

/** Ours ÷ theirs, of the medians; null for what was not measured. */
function ratiosOf(variants: readonly (Variant & { readonly key: string })[]): Figures {
  const rate = (key: string) => variants.find((v) => v.key === key)?.median["rowsPerSecond"] ?? null;
  const ours = rate("ours");
  const theirs = variants.map(({ key }) => key).filter((key) => key !== "ours");
  return Object.fromEntries(
    theirs.map((key) => {
      const their = rate(key);
      return [key, ours === null || their === null ? null : Math.round((100 * ours) / their) / 100];
    }),
  );
}

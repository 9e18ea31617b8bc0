// The form of a result on disk: what ran where, every run, the median of each figure. Readable by people and by
// programs; results of different machines are compared as ratios only.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { EnvironmentSchema } from "./environment.ts";
import { median, spreadOf } from "./statistics.ts";

/** Figures of one run by name; the unit is the end of the name. Null: could not be measured here. */
export const FiguresSchema = z.record(z.string(), z.number().nullable());
export type Figures = z.output<typeof FiguresSchema>;

/** One thing that was measured: one of several encoders, clients, settings. */
export const VariantSchema = z.object({
  name: z.string(),
  runs: z.array(FiguresSchema),
  median: FiguresSchema,
  /** (largest − smallest) ÷ median of each figure over the runs. */
  spread: FiguresSchema,
  /** Courses over time, for a look at them. */
  series: z.record(z.string(), z.array(z.number())).optional(),
  /** Why there are no runs. */
  missing: z.string().optional(),
});
export type Variant = z.output<typeof VariantSchema>;

export const ResultSchema = z.object({
  format: z.literal(1),
  scenario: z.string(),
  options: z.record(z.string(), z.unknown()),
  environment: EnvironmentSchema,
  warmups: z.int(),
  variants: z.array(VariantSchema),
  /** Ours ÷ theirs, of the medians. */
  ratios: FiguresSchema.optional(),
});
export type Result = z.output<typeof ResultSchema>;

/** A variant with its medians, from its runs. */
export function variantOf(name: string, runs: readonly Figures[], series?: Variant["series"]): Variant {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))];
  const each = (of: (values: readonly number[]) => number | null): Figures =>
    Object.fromEntries(
      names.map((figure) => [figure, of(runs.map((run) => run[figure] ?? null).filter((v) => v !== null))]),
    );
  return {
    name,
    runs: [...runs],
    median: each(median),
    spread: each(spreadOf),
    ...(series ? { series } : {}),
  };
}

/** A variant that could not be measured, and why. */
export function missingVariant(name: string, why: string): Variant {
  return { name, runs: [], median: {}, spread: {}, missing: why };
}

/** Writes `<folder>/<scenario>.json` and returns its path. */
export async function writeResult(folder: string, result: Result): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${result.scenario}.json`);
  await writeFile(path, `${JSON.stringify(result, rounded, 2)}\n`);
  return path;
}

/** All results of a folder, by scenario. A file that is no result is an error: somebody edited it. */
export async function readResults(folder: string): Promise<ReadonlyMap<string, Result>> {
  const names = await readdir(folder).catch(() => []);
  const results = new Map<string, Result>();
  for (const name of names.filter((n) => n.endsWith(".json")).sort()) {
    const parsed = ResultSchema.safeParse(JSON.parse(await readFile(join(folder, name), "utf8")));
    if (!parsed.success)
      throw new Error(`${join(folder, name)} is no result: ${z.prettifyError(parsed.error)}`);
    results.set(parsed.data.scenario, parsed.data);
  }
  return results;
}

/** Six significant digits: more would be noise, and would hide what changed in a diff. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

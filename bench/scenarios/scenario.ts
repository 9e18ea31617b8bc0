// The form of a scenario: a name, a sentence, options with defaults, the columns of its table, and the run that measures.
import * as z from "zod";
import type { Bench } from "../harness/bench.ts";
import type { Figures, Variant } from "../harness/result.ts";

/** A column of the table in bench/README.md. */
export interface Column {
  /** Name of the figure. */
  readonly figure: string;
  readonly title: string;
}

export interface Outcome {
  readonly variants: readonly Variant[];
  readonly ratios?: Figures;
  /** Runs that were thrown away before the first one that counts. */
  readonly warmups: number;
}

interface ScenarioSpec<S extends z.ZodObject> {
  readonly name: string;
  /** One sentence: what is measured. */
  readonly about: string;
  /** Every option has a default and a description; on the command line its name is in kebab-case. */
  readonly options: S;
  readonly columns: readonly Column[];
  readonly run: (bench: Bench, options: z.output<S>) => Promise<Outcome>;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly Column[];
  readonly options: readonly OptionInfo[];
  /** Throws a ZodError for options that make no sense. */
  parse(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  run(bench: Bench, raw: Readonly<Record<string, unknown>>): Promise<Outcome>;
}

export interface OptionInfo {
  /** camelCase */
  readonly name: string;
  readonly isSwitch: boolean;
  readonly description: string;
  readonly defaultText: string;
}

export function defineScenario<S extends z.ZodObject>(spec: ScenarioSpec<S>): Scenario {
  const { name, about, columns, options } = spec;
  return {
    ...{ name, about, columns },
    options: optionInfos(options),
    parse: (raw) => options.parse(raw),
    run: (bench, raw) => spec.run(bench, options.parse(raw)),
  };
}

const PropertiesSchema = z.object({
  properties: z.record(
    z.string(),
    z.object({ type: z.string(), default: z.unknown(), description: z.string().default("") }),
  ),
});

function optionInfos(options: z.ZodObject): OptionInfo[] {
  const { properties } = PropertiesSchema.parse(z.toJSONSchema(options));
  return Object.entries(properties).map(([name, { type, default: value, description }]) => ({
    ...{ name, description, isSwitch: type === "boolean", defaultText: String(value) },
  }));
}

/** A whole number from 1 on. */
export function count(value: number, description: string) {
  return z.coerce.number().int().min(1).default(value).describe(description);
}

/** A number that is not negative. */
export function amount(value: number, description: string) {
  return z.coerce.number().min(0).default(value).describe(description);
}

export function text(value: string, description: string) {
  return z.string().default(value).describe(description);
}

/** Options of every scenario that repeats itself. */
export const REPEATED = {
  runs: count(5, "runs that count; the median is reported"),
  warmups: z.coerce.number().int().min(0).default(1).describe("runs before them that do not"),
};

/** Runs `once` for the warm-ups and then for the runs; says each. */
export async function repeat(
  bench: Bench,
  { runs, warmups }: { readonly runs: number; readonly warmups: number },
  once: (label: string, counts: boolean) => Promise<void>,
): Promise<void> {
  for (let run = 1 - warmups; run <= runs; run++) {
    bench.throwIfAborted();
    await once(run < 1 ? "warm-up" : `run ${run}/${runs}`, run >= 1);
  }
}

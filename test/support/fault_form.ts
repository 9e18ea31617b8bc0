// How much the fault suite does: a few of everything in `npm test`, what was asked for in `npm run test:fault`
// (test/fault/run.ts). And the seed from which everything random follows, which a failure tells.
import { appendFileSync } from "node:fs";
import { onTestFailed } from "vitest";
import { RandomStream } from "../../ingest/demo/simulator/random.ts";

export interface FaultForm {
  readonly isLong: boolean;
  readonly seed: number;
  /** kill -9 of the service. */
  readonly kills: number;
  /** Time for faults in random combination. */
  readonly randomMs: number;
  /** Mutated inputs for each parser. */
  readonly fuzzInputs: number;
  /** The number of the only one that is wanted: a case that failed before, with the same seed. */
  readonly fuzzCase: number | undefined;
}

const env = process.env;
const minutes = Number(env["TEST_FAULT_MINUTES"] ?? 0);

export const FAULT_FORM: FaultForm = {
  isLong: minutes > 0,
  seed: Number(env["TEST_FAULT_SEED"] ?? Math.floor(Math.random() * 1e9)),
  kills: Number(env["TEST_FAULT_KILLS"] ?? (minutes > 0 ? 200 : 8)),
  randomMs: minutes > 0 ? minutes * 60_000 : 20_000,
  fuzzInputs: Number(env["TEST_FAULT_FUZZ"] ?? (minutes > 0 ? 1_000_000 : 20_000)),
  fuzzCase: env["TEST_FAULT_CASE"] === undefined ? undefined : Number(env["TEST_FAULT_CASE"]),
};

/** Random numbers of the run's seed for one purpose. The test that asks tells, when it fails, how to have them again. */
export function seededRandom(purpose: string): RandomStream {
  const { seed } = FAULT_FORM;
  onTestFailed(() => console.error(`npm run test:fault -- --seed ${seed} has the same random numbers`));
  return new RandomStream(seed, purpose);
}

/** What a test has done, in numbers: for the summary of the long form, which is told the file to read. */
export function tellFigures(what: string, figures: Readonly<Record<string, number>>): void {
  const path = env["TEST_FAULT_FIGURES"];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify({ what, ...figures })}\n`);
}

// Runs a check over very many random cases, several at once, and knows afterwards which one it was: a case follows from
// the seed and its number alone. A case that never ends is told as well, also one that keeps the event loop.
import { isDeepStrictEqual } from "node:util";
import { Worker } from "node:worker_threads";
import { expect, onTestFailed } from "vitest";
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { FAULT_FORM, tellFigures } from "./fault_form.ts";

export interface FuzzCase {
  readonly number: number;
  readonly random: RandomStream;
  /** Remembers bytes to be told when the case fails. */
  show(what: string, bytes: Buffer): void;
}

/** How long a case may take before it counts as hanging. */
const CASE_MS_MAX = 20_000;

/** Bytes of an input that a failure shows. */
const SHOWN_BYTES = 600;

/**
 * Looks now and then at a counter that the cases move, and ends the whole process when it stands still: at several looks,
 * because the process may have been halted for a while.
 */
const WATCHDOG = `
  const { workerData: { state, what, limitMs } } = require("node:worker_threads");
  let last = -1;
  for (let still = 0; Atomics.wait(state, 1, 0, limitMs / 4) === "timed-out"; ) {
    const number = Atomics.load(state, 0);
    still = number === last ? still + 1 : 0;
    last = number;
    if (still < 4) continue;
    require("node:fs").writeSync(2, "\\n" + what + ": a case near number " + number + " does not end\\n");
    process.kill(process.pid, "SIGKILL");
  }
`;

/** Checks as many cases as the form says, `lanes` at once. `TEST_FAULT_CASE` repeats a single one. */
export async function fuzz(
  what: string,
  lanes: number,
  check: (one: FuzzCase, lane: number) => Promise<void>,
): Promise<void> {
  const { seed, fuzzInputs, fuzzCase } = FAULT_FORM;
  onTestFailed(() => console.error(`TEST_FAULT_SEED=${seed} TEST_FAULT_CASE=NUMBER has a case alone`));
  /** How far it is, and whether it is over. */
  const state = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { state, what, limitMs: CASE_MS_MAX };
  const watchdog = new Worker(WATCHDOG, { eval: true, workerData });
  const sinceMs = performance.now();
  let next = fuzzCase ?? 0;
  const end = fuzzCase === undefined ? fuzzInputs : fuzzCase + 1;
  let failed = false;
  const work = async (lane: number) => {
    while (next < end && !failed) {
      const number = next++;
      Atomics.store(state, 0, number);
      const shown: (readonly [string, Buffer])[] = [];
      const random = new RandomStream(seed, `${what}/${number}`);
      const show = (name: string, bytes: Buffer) => void shown.push([name, bytes]);
      try {
        await check({ number, random, show }, lane);
      } catch (error) {
        failed = true;
        const inputs = shown.map(([name, bytes]) => `${name}: ${excerpt(bytes)}`);
        console.error(`${what}, seed ${seed}, case ${number}\n${inputs.join("\n")}`);
        throw error;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
  } finally {
    Atomics.store(state, 1, 1);
    Atomics.notify(state, 1);
    await watchdog.terminate();
  }
  tellFigures(what, { inputs: end, seconds: Math.round((performance.now() - sinceMs) / 1_000) });
}

/** As `expect(actual).toEqual(expected)`, which is too slow to be asked a million times. */
export function mustBe(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

function excerpt(bytes: Buffer): string {
  const text = bytes.subarray(0, SHOWN_BYTES).toString("base64");
  return `${bytes.length} bytes, base64 ${text}${bytes.length > SHOWN_BYTES ? "…" : ""}`;
}

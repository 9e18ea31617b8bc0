// What a check is, and how checks are run: all at once, each within a time limit, reported in their order. A check that
// throws is a failure of what it looked at, never of the doctor.
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";

export type Level = "ok" | "warning" | "failure";

/** `detail` says what is; `remedy` what to do about it, on a warning or failure. Both may have several lines. */
export interface Finding {
  readonly level: Level;
  readonly detail: string;
  readonly remedy?: string;
}

export interface Check {
  /** A few words that name what is looked at. */
  readonly name: string;
  run(signal: AbortSignal): Promise<Finding>;
}

/** A finding with the name of its check. */
export interface Result extends Finding {
  readonly name: string;
}

/** Longest time for one check. */
const CHECK_MS = 15_000;

/** Starts all checks and yields their results in the order given. */
export async function* runChecks(
  checks: readonly Check[],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const running = checks.map((check) => runOne(check, clock, signal));
  for (const result of running) yield await result;
}

/** Never rejects. */
async function runOne(check: Check, clock: Clock, signal: AbortSignal): Promise<Result> {
  const over = new AbortController();
  const limited = AbortSignal.any([signal, over.signal]);
  const tooLong = clock.sleep(CHECK_MS, limited).then(() => {
    over.abort();
    return failure(`no result within ${CHECK_MS / 1000} s`, "look at the machine's load and network");
  });
  try {
    return { name: check.name, ...(await Promise.race([check.run(limited), tooLong])) };
  } catch (error) {
    return { name: check.name, level: "failure", detail: messageOf(error) };
  } finally {
    over.abort();
  }
}

export function ok(detail: string): Finding {
  return { level: "ok", detail };
}

export function warning(detail: string, remedy: string): Finding {
  return { level: "warning", detail, remedy };
}

export function failure(detail: string, remedy: string): Finding {
  return { level: "failure", detail, remedy };
}

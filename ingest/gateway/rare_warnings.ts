// Warnings that a client could cause thousands of times a second: one line a minute per kind, with the number left out.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ProblemCode } from "./problem.ts";

const QUIET_MS = 60_000;

export class RareWarnings {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #kinds = new Map<ProblemCode, { saidMs: number; suppressed: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Logs, unless the same kind was logged within the last minute; `suppressed` counts those in between. */
  warn(kind: ProblemCode, fields: Readonly<Record<string, unknown>>, message: string): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.saidMs < QUIET_MS) {
      known.suppressed++;
      return;
    }
    this.#kinds.set(kind, { saidMs: nowMs, suppressed: 0 });
    this.#log.warn({ kind, ...fields, suppressed: known?.suppressed ?? 0 }, message);
  }
}

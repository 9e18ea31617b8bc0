// A context for sources under test: a clock that the test moves, and a log that it can read.
import { pino } from "pino";
import type { SourceContext } from "../../ingest/sources/source.ts";
import { ManualClock } from "./manual_clock.ts";

export interface LoggedLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Pino's number for `warn`. */
export const WARN = 40;

export interface TestContext extends SourceContext {
  readonly clock: ManualClock;
  /** Everything logged so far. */
  readonly lines: LoggedLine[];
}

export function testContext(clock: ManualClock = new ManualClock()): TestContext {
  const lines: LoggedLine[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) });
  return { clock, log, instance: "test:1", lines };
}

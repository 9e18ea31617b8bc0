// What a command may touch of the process it runs in. main.ts makes the real one; tests make their own. Types only.
import type { Clock } from "../clock.ts";
import type { Environment } from "../config/substitute.ts";

export interface CliIo {
  readonly env: Environment;
  /** Relative paths start here. */
  readonly cwd: string;
  readonly hostname: string;
  readonly clock: Clock;
  /** A person watches stderr, so that a spinner makes sense. */
  readonly interactive: boolean;
  /** Results: lines on stdout. */
  out(text: string): void;
  /** Everything else: lines on stderr. */
  err(text: string): void;
  /**
   * From now on SIGINT and SIGTERM abort the signal instead of ending the process; a second one ends it at once with
   * 128 + its number. Called by commands that have something to stop in order.
   */
  takeSignals(): StopRequest;
}

export interface StopRequest {
  readonly signal: AbortSignal;
  /** What a shell reports for a program that the signal ended: 128 + its number. */
  readonly interruptedCode: number;
  /** SIGINT and SIGTERM end the process again. */
  release(): void;
}

/** The options that stand before or after every command. */
export interface GlobalOptions {
  /** Configuration file named on the command line. */
  readonly config?: string | undefined;
}

// The contract between a source and the rest: a source produces rows and hands them over; it knows no table layout
// beyond its events, no spool and no database.

import type { RejectReason } from "../../schema/refusal.ts";
import type { EventInput, EventName } from "../../schema/registry.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";

/** One input that was refused: its place in the array handed over, and why. It was counted and dead-lettered already. */
export interface Rejection {
  readonly index: number;
  readonly reason: RejectReason;
  readonly message: string;
}

/** What became of the rows handed over. */
export interface PushResult {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
}

/**
 * Hands rows of one table over. Resolves when every accepted row is durable (on disk, by the configured mode), in the
 * order of the calls per table. Back-pressure is the pending promise: a source that awaits it is slowed down, and one
 * that does not must bound what it has under way. Rejects with SPOOL_FULL, SPOOL_FAILED or STOPPING; then none of
 * the rows was taken and they may be handed over again.
 */
export type Push = <N extends EventName>(table: N, rows: readonly EventInput<N>[]) => Promise<PushResult>;

/** What every source gets besides its own settings. */
export interface SourceContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process in `instance` columns. */
  readonly instance: string;
}

/**
 * A source. `run` resolves when the signal has aborted and everything it started has ended (its last pushes
 * included), or when there is nothing left to produce; it rejects when it failed, and the supervisor starts it again
 * with backoff. After it settled it pushes nothing more. It may be run again.
 */
export interface Source {
  /** Unique in the process; names it in logs and in `daemon_errors.component`. */
  readonly name: string;
  run(push: Push, signal: AbortSignal): Promise<void>;
}

// Finding the rows that QuestDB will not take, without giving up any other: a pure state machine per table.
//
// Only the first row of the queue is ever dead-lettered, and only on evidence:
// - The answer named line 1. (A later line first shrinks the next request to the good rows before it, so that the bad
//   one comes first; it is then refused once more.)
// - The server refuses requests without naming a line (500, 413). After some equal refusals the request is halved, down
//   to one row. That row is bad if it is too large (413), or if the row behind it is taken when sent alone: a server that
//   refuses that one too is in trouble of its own, and everything waits.
import type { Failure } from "./outcome.ts";

export interface Isolation {
  /** The next request carries at most so many rows. */
  readonly limitRows: number;
  /** Refusals without a line, one after the other. */
  readonly refusals: number;
  /** `second`: the next request carries only the row behind the suspected one. */
  readonly mode: "batch" | "second";
}

export const NO_ISOLATION: Isolation = { limitRows: Number.POSITIVE_INFINITY, refusals: 0, mode: "batch" };

/** Equal refusals without a line before a request is halved: a server that starts or checkpoints gets some time. */
export const REFUSALS_BEFORE_SPLIT = 5;

/** After a dead letter requests begin small again: rows beside a bad one are often bad too. */
const LIMIT_ROWS_MIN = 64;

export interface IsolationStep {
  readonly next: Isolation;
  /** `wait`: back off first. `go`: send the next request now. `dead_letter`: the first row is bad; then go. */
  readonly action: "wait" | "go" | "dead_letter";
}

/** What to do after a refusal of a request of `batchRows` rows. `hasSecond`: a row waits behind the first. */
export function afterRefusal(
  state: Isolation,
  failure: Failure,
  batchRows: number,
  hasSecond: boolean,
): IsolationStep {
  if (failure.kind === "row_refused") return afterNamedRow(state, failure.line, batchRows);
  const isTooLarge = failure.kind === "request_refused" && failure.status === 413;
  const refusals = isTooLarge ? REFUSALS_BEFORE_SPLIT : state.refusals + 1;
  if (state.mode === "second") return { next: { ...state, mode: "batch", refusals }, action: "wait" };
  if (refusals < REFUSALS_BEFORE_SPLIT) return { next: { ...state, refusals }, action: "wait" };
  if (batchRows > 1)
    return { next: { ...state, limitRows: Math.ceil(batchRows / 2), refusals }, action: "go" };
  if (isTooLarge) return { next: { ...NO_ISOLATION, limitRows: LIMIT_ROWS_MIN }, action: "dead_letter" };
  if (hasSecond) return { next: { limitRows: 1, refusals, mode: "second" }, action: "go" };
  return { next: { ...state, limitRows: 1, refusals }, action: "wait" };
}

/** What to do after a request was taken. */
export function afterSuccess(state: Isolation): IsolationStep {
  if (state.mode === "second")
    return { next: { ...NO_ISOLATION, limitRows: LIMIT_ROWS_MIN }, action: "dead_letter" };
  const limitRows =
    state.limitRows * 2 > 50_000 ? Number.POSITIVE_INFINITY : Math.max(state.limitRows * 2, LIMIT_ROWS_MIN);
  return { next: { limitRows, refusals: 0, mode: "batch" }, action: "go" };
}

function afterNamedRow(state: Isolation, line: number, batchRows: number): IsolationStep {
  if (state.mode === "second") return { next: { ...state, mode: "batch" }, action: "wait" };
  if (line > 1)
    return { next: { ...state, limitRows: Math.min(line, batchRows) - 1, refusals: 0 }, action: "go" };
  const limitRows = Math.max(LIMIT_ROWS_MIN, Math.floor(batchRows / 2));
  return { next: { limitRows, refusals: 0, mode: "batch" }, action: "dead_letter" };
}

// Finding the rows that QuestDB will not take, without giving up any other, and the size of request that gets through: a
// pure state machine per table.
//
// Only the first row of the queue is ever dead-lettered, and only on evidence:
// - The answer named line 1. (A later line first shrinks the next request to the good rows before it, so that the bad
//   one comes first; it is then refused once more.)
// - The server refuses requests without naming a line (500, 413). After some equal refusals the request is halved, down
//   to one row. That row is bad if it is refused again and again while another row, sent alone in between as a witness,
//   is taken every time: a server that refuses the witness too is in trouble of its own, and everything waits. A witness
//   stays in the queue and is sent again in its turn, so that the order holds if the first row is taken after all.
//
// An attempt that got no answer may have been stored, now or later. It is repeated with no more than its rows, so that
// no newer value can be overtaken by it; when that fails too, with fewer, until it gets through.
import type { Failure } from "./outcome.ts";

export interface Isolation {
  /** The next request carries at most so many rows. */
  readonly limitRows: number;
  /** Growth goes up to here, and this bound grows slowly: larger requests got no answer lately. */
  readonly ceilingRows: number;
  /** Attempts without an answer, one after the other. */
  readonly silences: number;
  /** Refusals without a line, since requests had their full size. */
  readonly refusals: number;
  /** `witness`: the next request carries only the row `offset` behind the suspected one. */
  readonly mode: "batch" | "witness";
  readonly offset: number;
  /** How often a witness was taken after the first row had been refused. */
  readonly confirmations: number;
}

export const NO_ISOLATION: Isolation = {
  limitRows: Number.POSITIVE_INFINITY,
  ceilingRows: Number.POSITIVE_INFINITY,
  silences: 0,
  refusals: 0,
  mode: "batch",
  offset: 1,
  confirmations: 0,
};

/** Equal refusals without a line before a request is halved: a server that starts or checkpoints gets some time. */
const REFUSALS_BEFORE_SPLIT = 5;

/** How often a witness must be taken before the row that is refused beside it counts as bad. */
const CONFIRMATIONS = 3;

/** After a dead letter requests begin small again: rows beside a bad one are often bad too. */
const LIMIT_ROWS_MIN = 64;

/** Beyond it no request goes anyway: then there is no limit any more. */
const LIMIT_ROWS_MAX = 50_000;

export interface IsolationStep {
  readonly next: Isolation;
  /**
   * `advance`: the rows of the request are done. `wait`: back off first. `go`: send the next request now; nothing is
   * done. `dead_letter`: the first row is bad; then go.
   */
  readonly action: "advance" | "wait" | "go" | "dead_letter";
}

/** True when nothing is known that speaks against requests of full size. */
export function isUnrestricted({ limitRows, silences, refusals, mode }: Isolation): boolean {
  return limitRows === Number.POSITIVE_INFINITY && silences === 0 && refusals === 0 && mode === "batch";
}

/** What to do after a refusal of a request of `batchRows` rows, when `rowsBehind` rows wait behind the first one. */
export function afterRefusal(
  state: Isolation,
  failure: Failure,
  batchRows: number,
  rowsBehind: number,
): IsolationStep {
  if (state.mode === "witness") return afterRefusedWitness(state, rowsBehind);
  if (failure.kind === "row_refused") return afterNamedRow(state, failure.line, batchRows);
  const isTooLarge = failure.kind === "request_refused" && failure.status === 413;
  const refusals = isTooLarge ? REFUSALS_BEFORE_SPLIT : state.refusals + 1;
  if (refusals < REFUSALS_BEFORE_SPLIT) return { next: { ...state, refusals }, action: "wait" };
  if (batchRows > 1)
    return { next: { ...state, limitRows: Math.ceil(batchRows / 2), refusals }, action: "go" };
  if (state.confirmations >= CONFIRMATIONS) return { next: afterDeadLetter(state), action: "dead_letter" };
  const next: Isolation = { ...state, limitRows: 1, refusals };
  return rowsBehind > 0 ? { next: { ...next, mode: "witness" }, action: "go" } : { next, action: "wait" };
}

/** What to do after a request was taken. */
export function afterSuccess(state: Isolation): IsolationStep {
  if (state.mode === "witness") {
    const confirmations = state.confirmations + 1;
    return { next: { ...state, mode: "batch", confirmations, silences: 0 }, action: "go" };
  }
  const ceilingRows = unlessLarge(Math.ceil((state.ceilingRows * 9) / 8));
  const doubled = unlessLarge(Math.max(state.limitRows * 2, LIMIT_ROWS_MIN));
  const limitRows = Math.min(doubled, ceilingRows);
  // Until requests have their full size again, the next refusal splits at once.
  const refusals = limitRows === Number.POSITIVE_INFINITY ? 0 : state.refusals;
  return { next: { ...NO_ISOLATION, limitRows, ceilingRows, refusals }, action: "advance" };
}

/** The state after an attempt with `batchRows` rows that may have reached the server and got no answer. */
export function afterSilence(state: Isolation, batchRows: number): Isolation {
  const silences = state.silences + 1;
  if (silences < 2 || batchRows <= 1)
    return { ...state, silences, limitRows: Math.min(state.limitRows, Math.max(batchRows, 1)) };
  const limitRows = Math.ceil(batchRows / 2);
  return { ...state, silences, limitRows, ceilingRows: limitRows };
}

/** The state when another row has become the first one: what is known of the size of requests, and of no row. */
export function afterRewind({ limitRows, ceilingRows, silences }: Isolation): Isolation {
  return { ...NO_ISOLATION, limitRows, ceilingRows, silences };
}

function unlessLarge(rows: number): number {
  return rows > LIMIT_ROWS_MAX ? Number.POSITIVE_INFINITY : rows;
}

/** Perhaps the witness is a bad one as well: then a row farther behind. When none is taken the trouble is the server's. */
function afterRefusedWitness(state: Isolation, rowsBehind: number): IsolationStep {
  const offset = state.offset * 2;
  if (offset <= rowsBehind) return { next: { ...state, confirmations: 0, offset }, action: "go" };
  return { next: { ...state, mode: "batch", confirmations: 0, offset: 1 }, action: "wait" };
}

function afterNamedRow(state: Isolation, line: number, batchRows: number): IsolationStep {
  if (line > 1)
    return { next: { ...state, limitRows: Math.min(line, batchRows) - 1, refusals: 0 }, action: "go" };
  return { next: afterDeadLetter(state, Math.floor(batchRows / 2)), action: "dead_letter" };
}

function afterDeadLetter({ ceilingRows, refusals }: Isolation, rows = 0): Isolation {
  const limitRows = Math.min(ceilingRows, Math.max(LIMIT_ROWS_MIN, rows));
  return { ...NO_ISOLATION, limitRows, ceilingRows, refusals };
}

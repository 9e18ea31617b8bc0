// What can become of one delivery attempt, and what each outcome means for the rows. Pure: the table below is the whole
// policy (facts: QuestDB 9.3 answers 400 with the first bad line and stores nothing of such a request).
import type { RetryReason } from "../metrics/ledger.ts";

/** How one POST to /write ended. */
export type Outcome =
  /** 204: every row is committed to the table's WAL. */
  | { readonly kind: "written" }
  /** The server read the rows and refused one; `line` counts from 1; nothing of the request was stored. */
  | { readonly kind: "row_refused"; readonly line: number; readonly message: string }
  /** The server answered that it will not take this request, without naming a row (400, 413, 415 …). */
  | { readonly kind: "request_refused"; readonly status: number; readonly message: string }
  /** The server failed while handling it (5xx). What was stored is unknown; sending it again is safe. */
  | { readonly kind: "server_error"; readonly status: number; readonly message: string }
  /** 401, 403, 421: it will not take anything from us as things are. */
  | { readonly kind: "not_allowed"; readonly status: number; readonly message: string }
  /**
   * No answer: refused, reset, cut off, or one that is not QuestDB's. `sent`: the request may have got there, so what
   * was stored is unknown; sending it again is safe.
   */
  | { readonly kind: "unavailable"; readonly sent: boolean; readonly message: string }
  /** No answer in time. */
  | { readonly kind: "timeout"; readonly message: string };

export type Failure = Exclude<Outcome, { kind: "written" }>;

/** What to do next: wait and send the same again, or find the rows that cannot be stored. */
export type Verdict = "retry" | "isolate";

interface Policy {
  readonly verdict: Verdict;
  readonly reason: RetryReason;
  /** True when the trouble is the server's as a whole: then all tables wait, and one of them probes. */
  readonly concernsServer: boolean;
}

/** Every kind of failure; a new one without a policy does not compile. */
export const POLICY: Readonly<Record<Failure["kind"], Policy>> = {
  row_refused: { verdict: "isolate", reason: "row_refused", concernsServer: false },
  request_refused: { verdict: "isolate", reason: "row_refused", concernsServer: false },
  server_error: { verdict: "isolate", reason: "server_error", concernsServer: false },
  not_allowed: { verdict: "retry", reason: "not_allowed", concernsServer: false },
  unavailable: { verdict: "retry", reason: "unavailable", concernsServer: true },
  timeout: { verdict: "retry", reason: "timeout", concernsServer: true },
};

/** True when the rows of an attempt without an answer may have been stored, or may be yet. */
export function mayBeStored(failure: Failure): boolean {
  return failure.kind !== "unavailable" || failure.sent;
}

/** For people: with the status, where there was one. */
export function messageOf(failure: Failure): string {
  return "status" in failure ? `${failure.status}: ${failure.message}` : failure.message;
}

// Every refusal of the gateway as data: status, code, words. One shape for all of them, so that a client needs one
// piece of code to read it. Knows nothing of fastify.
import type { ErrorCode } from "../errors.ts";

/** Closed: a code is what a client may decide by; the words are for people and may change. */
export type ProblemCode =
  | "bad_request"
  | "empty_body"
  | "malformed_gzip"
  | "malformed_json"
  | "all_rows_refused"
  | "query_invalid"
  | "key_missing"
  | "key_wrong"
  | "host_not_allowed"
  | "origin_not_allowed"
  | "table_unknown"
  | "message_unreadable"
  | "alert_unknown"
  | "alert_over"
  | "route_unknown"
  | "method_not_allowed"
  | "request_timeout"
  | "body_too_large"
  | "media_type_unsupported"
  | "encoding_unsupported"
  | "spool_full"
  | "too_busy"
  | "headers_too_large"
  | "internal"
  | "spool_failed"
  | "questdb_away"
  | "stopping";

export interface Problem {
  readonly status: number;
  readonly code: ProblemCode;
  /** What happened. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Extra headers: Retry-After, Allow, WWW-Authenticate, Connection. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The part of a body that every error answer has. */
export function errorOf({ code, message, hint }: Problem): {
  readonly error: { readonly code: ProblemCode; readonly message: string; readonly hint?: string };
} {
  return { error: hint === undefined ? { code, message } : { code, message, hint } };
}

const SEND_AGAIN =
  "Send the same rows again after Retry-After seconds; a row that arrives twice is stored once.";

/** The service is going down; `connection: close` sends the client to whatever comes up next. */
export const STOPPING: Problem = {
  status: 503,
  code: "stopping",
  message: "tickwatch is stopping; nothing of this request was taken",
  hint: SEND_AGAIN,
  headers: { "retry-after": "5", connection: "close" },
};

const SPOOL_FULL: Problem = {
  status: 429,
  code: "spool_full",
  message: "the spool is full because QuestDB is away or slow; nothing of this request was taken",
  hint: SEND_AGAIN,
  headers: { "retry-after": "5" },
};

const SPOOL_FAILED: Problem = {
  status: 503,
  code: "spool_failed",
  message: "the disk refused to store the rows; nothing of this request was taken",
  hint: `${SEND_AGAIN} The log of tickwatch says what is wrong with the disk.`,
  headers: { "retry-after": "10" },
};

/** Too many bytes of bodies are in memory already. */
export const TOO_BUSY: Problem = {
  status: 429,
  code: "too_busy",
  message: "too many large requests are under way; nothing of this request was taken",
  hint: `${SEND_AGAIN} Fewer requests at once, or smaller ones, avoid this.`,
  headers: { "retry-after": "1" },
};

/** A mistake in tickwatch itself. The cause goes to the log, never to the client. */
export const INTERNAL: Problem = {
  status: 500,
  code: "internal",
  message: "tickwatch made a mistake while answering",
  hint: "The log of tickwatch has the details. Sending the same rows again is safe.",
};

/** What was asked for is in QuestDB and nowhere else. Rows are taken all the same. */
const QUESTDB_AWAY: Problem = {
  status: 503,
  code: "questdb_away",
  message: "QuestDB does not answer, and what was asked for is known there only",
  hint: "Ask again after Retry-After seconds. GET /readyz says how QuestDB is doing.",
  headers: { "retry-after": "10" },
};

/** Complete, so that a new error code has to be given an answer here. */
const OF_ERROR: Readonly<Record<ErrorCode, Problem>> = {
  SPOOL_FULL,
  SPOOL_FAILED,
  STOPPING,
  CONFIG_INVALID: INTERNAL,
  USAGE: INTERNAL,
  ENVIRONMENT: INTERNAL,
  SCHEMA_DRIFT: INTERNAL,
  DB_UNAVAILABLE: QUESTDB_AWAY,
  DB_SQL: INTERNAL,
  SPOOL_LOCKED: INTERNAL,
};

/** The answer to an error of the intake. */
export function problemOfError(code: ErrorCode): Problem {
  return OF_ERROR[code];
}

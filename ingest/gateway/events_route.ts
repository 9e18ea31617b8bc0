// POST /v1/events/:table, from the headers to the answer. The rows' meaning is the intake's business: here they are
// unknown values or lines of text, handed over in one call per request.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { withoutMark } from "../intake/json_text.ts";
import { MalformedLine } from "../intake/malformed.ts";
import type { PushResult } from "../sources/source.ts";
import { sendFailure, sendJson, sendProblem } from "./answer.ts";
import { type BodyFormat, EMPTY_BODY } from "./body_format.ts";
import { jsonRows } from "./json_rows.ts";
import { createPace } from "./pace.ts";
import type { Problem } from "./problem.ts";
import type { RareWarnings } from "./rare_warnings.ts";
import type { WithBody } from "./request_body.ts";

/**
 * Hands the rows of one request over; a MalformedLine stands for a text that is not JSON. Resolves when every accepted
 * row is durable; rejects with SPOOL_FULL, SPOOL_FAILED or STOPPING, and then none was taken.
 */
export type Accept = (table: string, rows: readonly unknown[]) => Promise<PushResult>;

/** The same for rows as NDJSON. The bytes are read until the promise has settled. */
export type AcceptLines = (table: string, text: Buffer) => Promise<PushResult>;

/** Refused rows that an answer lists; `rejectedCount` counts all of them. */
export const REJECTED_LISTED_MAX = 1000;

export interface EventsRouteOptions {
  readonly withBody: WithBody;
  readonly accept: Accept;
  readonly acceptLines: AcceptLines;
  readonly clock: Clock;
  readonly warnings: RareWarnings;
}

/** A request of this route, as far as it is needed here. */
export type EventsRequest = FastifyRequest<{ Params: { table: string } }>;

/** Answers requests whose key and table were checked before. */
export function createEventsHandler(
  options: EventsRouteOptions,
): (request: EventsRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const { withBody, accept, acceptLines, clock, warnings } = options;

  async function answer(
    request: EventsRequest,
    reply: FastifyReply,
    bytes: Buffer,
    { kind }: BodyFormat,
  ): Promise<FastifyReply> {
    const { table } = request.params;
    const text = withoutMark(bytes);
    if (text.length === 0) return sendProblem(reply, EMPTY_BODY);
    try {
      if (kind === "ndjson") return sendResult(reply, await acceptLines(table, text), allRowsRefused);
      const rows = await jsonRows(text, createPace(clock));
      const [first] = rows;
      if (first === undefined) return sendProblem(reply, EMPTY_BODY);
      const problemOf = first instanceof MalformedLine ? () => malformedJson(first) : allRowsRefused;
      return sendResult(reply, await accept(table, rows), problemOf);
    } catch (err) {
      return sendFailure(reply, err, { requestId: request.id }, warnings);
    }
  }

  return (request, reply) =>
    withBody(request, reply, (bytes, format) => answer(request, reply, bytes, format));
}

/** `problemOf` says what is wrong when rows were refused and none was accepted. */
function sendResult(
  reply: FastifyReply,
  { accepted, rejected }: PushResult,
  problemOf: (rejected: number) => Problem,
): FastifyReply {
  if (accepted === 0 && rejected.length === 0) return sendProblem(reply, EMPTY_BODY);
  const counts = {
    accepted,
    rejected: rejected.slice(0, REJECTED_LISTED_MAX),
    rejectedCount: rejected.length,
  };
  if (accepted > 0) return sendJson(reply, 202, counts);
  return sendProblem(reply, problemOf(rejected.length), counts);
}

function malformedJson({ message }: MalformedLine): Problem {
  return {
    status: 400,
    code: "malformed_json",
    message: `the body is ${message}; nothing of it was taken`,
    hint: "Several objects one below the other are NDJSON: send them with content-type application/x-ndjson.",
  };
}

function allRowsRefused(count: number): Problem {
  return {
    status: 400,
    code: "all_rows_refused",
    message: count === 1 ? "the row was refused" : `all ${count} rows were refused`,
    hint: "`rejected` says why for each row; GET /v1/tables/NAME shows the columns of a table.",
  };
}

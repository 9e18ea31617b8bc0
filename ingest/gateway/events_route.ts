// POST /v1/events/:table, from the headers to the answer. The rows' meaning is the intake's business: here they are
// unknown values, handed over in one call per request.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { MalformedLine } from "../intake/malformed.ts";
import type { PushResult } from "../sources/source.ts";
import { sendFailure, sendJson, sendProblem } from "./answer.ts";
import { type BodyFormat, EMPTY_BODY } from "./body_format.ts";
import { jsonRows } from "./json_rows.ts";
import { withoutMark } from "./json_text.ts";
import { ndjsonRows } from "./ndjson_rows.ts";
import { createPace } from "./pace.ts";
import type { Problem } from "./problem.ts";
import type { RareWarnings } from "./rare_warnings.ts";
import type { WithBody } from "./request_body.ts";

/**
 * Hands the rows of one request over; a MalformedLine stands for a text that is not JSON. Resolves when every accepted
 * row is durable; rejects with SPOOL_FULL, SPOOL_FAILED or STOPPING, and then none was taken.
 */
export type Accept = (table: string, rows: readonly unknown[]) => Promise<PushResult>;

/** Refused rows that an answer lists; `rejectedCount` counts all of them. */
export const REJECTED_LISTED_MAX = 1000;

export interface EventsRouteOptions {
  readonly withBody: WithBody;
  readonly accept: Accept;
  readonly clock: Clock;
  readonly warnings: RareWarnings;
}

/** A request of this route, as far as it is needed here. */
export type EventsRequest = FastifyRequest<{ Params: { table: string } }>;

/** Answers requests whose key and table were checked before. */
export function createEventsHandler(
  options: EventsRouteOptions,
): (request: EventsRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const { withBody, accept, clock, warnings } = options;

  async function answer(
    request: EventsRequest,
    reply: FastifyReply,
    bytes: Buffer,
    format: BodyFormat,
  ): Promise<FastifyReply> {
    const rows = await rowsOf(bytes, format, clock);
    if (rows.length === 0) return sendProblem(reply, EMPTY_BODY);
    try {
      return sendResult(reply, await accept(request.params.table, rows), rows, format);
    } catch (err) {
      return sendFailure(reply, err, { requestId: request.id }, warnings);
    }
  }

  return (request, reply) =>
    withBody(request, reply, (bytes, format) => answer(request, reply, bytes, format));
}

function rowsOf(bytes: Buffer, format: BodyFormat, clock: Clock): Promise<unknown[]> {
  const body = withoutMark(bytes);
  if (body.length === 0) return Promise.resolve([]);
  const pace = createPace(clock);
  return format.kind === "ndjson" ? ndjsonRows(body, pace) : jsonRows(body, pace);
}

function sendResult(
  reply: FastifyReply,
  { accepted, rejected }: PushResult,
  rows: readonly unknown[],
  format: BodyFormat,
): FastifyReply {
  const counts = {
    accepted,
    rejected: rejected.slice(0, REJECTED_LISTED_MAX),
    rejectedCount: rejected.length,
  };
  if (accepted > 0 || rejected.length === 0) return sendJson(reply, 202, counts);
  const notJson = format.kind === "json" && rows[0] instanceof MalformedLine;
  return sendProblem(reply, notJson ? malformedJson(rows[0]) : allRowsRefused(rejected.length), counts);
}

function malformedJson(body: unknown): Problem {
  return {
    status: 400,
    code: "malformed_json",
    message: `the body is ${body instanceof MalformedLine ? body.message : "not JSON"}; nothing of it was taken`,
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

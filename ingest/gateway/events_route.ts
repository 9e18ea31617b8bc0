// POST /v1/events/:table, from the headers to the answer. The rows' meaning is the intake's business: here they are
// unknown values, handed over in one call per request.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { MalformedLine } from "../intake/malformed.ts";
import type { PushResult } from "../sources/source.ts";
import { sendJson, sendProblem } from "./answer.ts";
import { type BodyLimits, type BodyOutcome, readBody, unpacked } from "./body.ts";
import { BodyBudget, type BodyShare } from "./body_budget.ts";
import { type BodyFormat, bodyFormat, EMPTY_BODY } from "./body_format.ts";
import { jsonRows } from "./json_rows.ts";
import { withoutMark } from "./json_text.ts";
import { ndjsonRows } from "./ndjson_rows.ts";
import { createPace } from "./pace.ts";
import { INTERNAL, type Problem, problemOfError } from "./problem.ts";
import type { RareWarnings } from "./rare_warnings.ts";

/**
 * Hands the rows of one request over; a MalformedLine stands for a text that is not JSON. Resolves when every accepted
 * row is durable; rejects with SPOOL_FULL, SPOOL_FAILED or STOPPING, and then none was taken.
 */
export type Accept = (table: string, rows: readonly unknown[]) => Promise<PushResult>;

/** Refused rows that an answer lists; `rejectedCount` counts all of them. */
export const REJECTED_LISTED_MAX = 1000;

/** Largest bodies that may be in memory together: one packed and unpacked, and as much for others. */
const BODIES_AT_ONCE = 4;

export interface EventsRouteOptions {
  readonly limits: BodyLimits;
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
  const { limits, accept, clock, warnings } = options;
  const budget = new BodyBudget(limits.bodyBytesMax * BODIES_AT_ONCE);

  async function answer(
    request: EventsRequest,
    reply: FastifyReply,
    share: BodyShare,
  ): Promise<FastifyReply> {
    const format = bodyFormat(request.headers);
    if ("status" in format) return sendProblem(reply, format);
    const body = await wholeBody(request, format, share);
    if (body.kind === "aborted") return reply.hijack();
    if (body.kind === "refused") return sendProblem(reply, body.problem);
    const rows = await rowsOf(body.bytes, format, clock);
    if (rows.length === 0) return sendProblem(reply, EMPTY_BODY);
    try {
      return sendResult(reply, await accept(request.params.table, rows), rows, format);
    } catch (err) {
      const problem = err instanceof TickwatchError ? problemOfError(err.code) : INTERNAL;
      if (problem.status >= 500)
        warnings.warn(problem.code, { err, requestId: request.id }, "request failed");
      return sendProblem(reply, problem);
    }
  }

  async function wholeBody(
    request: EventsRequest,
    format: BodyFormat,
    share: BodyShare,
  ): Promise<BodyOutcome> {
    const body = await readBody(request.raw, limits, share, clock);
    return body.kind === "body" && format.gzip ? unpacked(body.bytes, limits.bodyBytesMax, share) : body;
  }

  return async (request, reply) => {
    const share = budget.open();
    try {
      return await answer(request, reply, share);
    } finally {
      share.release();
    }
  };
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

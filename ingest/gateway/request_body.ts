// From the headers of a request to its whole body, unpacked: every refusal on the way is answered here, and the memory
// that the body takes is given back when its handler is done.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { sendProblem } from "./answer.ts";
import { type BodyLimits, type BodyOutcome, readBody, unpacked } from "./body.ts";
import { BodyBudget, type BodyShare } from "./body_budget.ts";
import { type BodyFormat, bodyFormat } from "./body_format.ts";

/** Largest bodies that may be in memory together: one packed and unpacked, and as much for others. */
const BODIES_AT_ONCE = 4;

/** Calls `handle` with the body, or answers why there is none. */
export type WithBody = (
  request: FastifyRequest,
  reply: FastifyReply,
  handle: (bytes: Buffer, format: BodyFormat) => FastifyReply | Promise<FastifyReply>,
) => Promise<FastifyReply>;

/** One for all routes, so that they share one budget of memory. */
export function createWithBody({
  limits,
  clock,
}: {
  readonly limits: BodyLimits;
  readonly clock: Clock;
}): WithBody {
  const budget = new BodyBudget(limits.bodyBytesMax * BODIES_AT_ONCE);

  async function wholeBody(
    request: FastifyRequest,
    format: BodyFormat,
    share: BodyShare,
  ): Promise<BodyOutcome> {
    const body = await readBody(request.raw, limits, share, clock);
    return body.kind === "body" && format.gzip ? unpacked(body.bytes, limits.bodyBytesMax, share) : body;
  }

  return async (request, reply, handle) => {
    const share = budget.open();
    try {
      const format = bodyFormat(request.headers);
      if ("status" in format) return sendProblem(reply, format);
      const body = await wholeBody(request, format, share);
      if (body.kind === "aborted") return reply.hijack();
      if (body.kind === "refused") return sendProblem(reply, body.problem);
      return await handle(body.bytes, format);
    } finally {
      share.release();
    }
  };
}

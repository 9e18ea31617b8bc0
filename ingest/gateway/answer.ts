// Writes answers: JSON with a known length, problems with their headers.
import type { FastifyReply } from "fastify";
import { TickwatchError } from "../errors.ts";
import { errorOf, INTERNAL, type Problem, problemOfError } from "./problem.ts";
import type { RareWarnings } from "./rare_warnings.ts";

/** Sends a value as JSON. */
export function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(value));
}

/** Sends a refusal; `more` stands beside the error in the body. */
export function sendProblem(
  reply: FastifyReply,
  problem: Problem,
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  if (problem.headers !== undefined) reply.headers(problem.headers);
  return sendJson(reply, problem.status, { ...more, ...errorOf(problem) });
}

/** Answers to an error of what stands behind a route; the log hears of those that are not the client's doing. */
export function sendFailure(
  reply: FastifyReply,
  err: unknown,
  fields: Readonly<Record<string, unknown>>,
  warnings: RareWarnings,
): FastifyReply {
  const problem = err instanceof TickwatchError ? problemOfError(err.code) : INTERNAL;
  if (problem.status >= 500) warnings.warn(problem.code, { err, ...fields }, "request failed");
  return sendProblem(reply, problem);
}

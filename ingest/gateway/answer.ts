// Writes answers: JSON with a known length, problems with their headers.
import type { FastifyReply } from "fastify";
import { errorOf, type Problem } from "./problem.ts";

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

// POST /v1/dead-letters/replay: brings dead letters back through the intake, all of them or those of one table or reason.
import type { FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import type { ReplayFilter, ReplayResult } from "../intake/replay.ts";
import { sendFailure, sendJson, sendProblem } from "./answer.ts";
import type { Problem } from "./problem.ts";
import type { RareWarnings } from "./rare_warnings.ts";

export interface ReplayRouteOptions {
  /** Resolves when everything that was accepted is durable; rejects like `accept`. */
  readonly replay: (filter: ReplayFilter) => Promise<ReplayResult>;
  readonly warnings: RareWarnings;
}

const Query = z.strictObject({ table: z.string().optional(), reason: z.string().optional() });

const BAD_QUERY: Problem = {
  status: 400,
  code: "query_invalid",
  message: "only `table` and `reason` can be given, each once",
  hint: "POST /v1/dead-letters/replay?table=orders&reason=unknown_field",
};

/** Answers requests whose key was checked before, with `{accepted, rejected, kept}`. */
export function createReplayHandler({ replay, warnings }: ReplayRouteOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = Query.safeParse(request.query);
    if (!query.success) return sendProblem(reply, BAD_QUERY);
    try {
      return sendJson(reply, 200, await replay(query.data));
    } catch (err) {
      return sendFailure(reply, err, { requestId: request.id }, warnings);
    }
  };
}

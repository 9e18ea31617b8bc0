// POST /v1/alerts, where Grafana's webhook tells of alerts, and POST /v1/alerts/:fingerprint/ack, where a person says
// that somebody looks after one. What it means is the alert desk's business.
import type { FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import { microsToIso } from "../../schema/timestamp_text.ts";
import type { AckOutcome, AlertDesk, Receipt } from "../alerting/alert_desk.ts";
import { parsed, withoutMark } from "../intake/json_text.ts";
import { sendFailure, sendJson, sendProblem } from "./answer.ts";
import { type BodyFormat, EMPTY_BODY, hasBody } from "./body_format.ts";
import type { Problem } from "./problem.ts";
import type { RareWarnings } from "./rare_warnings.ts";
import type { WithBody } from "./request_body.ts";

export interface AlertsRouteOptions {
  readonly alerts: AlertDesk;
  readonly withBody: WithBody;
  readonly warnings: RareWarnings;
}

type AckRequest = FastifyRequest<{ Params: { fingerprint: string } }>;

const Acknowledgement = z.strictObject({
  note: z.string().max(1000).optional(),
  by: z.string().max(100).optional(),
});

/** Answer requests whose key was checked before. */
export function createAlertHandlers({ alerts, withBody, warnings }: AlertsRouteOptions) {
  async function receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return await withBody(request, reply, async (bytes, format) => {
      const body = jsonBody(bytes, format);
      if ("status" in body) return sendProblem(reply, body);
      try {
        return sendReceipt(reply, await alerts.receive(body.value));
      } catch (err) {
        return sendFailure(reply, err, { requestId: request.id }, warnings);
      }
    });
  }

  async function acknowledge(request: AckRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!hasBody(request.headers)) return await take(request, reply, {});
    return await withBody(request, reply, (bytes, format) => {
      const body = jsonBody(bytes, format);
      if ("status" in body) return sendProblem(reply, body);
      return take(request, reply, body.value);
    });
  }

  async function take(request: AckRequest, reply: FastifyReply, body: unknown): Promise<FastifyReply> {
    const how = Acknowledgement.safeParse(body);
    if (!how.success) return sendProblem(reply, ACK_UNREADABLE);
    const { fingerprint } = request.params;
    try {
      return sendAck(reply, fingerprint, await alerts.acknowledge(fingerprint, how.data));
    } catch (err) {
      return sendFailure(reply, err, { requestId: request.id }, warnings);
    }
  }

  return { receive, acknowledge };
}

function jsonBody(bytes: Buffer, { kind }: BodyFormat): { readonly value: unknown } | Problem {
  const body = withoutMark(bytes);
  if (body.length === 0) return EMPTY_BODY;
  const outcome = parsed(body);
  if (outcome.ok && kind === "json") return { value: outcome.value };
  const what = outcome.ok ? "the body must be application/json" : `the body is ${outcome.bad.message}`;
  return {
    status: 400,
    code: "malformed_json",
    message: `${what}; nothing of it was taken`,
    hint: "Send one JSON object with content-type application/json.",
  };
}

function sendReceipt(reply: FastifyReply, receipt: Receipt): FastifyReply {
  if (!receipt.ok) return sendProblem(reply, messageUnreadable(receipt.why));
  const { accepted, rejected, repeated, tests, truncated } = receipt;
  const counts = { accepted, rejected, rejectedCount: rejected.length, repeated, tests, truncated };
  if (accepted > 0 || rejected.length === 0) return sendJson(reply, 202, counts);
  return sendProblem(reply, REFUSED, counts);
}

function messageUnreadable(why: string): Problem {
  return {
    status: 400,
    code: "message_unreadable",
    message: `this is not a message of Grafana's webhook: ${why}`,
    hint: "Leave the custom payload of the contact point empty; `alerts` must be there, each with status, labels and startsAt.",
  };
}

const REFUSED: Problem = {
  status: 400,
  code: "all_rows_refused",
  message: "none of the alerts could be taken; `rejected` says why",
  hint: "An alert that began before the table's retention is refused: its row would be deleted at once.",
};

const ACK_UNREADABLE: Problem = {
  status: 400,
  code: "message_unreadable",
  message:
    "an acknowledgement may have `note` (up to 1000 characters) and `by` (up to 100), both text, and nothing else",
  hint: '{"note": "restarting it", "by": "ana"}, or no body at all.',
};

function sendAck(reply: FastifyReply, fingerprint: string, outcome: AckOutcome): FastifyReply {
  switch (outcome.kind) {
    case "unknown":
      return sendProblem(reply, {
        status: 404,
        code: "alert_unknown",
        message: `there is no alert ${JSON.stringify(fingerprint.slice(0, 100))}`,
        hint: "`tickwatch alerts list` shows the fingerprints.",
      });
    case "over":
      return sendProblem(reply, {
        status: 409,
        code: "alert_over",
        message: `${outcome.rule} ended at ${microsToIso(outcome.endedUs)}; there is nothing to acknowledge`,
      });
    case "acknowledged": {
      const { rule, labels, already } = outcome;
      const at = microsToIso(outcome.atUs);
      return sendJson(reply, 200, { fingerprint, rule, labels, acknowledgedAt: at, already });
    }
  }
}

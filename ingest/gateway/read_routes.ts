// The answers that only read: what there is, and how the service is doing.
import type { FastifyReply, FastifyRequest } from "fastify";
import { findEvent } from "../../schema/registry.ts";
import type { Metrics } from "../metrics/record.ts";
import { sendJson, sendProblem } from "./answer.ts";
import { openApiDocument } from "./openapi.ts";
import type { ServiceStatus } from "./status.ts";
import { tableUnknown } from "./table_unknown.ts";
import { type TtlDaysOf, tableDocument, tablesDocument } from "./tables_document.ts";

export interface ReadRoutesOptions {
  readonly version: string;
  readonly metrics: Metrics;
  readonly status: () => ServiceStatus;
  readonly ttlDaysOf: TtlDaysOf;
  readonly keysRequired: boolean;
  /** Time at which the gateway started: the examples of the OpenAPI document carry it. */
  readonly nowUs: number;
  readonly isStopping: () => boolean;
}

export interface ReadRoute {
  readonly url: string;
  /** About the process rather than its tables: answered to the very end, also while stopping. */
  readonly operational: boolean;
  answer(request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply>;
}

/** All GET routes. */
export function readRoutes(options: ReadRoutesOptions): readonly ReadRoute[] {
  const { version, metrics, status, ttlDaysOf, isStopping } = options;
  const openApi = openApiDocument(options);
  const welcome = {
    service: "tickwatch",
    version,
    see: {
      "POST /v1/events/TABLE": "push rows: one JSON object, an array, or NDJSON",
      "POST /v1/dead-letters/replay": "take refused rows in again, after their cause is mended",
      "POST /v1/alerts": "messages of Grafana's webhook, for the history of alerts",
      "POST /v1/alerts/FINGERPRINT/ack": "say that somebody looks after an alert",
      "GET /v1/tables": "tables and their columns",
      "GET /openapi.json": "the same as an OpenAPI 3.1 document, with examples",
      "GET /metrics": "metrics for Prometheus",
      "GET /livez": "is the process alive?",
      "GET /readyz": "would rows be accepted now?",
    },
  };

  return [
    { url: "/", operational: false, answer: (_, reply) => sendJson(reply, 200, welcome) },
    {
      url: "/v1/tables",
      operational: false,
      answer: (_, reply) => sendJson(reply, 200, tablesDocument(ttlDaysOf)),
    },
    {
      url: "/v1/tables/:table",
      operational: false,
      answer: (request, reply) => sendTable(request, reply, ttlDaysOf),
    },
    { url: "/openapi.json", operational: false, answer: (_, reply) => sendJson(reply, 200, openApi) },
    {
      url: "/metrics",
      operational: true,
      answer: async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
    },
    { url: "/livez", operational: true, answer: (_, reply) => sendJson(reply, 200, { status: "alive" }) },
    {
      url: "/readyz",
      operational: true,
      answer: (_, reply) => {
        const now = status();
        const shown: ServiceStatus = isStopping() ? { ...now, state: "stopping", ready: false } : now;
        return sendJson(reply, shown.ready ? 200 : 503, shown);
      },
    },
  ];
}

function sendTable(request: FastifyRequest, reply: FastifyReply, ttlDaysOf: TtlDaysOf): FastifyReply {
  const name = tableName(request);
  const event = findEvent(name);
  if (event === undefined) return sendProblem(reply, tableUnknown(name));
  return sendJson(reply, 200, tableDocument(event, ttlDaysOf(event.name)));
}

/** The part of the address after `/v1/events/` or `/v1/tables/`. */
function tableName({ params }: FastifyRequest): string {
  if (typeof params !== "object" || params === null || !("table" in params)) return "";
  return String(params.table);
}

// The part of the OpenAPI document about alerts.
import { jsonAnswer, POST_RESPONSES, ref, securityOf } from "./openapi_answers.ts";
import type { JsonSchema } from "./openapi_rows.ts";

const text = { type: "string" };

const MESSAGE: JsonSchema = {
  type: "object",
  description: "A message of Grafana's webhook contact point; more fields than these may be there.",
  properties: {
    receiver: text,
    truncatedAlerts: { type: "integer" },
    alerts: {
      type: "array",
      items: {
        type: "object",
        properties: {
          status: { enum: ["firing", "resolved"] },
          labels: { type: "object", additionalProperties: text },
          annotations: { type: "object", additionalProperties: text },
          startsAt: { type: "string", format: "date-time" },
          endsAt: { type: "string", format: "date-time" },
          fingerprint: text,
          values: { type: ["object", "null"], additionalProperties: { type: ["number", "null"] } },
        },
        required: ["status", "labels", "startsAt"],
      },
    },
  },
  required: ["alerts"],
};

const ACKNOWLEDGEMENT: JsonSchema = {
  type: "object",
  properties: { note: { ...text, maxLength: 1000 }, by: { ...text, maxLength: 100 } },
  additionalProperties: false,
};

function body(schema: JsonSchema, required: boolean): JsonSchema {
  return { required, content: { "application/json": { schema } } };
}

/** Both addresses. */
export function alertPaths(keysRequired: boolean): JsonSchema {
  const shared = { tags: ["alerts"], security: securityOf(keysRequired) };
  return {
    "/v1/alerts": {
      post: {
        ...shared,
        operationId: "tell_of_alerts",
        summary: "Messages of Grafana's webhook become rows of alerts.",
        description: "A change of an alert is one row, however often it is told.",
        requestBody: body(MESSAGE, true),
        responses: { ...POST_RESPONSES, "202": jsonAnswer("Everything is on disk.", "Receipt") },
      },
    },
    "/v1/alerts/{fingerprint}/ack": {
      parameters: [{ name: "fingerprint", in: "path", required: true, schema: text }],
      post: {
        ...shared,
        operationId: "acknowledge_alert",
        summary: "Somebody looks after this alert: nobody else is told of it.",
        requestBody: body(ACKNOWLEDGEMENT, false),
        responses: {
          ...POST_RESPONSES,
          "200": jsonAnswer("Acknowledged, and on disk.", "Acknowledged"),
          "404": ref("responses", "NotFound"),
          "409": jsonAnswer("The alert is over.", "Error"),
        },
      },
    },
  };
}

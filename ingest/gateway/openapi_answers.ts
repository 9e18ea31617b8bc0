// The parts of the OpenAPI document that all tables share: answers, errors, security schemes.
import { REJECT_REASONS } from "../../schema/refusal.ts";
import { REJECTED_LISTED_MAX } from "./events_route.ts";
import type { JsonSchema } from "./openapi_rows.ts";

/** A reference to a part of the document. */
export function ref(kind: "schemas" | "responses", name: string): { readonly $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}

function object(properties: JsonSchema, required = Object.keys(properties)): JsonSchema {
  return { type: "object", properties, required };
}

const count = { type: "integer", minimum: 0 };
const text = { type: "string" };

const counts = {
  accepted: { ...count, description: "Rows that are on disk now and will be in QuestDB." },
  rejected: {
    type: "array",
    maxItems: REJECTED_LISTED_MAX,
    items: ref("schemas", "Rejection"),
    description: `The first ${REJECTED_LISTED_MAX} refused rows; they are in the dead-letter file as well.`,
  },
  rejectedCount: { ...count, description: "All refused rows." },
};

const error = object(
  {
    code: { ...text, description: "What a program may decide by." },
    message: { ...text, description: "What happened." },
    hint: { ...text, description: "What to do about it." },
  },
  ["code", "message"],
);

const column = object(
  {
    name: text,
    type: text,
    presence: { enum: ["required", "optional", "derived"] },
    values: { type: "array", items: text },
    doc: text,
  },
  ["name", "type", "presence", "doc"],
);

export const SHARED_SCHEMAS: JsonSchema = {
  Replayed: object({
    accepted: { ...count, description: "Rows that are on disk now." },
    rejected: { ...count, description: "Rows that were refused again." },
    kept: { ...count, description: "Dead letters that were left as they were." },
  }),
  Rejection: object({
    index: { ...count, description: "Place of the row in the request, from 0; blank lines don't count." },
    reason: { enum: [...REJECT_REASONS] },
    message: text,
  }),
  Accepted: object(counts),
  Error: object({ error }),
  Refused: object({ ...counts, error }, ["error"]),
  Receipt: object({
    ...counts,
    repeated: { ...count, description: "Alerts that were known to be so; nothing was written for them." },
    tests: { ...count, description: "Test alerts; nothing was written for them." },
    truncated: { ...count, description: "Alerts that the sender left out." },
  }),
  Acknowledged: object({
    fingerprint: text,
    rule: text,
    labels: { type: ["string", "null"], description: "Labels as JSON." },
    acknowledgedAt: { type: "string", format: "date-time" },
    already: { type: "boolean", description: "It was acknowledged before; the time is that of the first." },
  }),
  Column: column,
  Table: object({
    name: text,
    why: text,
    sampling: text,
    keys: { type: "array", items: text },
    ttlDays: count,
    partitionBy: text,
    columns: { type: "array", items: ref("schemas", "Column") },
  }),
  TableList: object({ tables: { type: "array", items: ref("schemas", "Table") } }),
  Status: object({
    state: { enum: ["starting", "running", "stopping"] },
    ready: { type: "boolean" },
    problems: { type: "array", items: text },
    questdb: object({ up: { type: "boolean" }, since: { type: ["integer", "null"] } }),
  }),
};

/** An answer with a JSON body of the named schema. */
export function jsonAnswer(description: string, schema: string): JsonSchema {
  return { description, content: { "application/json": { schema: ref("schemas", schema) } } };
}

const retryAfter = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } } };

export const SHARED_RESPONSES: JsonSchema = {
  Accepted: jsonAnswer("At least one row was taken and is on disk. Refused rows are listed.", "Accepted"),
  Refused: jsonAnswer("Nothing was taken: no rows, not JSON, or every row refused.", "Refused"),
  KeyMissing: jsonAnswer("API keys are configured and the request has none.", "Error"),
  Forbidden: jsonAnswer("The key is wrong, or the Host or Origin is not allowed.", "Error"),
  NotFound: jsonAnswer("There is no such table or address.", "Error"),
  TooSlow: jsonAnswer("The body did not arrive in time.", "Error"),
  TooLarge: jsonAnswer("The body is too large, as sent or unpacked.", "Error"),
  UnsupportedType: jsonAnswer("Neither JSON nor NDJSON, or an encoding other than gzip.", "Error"),
  SlowDown: {
    ...jsonAnswer("The spool is full, or too much is under way. Nothing was taken.", "Error"),
    headers: retryAfter,
  },
  Internal: jsonAnswer("A mistake in tickwatch.", "Error"),
  Unavailable: {
    ...jsonAnswer("Stopping, or the disk failed. Nothing was taken.", "Error"),
    headers: retryAfter,
  },
};

export const SECURITY_SCHEMES: JsonSchema = {
  bearer: { type: "http", scheme: "bearer", description: "A key of http.keys." },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: "The same key in a header of its own.",
  },
};

/** A key of either kind; none is needed where none is configured. */
export function securityOf(keysRequired: boolean): readonly JsonSchema[] {
  return [{ bearer: [] }, { apiKey: [] }, ...(keysRequired ? [] : [{}])];
}

/** What every request that writes can be answered with. */
export const POST_RESPONSES: JsonSchema = {
  "202": ref("responses", "Accepted"),
  "400": ref("responses", "Refused"),
  "401": ref("responses", "KeyMissing"),
  "403": ref("responses", "Forbidden"),
  "408": ref("responses", "TooSlow"),
  "413": ref("responses", "TooLarge"),
  "415": ref("responses", "UnsupportedType"),
  "429": ref("responses", "SlowDown"),
  "500": ref("responses", "Internal"),
  "503": ref("responses", "Unavailable"),
};

// The OpenAPI 3.1 document of the gateway, made from the registry: one path and one schema per table.
import type { EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import { alertPaths } from "./openapi_alerts.ts";
import {
  jsonAnswer,
  POST_RESPONSES,
  ref,
  SECURITY_SCHEMES,
  SHARED_RESPONSES,
  SHARED_SCHEMAS,
  securityOf,
} from "./openapi_answers.ts";
import { exampleRow, type JsonSchema, rowSchema } from "./openapi_rows.ts";
import type { TtlDaysOf } from "./tables_document.ts";

export interface OpenApiOptions {
  readonly version: string;
  readonly ttlDaysOf: TtlDaysOf;
  /** API keys are configured; otherwise they are optional. */
  readonly keysRequired: boolean;
  /** Time of the examples, microseconds since 1970. */
  readonly nowUs: number;
}

/** The whole document, ready to be written as JSON. */
export function openApiDocument(options: OpenApiOptions): JsonSchema {
  return {
    openapi: "3.1.0",
    info: {
      title: "tickwatch gateway",
      version: options.version,
      description: "Takes rows and writes them to QuestDB, each exactly once. A 202 means: on disk.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [{ name: "events" }, { name: "alerts" }, { name: "tables" }, { name: "operation" }],
    paths: {
      ...Object.fromEntries(
        EVENTS.map((event) => [`/v1/events/${event.name}`, { post: postOperation(event, options) }]),
      ),
      ...TABLE_PATHS,
      "/v1/dead-letters/replay": { post: replayOperation(options) },
      ...alertPaths(options.keysRequired),
      ...OPERATION_PATHS,
    },
    components: {
      schemas: { ...SHARED_SCHEMAS, ...Object.fromEntries(EVENTS.map((e) => [e.name, rowSchema(e)])) },
      responses: SHARED_RESPONSES,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

function postOperation(event: EventDefinition, options: OpenApiOptions): JsonSchema {
  const row = ref("schemas", event.name);
  const example = exampleRow(event, options.nowUs);
  const line = JSON.stringify(example);
  const keys = ["ts", ...event.keys].join(", ");
  return {
    tags: ["events"],
    operationId: `push_${event.name}`,
    summary: event.why,
    description: `Rows of ${event.name}: ${event.sampling}. A row with the same ${keys} replaces the earlier one. Kept for ${options.ttlDaysOf(event.name)} days. The body may be compressed with content-encoding gzip.`,
    security: securityOf(options.keysRequired),
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: { anyOf: [row, { type: "array", minItems: 1, items: row }] },
          examples: { one: { value: example }, several: { value: [example] } },
        },
        "application/x-ndjson": {
          schema: { type: "string", description: `One ${event.name} row per line.` },
          examples: { lines: { value: `${line}\n` } },
        },
      },
    },
    responses: POST_RESPONSES,
  };
}

function replayOperation({ keysRequired }: OpenApiOptions): JsonSchema {
  const parameter = (name: string, description: string) => ({
    ...{ name, in: "query", required: false, description },
    schema: { type: "string" },
  });
  return {
    tags: ["events"],
    operationId: "replay_dead_letters",
    summary: "Take refused rows in again, after their cause is mended.",
    description:
      "What is refused again becomes a dead letter with its new reason; what was not asked for stays.",
    security: securityOf(keysRequired),
    parameters: [parameter("table", "Only of this table."), parameter("reason", "Only with this reason.")],
    responses: {
      ...POST_RESPONSES,
      "200": jsonAnswer("Done; every accepted row is on disk.", "Replayed"),
    },
  };
}

function getOperation(tag: string, operationId: string, summary: string, responses: JsonSchema): JsonSchema {
  return { get: { tags: [tag], operationId, summary, security: [], responses } };
}

const TABLE_PATHS: JsonSchema = {
  "/v1/tables": getOperation("tables", "list_tables", "All tables with their columns.", {
    "200": jsonAnswer("The tables.", "TableList"),
  }),
  "/v1/tables/{table}": {
    ...getOperation("tables", "show_table", "One table with its columns.", {
      "200": jsonAnswer("The table.", "Table"),
      "404": ref("responses", "NotFound"),
    }),
    parameters: [
      {
        name: "table",
        in: "path",
        required: true,
        schema: { enum: EVENTS.map((event) => event.name) },
      },
    ],
  },
};

const OPERATION_PATHS: JsonSchema = {
  "/metrics": getOperation("operation", "metrics", "Metrics in the text format of Prometheus.", {
    "200": { description: "Metrics.", content: { "text/plain": { schema: { type: "string" } } } },
  }),
  "/livez": getOperation("operation", "livez", "Is the process alive?", {
    "200": {
      description: "Yes.",
      content: {
        "application/json": { schema: { type: "object", properties: { status: { const: "alive" } } } },
      },
    },
  }),
  "/readyz": getOperation("operation", "readyz", "Would rows be accepted now?", {
    "200": jsonAnswer("Yes.", "Status"),
    "503": jsonAnswer("No; `problems` says why.", "Status"),
  }),
};

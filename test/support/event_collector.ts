// A gateway for tests of those who push: a small HTTP server that takes NDJSON like tickwatch's, checks every row
// against its definition, and can be told to be in trouble.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { findEvent } from "../../schema/registry.ts";

export interface CollectedRow {
  readonly ts: number;
  readonly [column: string]: unknown;
}

/** What the next requests get instead of a 202. `drop` closes the connection without an answer. */
type Trouble =
  | { readonly status: number; readonly retryAfterS?: number; readonly store?: boolean }
  | { readonly drop: true; readonly store?: boolean };

export interface EventCollector {
  readonly url: string;
  /** Rows by table, in the order they came; those of requests in trouble only where `store` says so. */
  readonly rows: Map<string, CollectedRow[]>;
  /** Every body that came, accepted or not. */
  readonly bodies: { readonly table: string; readonly body: string; readonly status: number }[];
  /** Rows that their table's definition refuses: each a sentence. */
  readonly invalid: string[];
  readonly authorizations: Set<string | undefined>;
  /** Asked for every request; undefined lets it through. */
  trouble: (table: string, rows: number) => Trouble | undefined;
  close(): Promise<void>;
}

export async function startEventCollector(): Promise<EventCollector> {
  const server = createServer((request, response) => {
    answer(collector, request, response).catch((error: unknown) => {
      collector.invalid.push(`the collector failed: ${String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const collector: EventCollector = {
    url: `http://127.0.0.1:${port}`,
    rows: new Map(),
    bodies: [],
    invalid: [],
    authorizations: new Set(),
    trouble: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}

async function answer(
  collector: EventCollector,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, table] = /^\/v1\/events\/(\w+)$/.exec(request.url ?? "") ?? [];
  const body = await text(request);
  if (table === undefined || request.method !== "POST") {
    collector.invalid.push(`unexpected ${request.method} ${request.url}`);
    response.writeHead(404).end();
    return;
  }
  collector.authorizations.add(request.headers.authorization);
  const lines = body.split("\n").filter((line) => line !== "");
  const trouble = collector.trouble(table, lines.length);
  const status = trouble === undefined ? 202 : "drop" in trouble ? 0 : trouble.status;
  collector.bodies.push({ table, body, status });
  if (trouble === undefined || trouble.store === true) store(collector, table, lines);
  if (trouble !== undefined && "drop" in trouble) {
    response.destroy();
    return;
  }
  const retryAfter = trouble?.retryAfterS === undefined ? {} : { "retry-after": String(trouble.retryAfterS) };
  response.writeHead(status, { "content-type": "application/json", ...retryAfter });
  response.end(
    status === 202
      ? JSON.stringify({ accepted: lines.length, rejected: [] })
      : JSON.stringify({ error: { code: "trouble", message: "the test wanted trouble" } }),
  );
}

function store(collector: EventCollector, table: string, lines: readonly string[]): void {
  for (const line of lines) {
    const outcome = findEvent(table)?.parse(JSON.parse(line));
    if (outcome === undefined) collector.invalid.push(`there is no table ${table}`);
    else if (!outcome.ok) collector.invalid.push(`${table}: ${outcome.message}: ${line}`);
    else {
      const rows = collector.rows.get(table) ?? [];
      rows.push(outcome.row as CollectedRow);
      collector.rows.set(table, rows);
    }
  }
}

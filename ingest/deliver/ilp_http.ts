// One POST to QuestDB's /write, one typed outcome. Never retries, never throws for what the server or the network does.
import { Readable } from "node:stream";
import { Agent, request } from "undici";
import * as z from "zod";
import { messageOf } from "../errors.ts";
import type { Outcome } from "./outcome.ts";

export interface IlpHttpOptions {
  /** Base address, such as http://127.0.0.1:9000. */
  readonly url: string;
  /** Value of the Authorization header, if the server asks for one. */
  readonly authorization?: string | undefined;
  readonly connections: number;
  /** Time for one attempt, from connecting to the end of the answer. */
  readonly timeoutMs: number;
}

export interface IlpHttp {
  /** Sends rows of one table. Aborting the signal ends the attempt as `unavailable`. */
  send(parts: readonly Buffer[], signal: AbortSignal): Promise<Outcome>;
  /**
   * Requests from now on go over new connections. QuestDB (9.3) keeps a table's columns per connection, and refuses rows
   * for a column that was added since, for as long as the connection lasts.
   */
  renew(): void;
  close(): Promise<void>;
}

/** What an answer is read up to: an error text of QuestDB is a few hundred bytes. */
const ANSWER_BYTES_MAX = 65_536;

/** The error QuestDB sends as JSON; `line` is 0 when it could not tell. */
const ErrorSchema = z.object({ message: z.string(), line: z.int().optional() });

/** A sender with its own connections. Time-outs of the library are off: the attempt's own signal is the only one. */
export function createIlpHttp(options: IlpHttpOptions): IlpHttp {
  let agent = newAgent(options.connections);
  const retired = new Set<Agent>();
  // Timestamps carry their own unit (…t), so `precision` only has to be valid.
  const target = new URL("/write?precision=u", options.url);
  const headers: Record<string, string> = { "content-type": "text/plain; charset=utf-8" };
  if (options.authorization !== undefined) headers["authorization"] = options.authorization;

  return {
    async send(parts, signal) {
      const timeout = AbortSignal.timeout(options.timeoutMs);
      try {
        const answer = await request(target, {
          method: "POST",
          dispatcher: agent,
          ...bodyOf(parts, headers),
          signal: AbortSignal.any([signal, timeout]),
        });
        return outcomeOf(answer.statusCode, await textOf(answer.body));
      } catch (error) {
        if (timeout.aborted) return { kind: "timeout", message: `no answer within ${options.timeoutMs} ms` };
        return { kind: "unavailable", sent: !isBeforeConnecting(error), message: causeOf(error) };
      }
    },
    renew() {
      const old = agent;
      agent = newAgent(options.connections);
      retired.add(old);
      // Requests under way end first.
      void old.close().finally(() => retired.delete(old));
    },
    async close() {
      await Promise.all([agent, ...retired].map((one) => one.destroy()));
    },
  };
}

function newAgent(connections: number): Agent {
  return new Agent({
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 0 },
    keepAliveTimeout: 60_000,
  });
}

/** Copying small parts together is cheaper than writing each; large ones are written as they are. */
const JOINED_BYTES_MAX = 262_144;

function bodyOf(parts: readonly Buffer[], headers: Readonly<Record<string, string>>) {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return { headers, body: only };
  if (bytes <= JOINED_BYTES_MAX) return { headers, body: Buffer.concat(parts) };
  return {
    headers: { ...headers, "content-length": String(bytes) },
    body: Readable.from(grouped(parts), { objectMode: false }),
  };
}

/** Runs of small parts joined, large parts alone. */
function* grouped(parts: readonly Buffer[]): Generator<Buffer> {
  let run: Buffer[] = [];
  let runBytes = 0;
  for (const part of parts) {
    run.push(part);
    runBytes += part.length;
    if (runBytes < JOINED_BYTES_MAX) continue;
    yield run.length === 1 ? part : Buffer.concat(run);
    run = [];
    runBytes = 0;
  }
  if (run.length > 0) yield Buffer.concat(run);
}

/**
 * Status and body → outcome. A body that is not what QuestDB documents still ends in a defined outcome. Only 204 confirms:
 * a 200 is the page of something else that answers in QuestDB's place.
 */
function outcomeOf(status: number, body: string): Outcome {
  if (status === 204) return { kind: "written" };
  const { message, line } = parseError(body);
  if (status === 401 || status === 403 || status === 421) return { kind: "not_allowed", status, message };
  if (status >= 500) return { kind: "server_error", status, message };
  if (status === 400 && line !== undefined && line > 0) return { kind: "row_refused", line, message };
  if (status >= 400) return { kind: "request_refused", status, message };
  return { kind: "unavailable", sent: true, message: `unexpected status ${status}` };
}

function parseError(body: string): { message: string; line: number | undefined } {
  try {
    const { message, line } = ErrorSchema.parse(JSON.parse(body));
    return { message, line };
  } catch {
    return { message: body.slice(0, 500) || "no explanation", line: undefined };
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    // Read to the end so that the connection can be used again, but keep only a part.
    if (bytes < ANSWER_BYTES_MAX) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).toString("utf8", 0, ANSWER_BYTES_MAX);
}

/** Errors of looking up the address and of connecting: no byte of the request has left this machine. */
const BEFORE_CONNECTING = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

function isBeforeConnecting(error: unknown): boolean {
  return error instanceof Error && "code" in error && BEFORE_CONNECTING.includes(String(error.code));
}

function causeOf(error: unknown): string {
  const message = messageOf(error);
  if (error instanceof Error && "code" in error && !message.includes(String(error.code)))
    return `${String(error.code)}: ${message}`;
  return message;
}

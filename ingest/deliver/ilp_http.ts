// One POST to QuestDB's /write, one typed outcome. Never retries, never throws for what the server or the network does.
import { Readable } from "node:stream";
import { type Dispatcher, Pool } from "undici";
import { messageOf } from "../errors.ts";
import { outcomeOf } from "./answer.ts";
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

/** A sender with its own connections. Time-outs of the library are off: the attempt's own is the only one. */
export function createIlpHttp(options: IlpHttpOptions): IlpHttp {
  let pool = newPool(options);
  const retired = new Set<Pool>();
  // Timestamps carry their own unit (…t), so `precision` only has to be valid.
  const { pathname, search } = new URL("/write?precision=u", options.url);
  const headers: Record<string, string> = { "content-type": "text/plain; charset=utf-8" };
  if (options.authorization !== undefined) headers["authorization"] = options.authorization;

  return {
    async send(parts, signal) {
      const request = { path: pathname + search, method: "POST" as const, ...bodyOf(parts, headers) };
      const attempt = new Attempt();
      const timer = setTimeout(
        () => attempt.end({ kind: "timeout", message: `no answer within ${options.timeoutMs} ms` }),
        options.timeoutMs,
      );
      const callOff = () => attempt.end({ kind: "unavailable", sent: true, message: "called off" });
      signal.addEventListener("abort", callOff);
      try {
        if (signal.aborted) callOff();
        else pool.dispatch(request, attempt);
        return await attempt.outcome;
      } catch (error) {
        return unavailable(error);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", callOff);
      }
    },
    renew() {
      const old = pool;
      pool = newPool(options);
      retired.add(old);
      // Requests under way end first.
      void old.close().finally(() => retired.delete(old));
    },
    async close() {
      await Promise.all([pool, ...retired].map((one) => one.destroy()));
    },
  };
}

function newPool({ url, connections }: IlpHttpOptions): Pool {
  return new Pool(new URL(url).origin, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 0 },
    keepAliveTimeout: 60_000,
  });
}

/** Hears of one request until its outcome is known. Ending it early closes the connection. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<Outcome>;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;

  constructor() {
    let resolve: (outcome: Outcome) => void = () => undefined;
    this.outcome = new Promise((yes) => (resolve = yes));
    this.#resolve = resolve;
  }

  end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#resolve(outcome);
    this.#controller?.abort(CALLED_OFF);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(CALLED_OFF);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    // Read to the end so that the connection can be used again, but keep only a part.
    if (this.#bytes < ANSWER_BYTES_MAX) this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  onResponseEnd(): void {
    this.#isOver = true;
    const text = Buffer.concat(this.#chunks).toString("utf8", 0, ANSWER_BYTES_MAX);
    this.#resolve(outcomeOf(this.#status, text));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true;
    this.#resolve(unavailable(error));
  }
}

const CALLED_OFF = new Error("called off");

function unavailable(error: unknown): Outcome {
  return { kind: "unavailable", sent: !isBeforeConnecting(error), message: causeOf(error) };
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

// What is remembered of a request: one count with its route and status, one debug line. Addresses and keys never get
// into a metric, only route templates, so the number of series stays bounded.
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/record.ts";

/** Status of a request whose client went away before the answer; the same number that other servers use. */
const CLIENT_GONE = "499";

export class RequestRecord {
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #keyNames = new WeakMap<IncomingMessage, string>();

  constructor(metrics: Metrics, log: Log, clock: Clock) {
    this.#metrics = metrics;
    this.#log = log;
    this.#clock = clock;
  }

  /** Counts and logs the request when it has ended, answered or not. */
  follow(request: FastifyRequest, reply: FastifyReply): void {
    const startedMs = this.#clock.monotonicMs();
    reply.raw.once("close", () => {
      const status = reply.raw.writableFinished ? String(reply.raw.statusCode) : CLIENT_GONE;
      const route = templateOf(request);
      this.count(route, status);
      if (!this.#log.isLevelEnabled("debug")) return;
      const durationMs = Math.round(this.#clock.monotonicMs() - startedMs);
      const key = this.#keyNames.get(request.raw);
      this.#log.debug(
        { requestId: request.id, method: request.method, route, status, durationMs, ...(key ? { key } : {}) },
        "request answered",
      );
    });
  }

  /** Remembers which key a request came with, for the log. */
  keyOf(request: { readonly raw: IncomingMessage }, name: string): void {
    this.#keyNames.set(request.raw, name);
  }

  /** Counts an answer; without a route it is one that no route gave. */
  count(route: string | undefined, status: string): void {
    this.#metrics.count("tickwatch_http_requests_total", { route: route ?? "none", status });
  }
}

function templateOf(request: FastifyRequest): string | undefined {
  const { url } = request.routeOptions;
  return request.is404 || url === "*" ? undefined : url;
}

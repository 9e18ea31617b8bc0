// The fastify instance: routes, and what happens to every request before and after its route. Each route answers
// every method: its own, HEAD and OPTIONS sensibly, all others with 405.
import cors from "@fastify/cors";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { findEvent } from "../../schema/registry.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/record.ts";
import { type AlertsRouteOptions, createAlertHandlers } from "./alerts_routes.ts";
import { sendProblem } from "./answer.ts";
import { type ApiKey, createKeyCheck } from "./api_keys.ts";
import type { BodyLimits } from "./body.ts";
import { mediaTypeUnsupported } from "./body_format.ts";
import { createBrowserGuard } from "./browser_guard.ts";
import { answerConnectionError } from "./connection_errors.ts";
import { createEventsHandler, type EventsRequest, type EventsRouteOptions } from "./events_route.ts";
import { INTERNAL, type Problem, STOPPING } from "./problem.ts";
import type { ReadRoute } from "./read_routes.ts";
import { createReplayHandler, type ReplayRouteOptions } from "./replay_route.ts";
import { createWithBody } from "./request_body.ts";
import { RequestRecord } from "./request_record.ts";
import { tableUnknown } from "./table_unknown.ts";
import type { UnderWay } from "./under_way.ts";

export interface ServerOptions
  extends Omit<EventsRouteOptions, "withBody">,
    ReplayRouteOptions,
    Pick<AlertsRouteOptions, "alerts"> {
  readonly limits: BodyLimits;
  readonly host: string;
  readonly keys: readonly ApiKey[];
  readonly corsOrigins: readonly string[];
  readonly reads: readonly ReadRoute[];
  readonly underWay: UnderWay;
  readonly isStopping: () => boolean;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
}

const EVENTS_URL = "/v1/events/:table";
const REPLAY_URL = "/v1/dead-letters/replay";
const ALERTS_URL = "/v1/alerts";
const ACK_URL = "/v1/alerts/:fingerprint/ack";

/** Idle connections stay open for longer than the usual 60 s between two pushes. */
const KEEP_ALIVE_MS = 65_000;

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/** All routes in place, not yet listening. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { metrics, underWay, isStopping } = options;
  const record = new RequestRecord(metrics, options.log, options.clock);
  const app = bareServer(options, record);
  app.addHook("onRequest", async (request, reply) => {
    underWay.begin(reply.raw);
    record.follow(request, reply);
  });
  if (options.corsOrigins.length > 0) await registerCors(app, options.corsOrigins);
  app.addHook("onRequest", generalChecks(options));
  app.addHook("onSend", async (_, reply) => {
    reply.header("x-content-type-options", "nosniff");
    if (isStopping()) reply.header("connection", "close");
  });
  app.setErrorHandler((err, request, reply) => {
    // Fastify's own look at a content type that is none.
    if (err instanceof Error && "statusCode" in err && err.statusCode === 415) {
      return sendProblem(reply, mediaTypeUnsupported(request.headers["content-type"] ?? "none"));
    }
    options.warnings.warn("internal", { err, requestId: request.id }, "request failed");
    return sendProblem(reply, INTERNAL);
  });
  for (const read of options.reads) {
    app.get(read.url, (request, reply) => read.answer(request, reply));
    refuseOtherMethods(app, read.url, "GET");
  }
  addWriteRoutes(app, options, keyCheck(options, record));
  return app;
}

function addWriteRoutes(app: FastifyInstance, options: ServerOptions, checkKey: Hook): void {
  const withBody = createWithBody(options);
  app.route({
    method: "POST",
    url: EVENTS_URL,
    onRequest: [checkKey, tableCheck],
    handler: createEventsHandler({ ...options, withBody }),
  });
  app.route({ method: "POST", url: REPLAY_URL, onRequest: checkKey, handler: createReplayHandler(options) });
  const { alerts, warnings } = options;
  const desk = createAlertHandlers({ alerts, warnings, withBody });
  app.route({ method: "POST", url: ALERTS_URL, onRequest: checkKey, handler: desk.receive });
  app.route({ method: "POST", url: ACK_URL, onRequest: checkKey, handler: desk.acknowledge });
  for (const url of [EVENTS_URL, REPLAY_URL, ALERTS_URL, ACK_URL]) refuseOtherMethods(app, url, "POST");
}

function bareServer({ limits }: ServerOptions, record: RequestRecord): FastifyInstance {
  const { requestTimeoutMs } = limits;
  // The body has a time limit of its own, with a proper answer; Node's, twice as long, ends what is still being
  // thrown away then. Node looks only now and then, so the interval has to be short against the limits.
  const http = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: 2 * requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.max(50, Math.floor(requestTimeoutMs / 4))),
  };
  const app = fastify({
    logger: false,
    http,
    requestTimeout: http.requestTimeout,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    frameworkErrors: (_, request, reply) => {
      record.follow(request, reply);
      sendProblem(reply, routeUnknown(request));
    },
    clientErrorHandler: ({ code }, socket) => {
      const status = answerConnectionError(code, socket);
      if (status !== undefined) record.count(undefined, String(status));
    },
  });
  // Bodies are read by the route itself, bounded in bytes and time; fastify is only kept from doing it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  return app;
}

/** Preflights are answered by the routes' OPTIONS, after the general checks; the plugin only adds its headers. */
async function registerCors(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: [...origins],
    methods: ["GET", "HEAD", "POST"],
    allowedHeaders: ["content-type", "content-encoding", "authorization", "x-api-key"],
    exposedHeaders: ["retry-after"],
    maxAge: 600,
    strictPreflight: false,
    preflightContinue: true,
  });
}

/** Before any route: stopping, web pages, addresses that don't exist. */
function generalChecks({ host, keys, corsOrigins, reads, isStopping }: ServerOptions): Hook {
  const guard = keys.length === 0 ? createBrowserGuard(host, corsOrigins) : () => undefined;
  const operational = new Set(reads.filter((read) => read.operational).map((read) => read.url));
  return async (request, reply) => {
    const { url = "*" } = request.routeOptions;
    if (isStopping() && !operational.has(url)) return sendProblem(reply, STOPPING);
    const problem = guard(request.headers);
    if (problem !== undefined) return sendProblem(reply, problem);
    return request.is404 || url === "*" ? sendProblem(reply, routeUnknown(request)) : undefined;
  };
}

/** Whoever writes needs a key, if there are any. */
function keyCheck({ keys, warnings }: ServerOptions, record: RequestRecord): Hook {
  const keyOf = keys.length === 0 ? undefined : createKeyCheck(keys);
  return async (request, reply) => {
    const check = keyOf?.(request.headers);
    if (check?.ok === false) {
      const { problem } = check;
      warnings.warn(problem.code, { from: request.ip, url: request.url }, "push without a valid API key");
      return sendProblem(reply, problem);
    }
    if (check?.ok === true) record.keyOf(request, check.name);
    return undefined;
  };
}

/** Before the body of a push is read. */
async function tableCheck(request: EventsRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const { table } = request.params;
  return findEvent(table) === undefined ? sendProblem(reply, tableUnknown(table)) : undefined;
}

function refuseOtherMethods(app: FastifyInstance, url: string, own: "GET" | "POST"): void {
  const allow = own === "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    const problem: Problem = {
      status: 405,
      code: "method_not_allowed",
      message: `${request.method} is not possible here, ${own} is`,
      hint: "GET / tells what there is.",
      headers: { allow },
    };
    return sendProblem(reply, problem);
  };
  const explain = async (_: FastifyRequest, reply: FastifyReply) =>
    reply.header("allow", allow).code(204).send();
  const others = own === "GET" ? ["POST"] : ["GET", "HEAD"];
  // In onRequest, so that no body is looked at.
  app.route({ method: [...others, "PUT", "PATCH", "DELETE"], url, onRequest: refuse, handler: refuse });
  app.route({ method: "OPTIONS", url, onRequest: explain, handler: explain });
}

function routeUnknown({ method, url }: FastifyRequest): Problem {
  return {
    status: 404,
    code: "route_unknown",
    message: `there is nothing at ${method} ${JSON.stringify(url.slice(0, 100))}`,
    hint: "GET / tells what there is; rows go to POST /v1/events/TABLE.",
  };
}

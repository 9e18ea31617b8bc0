// A real gateway on a free port with a small intake behind it, for the tests of the gateway.
import { type Agent, request as httpRequest } from "node:http";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { type AlertDeskOptions, createAlertDesk } from "../../ingest/alerting/alert_desk.ts";
import { systemClock } from "../../ingest/clock.ts";
import {
  type Gateway,
  type GatewayConfig,
  type GatewayOptions,
  startGateway,
} from "../../ingest/gateway/gateway.ts";
import type { ServiceStatus } from "../../ingest/gateway/status.ts";
import { MalformedLine } from "../../ingest/intake/malformed.ts";
import { createMetrics, type Metrics } from "../../ingest/metrics/record.ts";
import type { PushResult, Rejection } from "../../ingest/sources/source.ts";
import { findEvent } from "../../schema/registry.ts";
import { readNdjson } from "../support/read_ndjson.ts";

interface Pushed {
  readonly table: string;
  readonly rows: readonly unknown[];
}

export interface TestGateway extends Gateway {
  readonly metrics: Metrics;
  /** What the intake was given, call by call. */
  readonly pushed: Pushed[];
  /** Parsed log lines. */
  readonly logged: Readonly<Record<string, unknown>>[];
  post(table: string, body: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, init?: RequestInit): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is something else. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted on, field by field
  readonly json: any;
}

export const RUNNING: ServiceStatus = {
  state: "running",
  ready: true,
  problems: [],
  questdb: { up: true, since: 1_795_000_000_000_000 },
};

const SETTINGS: GatewayConfig = {
  host: "127.0.0.1",
  port: 0,
  keys: [],
  corsOrigins: [],
  bodyBytesMax: 1_048_576,
  requestTimeoutMs: 10_000,
};

type Overrides = Partial<Omit<GatewayOptions, "config">> & {
  readonly config?: Partial<GatewayConfig>;
  /** What the table knows of alerts. */
  readonly findStates?: AlertDeskOptions["findStates"];
};

/** Checks rows as the intake does, without a disk behind it. */
export async function checkRows(table: string, rows: readonly unknown[]): Promise<PushResult> {
  const rejected: Rejection[] = [];
  for (const [index, row] of rows.entries()) {
    if (row instanceof MalformedLine)
      rejected.push({ index, reason: "malformed_json", message: row.message });
    else {
      const outcome = findEvent(table)?.parse(row);
      if (outcome === undefined) throw new Error(`the gateway let an unknown table pass: ${table}`);
      if (!outcome.ok) rejected.push({ index, reason: outcome.reason, message: outcome.message });
    }
  }
  return { accepted: rows.length - rejected.length, rejected };
}

export async function startTestGateway({
  config = {},
  accept = checkRows,
  findStates = async () => [],
  ...rest
}: Overrides = {}): Promise<TestGateway> {
  const metrics = createMetrics({ processMetrics: false });
  const pushed: Pushed[] = [];
  const logged: Readonly<Record<string, unknown>>[] = [];
  const log = pino(
    { level: "debug", base: null },
    { write: (line: string) => void logged.push(JSON.parse(line)) },
  );
  const clock = systemClock();
  const take = (table: string, rows: readonly unknown[]) => {
    pushed.push({ table, rows });
    return accept(table, rows);
  };
  const gateway = await startGateway({
    config: { ...SETTINGS, ...config },
    accept: take,
    acceptLines: async (table, text) => {
      const rows = readNdjson(text);
      return rows.length === 0 ? { accepted: 0, rejected: [] } : take(table, rows);
    },
    replay: async () => ({ accepted: 0, rejected: 0, kept: 0 }),
    alerts: createAlertDesk({ accept: (rows) => take("alerts", rows), findStates, clock, log }),
    metrics,
    status: () => RUNNING,
    ttlDaysOf: () => 90,
    version: "1.2.3",
    log,
    clock,
    stopTimeoutMs: 2000,
    ...rest,
  });
  onTestFinished(async () => {
    await gateway.stop();
    metrics.close();
  });
  const ask = async (path: string, init: RequestInit = {}) => answerOf(await fetch(gateway.url + path, init));
  return {
    ...gateway,
    metrics,
    pushed,
    logged,
    post: (table, body, headers = {}) =>
      ask(`/v1/events/${table}`, {
        method: "POST",
        body: typeof body === "string" ? body : new Uint8Array(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    get: (path, init) => ask(path, init),
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = response.headers.get("content-type")?.startsWith("application/json") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: json ? JSON.parse(text) : undefined,
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** It went over a connection that had served a request before. */
  readonly reused: boolean;
}

/** A request with exactly these headers: fetch would replace Host and drop Origin. */
export function rawRequest(
  gateway: Gateway,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = "",
  agent: Agent | false = false,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port: gateway.port, method, path, headers, agent },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            reused: request.reusedSocket,
          }),
        );
      },
    );
    request.on("error", reject).end(body);
  });
}

/** Resolves when the condition holds; fails the test after five seconds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let counter = 0;

/** A row of daemon_health that is accepted, different every time. */
export function healthRow(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  counter++;
  return { ts: 1_795_000_000_000_000 + counter, daemon: "trader", instance: "a:1", uptime_s: 1.5, ...more };
}

/** That many lines of NDJSON. */
export function healthLines(count: number): string[] {
  return Array.from({ length: count }, () => JSON.stringify(healthRow()));
}

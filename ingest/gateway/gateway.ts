// The face of the folder: starts and stops the HTTP gateway. It takes rows of others and shows how the service is
// doing; it knows the intake only as a function and nothing of spool or database.
import type { AlertDesk } from "../alerting/alert_desk.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/record.ts";
import type { ApiKey } from "./api_keys.ts";
import { isLoopback } from "./browser_guard.ts";
import type { Accept, AcceptLines } from "./events_route.ts";
import { listen } from "./listen.ts";
import { RareWarnings } from "./rare_warnings.ts";
import { readRoutes } from "./read_routes.ts";
import type { ReplayRouteOptions } from "./replay_route.ts";
import { createServer } from "./server.ts";
import type { ServiceStatus } from "./status.ts";
import type { TtlDaysOf } from "./tables_document.ts";
import { UnderWay } from "./under_way.ts";

/** The section `http` of the configuration, with every key read from where it is kept. */
export interface GatewayConfig extends Omit<Config["http"], "keys" | "corsOrigins"> {
  readonly keys: readonly ApiKey[];
  readonly corsOrigins: readonly string[];
}

export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly accept: Accept;
  readonly acceptLines: AcceptLines;
  /** Brings dead letters back. */
  readonly replay: ReplayRouteOptions["replay"];
  /** Takes messages about alerts, and acknowledgements. */
  readonly alerts: AlertDesk;
  readonly metrics: Metrics;
  readonly status: () => ServiceStatus;
  /** Days that rows of a table are kept, for the documents. */
  readonly ttlDaysOf: TtlDaysOf;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Longest wait of `stop()` for requests under way; 3 s if absent. */
  readonly stopTimeoutMs?: number;
}

export interface Gateway {
  /** Address for programs on this machine, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /**
   * Refuses new requests with 503, lets those under way finish (their rows are then durable and acknowledged), closes
   * all connections and the port. Requests that take longer than the limit are cut off without an answer. May be
   * called again; resolves when all is closed. The intake must keep accepting until then.
   */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 3000;

/**
 * Listens and resolves. Rejects with ENVIRONMENT when the port can't be opened, and with CONFIG_INVALID when the
 * settings would let strangers write.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, metrics, log, clock } = options;
  refuseOpenDoor(config);
  const underWay = new UnderWay();
  let stopping: Promise<void> | undefined;
  const isStopping = () => stopping !== undefined;
  const reads = readRoutes({
    ...options,
    keysRequired: config.keys.length > 0,
    nowUs: clock.nowUs(),
    isStopping,
  });
  const app = await createServer({
    host: config.host,
    keys: config.keys,
    corsOrigins: config.corsOrigins,
    limits: config,
    accept: options.accept,
    acceptLines: options.acceptLines,
    replay: options.replay,
    alerts: options.alerts,
    warnings: new RareWarnings(log, clock),
    reads,
    underWay,
    isStopping,
    metrics,
    log,
    clock,
  });
  const address = await listen(app, config.host, config.port);

  async function close(): Promise<void> {
    const finished = new AbortController();
    await Promise.race([
      underWay.none(),
      clock.sleep(options.stopTimeoutMs ?? STOP_TIMEOUT_MS, finished.signal),
    ]);
    finished.abort();
    if (underWay.count > 0) log.warn({ requests: underWay.count }, "requests cut off while stopping");
    await app.close();
  }

  return {
    ...address,
    stop: () => {
      stopping ??= close();
      return stopping;
    },
  };
}

/** The configuration says this too; here it holds for every caller. */
function refuseOpenDoor({ host, keys, corsOrigins }: GatewayConfig): void {
  if (keys.length > 0) return;
  if (!isLoopback(host)) {
    const message = `refusing to listen on ${host} without an API key: anybody who reaches it could write; set http.keys or use 127.0.0.1`;
    throw new TickwatchError("CONFIG_INVALID", message);
  }
  if (corsOrigins.includes("*")) {
    const message = `refusing corsOrigins "*" without an API key: any web page that is opened on this machine could write; set http.keys or list the origins`;
    throw new TickwatchError("CONFIG_INVALID", message);
  }
}

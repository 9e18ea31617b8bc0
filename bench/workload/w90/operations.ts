// Fetches, connections, daemons and their errors of the reference workload: how the trading system itself is doing.
import { RandomStream } from "../../../ingest/demo/simulator/random.ts";
import { W90_COINS } from "./coins.ts";
import { EXCHANGES } from "./exchanges.ts";
import {
  DailyStream,
  decimals,
  PeriodicStream,
  pick,
  SECOND_US,
  type Stream,
  scattered,
  slot,
} from "./stream.ts";

const FETCHES_PER_DAY = 25_000;
const CONNECTION_CHANGES_PER_DAY = 50;
const ERRORS_PER_DAY = 500;
const SAMPLE_US = 10 * SECOND_US;

const CHANNELS = ["rest", "liquidations"] as const;
const INSTANCE = "collector-1";
const DAEMONS = [
  { daemon: "trader", instance: "trader-1", rssBytes: 410_000_000 },
  { daemon: "collector", instance: INSTANCE, rssBytes: 230_000_000 },
  { daemon: "risk", instance: "risk-1", rssBytes: 150_000_000 },
] as const;

const DATASETS = [
  { dataset: "open_interest", method: "fetchOpenInterest" },
  { dataset: "funding_rates", method: "fetchFundingRate" },
  { dataset: "liquidations", method: "fetchLiquidations" },
] as const;

export function operationsStreams(seed: number, startUs: number): Stream[] {
  return [
    connectivityStream(seed, startUs),
    daemonStream(seed, startUs),
    fetchStream(seed, startUs),
    connectionStream(seed, startUs),
    errorStream(seed, startUs),
  ];
}

function connectivityStream(seed: number, startUs: number): Stream {
  const random = new RandomStream(seed, "w90/connectivity");
  const channels = EXCHANGES.flatMap((exchange, e) =>
    CHANNELS.map((channel) => ({ exchange, channel, baseMs: 18 + 22 * e, messages: 0, reconnects: 0 })),
  );
  return new PeriodicStream("connectivity", startUs, SAMPLE_US, (ts) =>
    channels.map((state) => {
      const up = random.next() > 0.0005;
      state.messages += up ? Math.round(random.exponential(state.channel === "rest" ? 3 : 40)) : 0;
      state.reconnects += up ? 0 : 1;
      return {
        ts,
        exchange: state.exchange,
        channel: state.channel,
        instance: INSTANCE,
        up,
        latency_ms: decimals(state.baseMs * Math.exp(0.25 * random.normal()), 2),
        clock_skew_ms: decimals(3 * random.normal(), 2),
        last_message_ts: ts - Math.floor(random.exponential(400_000)),
        message_count: state.messages,
        reconnects: state.reconnects,
        rate_limit_used: state.channel === "rest" ? Math.floor(random.next() * 300) : null,
        rate_limit_capacity: state.channel === "rest" ? 2_400 : null,
      };
    }),
  );
}

function daemonStream(seed: number, startUs: number): Stream {
  const random = new RandomStream(seed, "w90/daemon_health");
  const states = DAEMONS.map((daemon) => ({ ...daemon, sinceUs: startUs - 3_600 * SECOND_US }));
  return new PeriodicStream("daemon_health", startUs, SAMPLE_US, (ts) =>
    states.map((state) => {
      const rssBytes = Math.round((state.rssBytes * (1 + 0.01 * random.normal())) / 4096) * 4096;
      return {
        ts,
        daemon: state.daemon,
        instance: state.instance,
        uptime_s: (ts - state.sinceUs) / 1e6,
        cpu_percent: decimals(random.exponential(9), 1),
        rss_bytes: rssBytes,
        heap_used_bytes: Math.round(rssBytes * (0.5 + 0.2 * random.next())),
        event_loop_lag_ms: decimals(random.exponential(2.5), 2),
        restarts: 0,
        open_fds: 40 + Math.floor(random.next() * 12),
      };
    }),
  );
}

function fetchStream(seed: number, startUs: number): Stream {
  const random = new RandomStream(seed, "w90/fetches");
  const offsets = () => Float64Array.from(scattered(random, FETCHES_PER_DAY));
  return new DailyStream(startUs, offsets, (ts) => {
    const { dataset, method } = pick(random, DATASETS);
    const draw = random.next();
    const isOk = draw < 0.985;
    const isLimited = draw > 0.995;
    return slot("fetches", ts, [
      {
        ts,
        exchange: pick(random, EXCHANGES),
        dataset,
        method,
        fetch_id: uuidOf(random),
        symbol: W90_COINS[Math.floor(random.next() * W90_COINS.length)]?.symbol ?? "",
        status: isOk ? "ok" : isLimited ? "rate_limited" : "error",
        duration_ms: decimals(60 * Math.exp(0.6 * random.normal()), 3),
        row_count: isOk ? 1 : 0,
        http_status: isOk ? 200 : isLimited ? 429 : 502,
        error_code: isOk ? null : isLimited ? "RateLimitExceeded" : "ExchangeNotAvailable",
      },
    ]);
  });
}

/** Breaks and recoveries in turns. */
function connectionStream(seed: number, startUs: number): Stream {
  const random = new RandomStream(seed, "w90/connections");
  const offsets = () => Float64Array.from(scattered(random, CONNECTION_CHANGES_PER_DAY));
  let broken: { readonly exchange: string; readonly sinceUs: number } | undefined;
  let seq = 0;
  return new DailyStream(startUs, offsets, (ts) => {
    const was = broken;
    broken = was === undefined ? { exchange: pick(random, EXCHANGES), sinceUs: ts } : undefined;
    const ids = { ts, channel: "liquidations", instance: INSTANCE, seq: seq++ };
    if (was === undefined) {
      const exchange = broken?.exchange ?? "";
      const why = { reason: "no message for 120 s", close_code: 1006 };
      return slot("connections", ts, [{ ...ids, exchange, state: "disconnected", ...why }]);
    }
    const downtime = { downtime_ms: (ts - was.sinceUs) / 1000 };
    return slot("connections", ts, [{ ...ids, exchange: was.exchange, state: "connected", ...downtime }]);
  });
}

function errorStream(seed: number, startUs: number): Stream {
  const random = new RandomStream(seed, "w90/daemon_errors");
  const offsets = () => Float64Array.from(scattered(random, ERRORS_PER_DAY));
  return new DailyStream(startUs, offsets, (ts, index) => {
    const { daemon, instance } = pick(random, DAEMONS);
    const code = pick(random, ["RequestTimeout", "InsufficientFunds", "InvalidOrder", "NetworkError"]);
    return slot("daemon_errors", ts, [
      {
        ts,
        daemon,
        instance,
        event_id: `${ts}-${index}`,
        component: pick(random, ["orders", "positions", "market_data"]),
        exchange: pick(random, EXCHANGES),
        severity: random.next() < 0.02 ? "critical" : random.next() < 0.5 ? "error" : "warning",
        code,
        message: `${code}: the exchange answered after ${Math.floor(random.exponential(4000))} ms`,
      },
    ]);
  });
}

function uuidOf(random: RandomStream): string {
  const digits = () =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  const [a, b, c, d] = [digits(), digits(), digits(), digits()];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
}

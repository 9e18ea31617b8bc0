// Rows of the tables that W90 leaves out, because their volume is no matter of storage: what tickwatch says of itself, alerts, gaps,
// starts and stops. So that a dashboard has something to show in every panel. Deterministic.
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { EVENTS } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import { W90_COINS } from "./w90/coins.ts";
import { EXCHANGES } from "./w90/exchanges.ts";
import { MINUTE_US, pick, SECOND_US, type Slot, slot } from "./w90/stream.ts";

export interface OtherRowsOptions {
  readonly seed: number;
  /** µs; rows lie in [from, to). */
  readonly fromUs: number;
  readonly toUs: number;
}

const HOUR_US = 60 * MINUTE_US;
const HEALTH_US = 10 * SECOND_US;
/** One that W90 has samples of the health of: the service writes both. */
const INSTANCE = "collector-1";
const DATASETS = ["open_interest", "funding_rates", "liquidations"] as const;
const RULES = [
  { rule: "ExchangeDown5m", severity: "critical" },
  { rule: "LiquidationBurst", severity: "warning" },
  { rule: "FetchesBelowExpected", severity: "warning" },
  { rule: "ClockSkew", severity: "info" },
] as const;
const PARQUET_PATHS = ["/data/open_interest", "/data/funding_rates", "/data/liquidations"] as const;

export function* otherRows(options: OtherRowsOptions): Generator<Slot> {
  yield* everyStep(options, HEALTH_US, ingestHealth);
  yield* everyStep(options, MINUTE_US, storageUsage);
  yield* everyStep(options, MINUTE_US, anyMetrics);
  yield* everyStep(options, HOUR_US, gapsOfHour);
  yield* everyStep(options, HOUR_US, alertsOfHour);
  yield* everyStep(options, 6 * HOUR_US, daemonLife);
}

/** At round times, so that the same moment gives the same rows whatever the range. */
function* everyStep(
  { seed, fromUs, toUs }: OtherRowsOptions,
  stepUs: number,
  slotsAt: (random: RandomStream, tsUs: number) => Iterable<Slot>,
): Generator<Slot> {
  const random = new RandomStream(seed, `other/${slotsAt.name}`);
  for (let tsUs = Math.ceil(fromUs / stepUs) * stepUs; tsUs < toUs; tsUs += stepUs) {
    for (const one of slotsAt(random, tsUs)) if (one.tsUs < toUs) yield one;
  }
}

function ingestHealth(random: RandomStream, ts: number): Slot[] {
  // Counted since a start that lies before any range.
  const ticks = Math.floor(ts / HEALTH_US) - 170_000_000;
  const ids = { ts, instance: INSTANCE };
  const none = { accepted: 0, written: 0, rejected: 0, dead_lettered: 0, retried: 0 };
  const rollups = ROLLUPS.map(({ name }) => ({
    ...{ ...ids, ...none, table: name, state: "ok" as const, lag_txns: Math.floor(random.exponential(3)) },
  }));
  const tables = EVENTS.map(({ name }, index) => {
    const accepted = ticks * (index + 1);
    const p50 = 40 * Math.exp(0.2 * random.normal());
    return {
      ...{ ...ids, table: name, state: "ok" as const, accepted, written: accepted - index },
      ...{ rejected: Math.floor(ticks / 50), dead_lettered: Math.floor(ticks / 100) },
      ...{ retried: Math.floor(ticks / 90), requests: ticks, request_bytes: accepted * 150 },
      ...{ spool_bytes: Math.floor(random.exponential(20_000)), oldest_pending_ms: random.exponential(60) },
      ...{ queryable_p50_ms: p50, queryable_p99_ms: p50 * 2.5, lag_txns: 0, pending_rows: 0 },
    };
  });
  return [slot("ingest_health", ts, [...tables, ...rollups])];
}

function storageUsage(_: RandomStream, ts: number): Slot[] {
  const minutes = ts / MINUTE_US - 29_000_000;
  const parquet = PARQUET_PATHS.map((path, index) => ({
    ...{
      ts,
      store: "parquet" as const,
      path,
      bytes: Math.floor(minutes * 2_000 * (index + 1)),
      files: 90,
      partitions: 90,
    },
  }));
  const tables = EVENTS.map(({ name }, index) => ({
    ...{
      ts,
      store: "questdb" as const,
      path: name,
      bytes: Math.floor(minutes * 500 * (index + 1)),
      partitions: 90,
    },
  }));
  const spool = { ts, store: "spool" as const, path: "spool", bytes: 4_000_000, files: 3 };
  return [slot("storage_usage", ts, [...parquet, ...tables, spool])];
}

function anyMetrics(random: RandomStream, ts: number): Slot[] {
  const rows = EXCHANGES.map((exchange) => ({
    ...{
      ts,
      name: "order_book_spread_bps",
      source: "trader",
      value: random.exponential(2),
      exchange,
      symbol: "BTC/USDT:USDT",
    },
  }));
  return [slot("metrics", ts, rows)];
}

function gapsOfHour(random: RandomStream, ts: number): Slot[] {
  const startUs = ts + Math.floor(random.next() * 50) * MINUTE_US;
  const minutes = 1 + Math.floor(random.exponential(6));
  const symbol = W90_COINS[Math.floor(random.next() * W90_COINS.length)]?.symbol ?? "BTC/USDT:USDT";
  const ids = { ts: startUs, exchange: pick(random, EXCHANGES), symbol, dataset: pick(random, DATASETS) };
  const extent = { gap_end: startUs + minutes * MINUTE_US, duration_s: minutes * 60, missing_rows: minutes };
  return [
    slot("data_gaps", startUs, [
      { ...ids, ...extent, status: pick(random, ["open", "closed", "backfilled"]) },
    ]),
  ];
}

/** One episode: it fires, sometimes somebody acknowledges it, it ends. */
function alertsOfHour(random: RandomStream, ts: number): Slot[] {
  const { rule, severity } = pick(random, RULES);
  const exchange = pick(random, EXCHANGES);
  const startedUs = ts + Math.floor(random.next() * 20) * MINUTE_US;
  const endedUs = startedUs + Math.floor((1 + random.exponential(5)) * MINUTE_US);
  const common = {
    ...{ fingerprint: `${rule}-${exchange}`, rule, severity, labels: JSON.stringify({ exchange }) },
    ...{
      summary: `${rule} at ${exchange}`,
      receiver: "telegram",
      started_at: startedUs,
      notified_at: startedUs + 2 * SECOND_US,
    },
  };
  const at = (tsUs: number, state: "firing" | "acknowledged" | "resolved", value: number) =>
    slot("alerts", tsUs, [
      { ...common, ts: tsUs, state, value, ended_at: state === "resolved" ? tsUs : null },
    ]);
  const rows = [at(startedUs, "firing", 1)];
  if (random.next() < 0.3) rows.push(at(startedUs + 30 * SECOND_US, "acknowledged", 1));
  if (random.next() < 0.9) rows.push(at(endedUs, "resolved", 0));
  return rows;
}

function daemonLife(random: RandomStream, ts: number): Slot[] {
  const daemon = pick(random, ["trader", "collector", "risk"]);
  const startUs = ts + Math.floor(random.next() * 300) * MINUTE_US;
  const ids = { daemon, instance: `${daemon}-1`, version: "1.4.2" };
  const event = (tsUs: number, what: "crashed" | "restarted" | "config_changed", exitCode: number | null) =>
    slot("daemon_events", tsUs, [
      {
        ...ids,
        ts: tsUs,
        event_id: `${tsUs}`,
        event: what,
        exit_code: exitCode,
        reason: `${what} in a test`,
      },
    ]);
  return random.next() < 0.5
    ? [event(startUs, "crashed", 137), event(startUs + 5 * SECOND_US, "restarted", null)]
    : [event(startUs, "config_changed", null)];
}

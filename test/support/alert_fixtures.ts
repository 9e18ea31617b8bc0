// What a healthy and a broken installation look like to each alert rule: rows of the tables, seconds ago. All of them are
// stored side by side, each under names of its own, so that a rule that also fires on another's rows is found out.

import {
  type AlertFixture,
  connection,
  event,
  fetched,
  health,
  I,
  ingest,
  rest,
  sample,
  series,
  uuid,
} from "./alert_fixture_rows.ts";
import { TRADING_ALERT_FIXTURES } from "./alert_fixtures_trading.ts";

const CONNECTIONS = [
  connection(7200, "down_healthy", "connected", 1),
  connection(900, "down_back", "disconnected", 1),
  connection(60, "down_back", "connected", 2),
  connection(900, "down_degraded", "disconnected", 1),
  connection(60, "down_degraded", "degraded", 2),
  connection(900, "down_never", "unsupported", 1),
  connection(7200, "down_just_now", "connected", 1),
  connection(3, "down_just_now", "disconnected", 2),
  connection(7200, "down_long", "connected", 1),
  connection(400, "down_long", "disconnected", 2),
];

/** By rule; QuestDBDown, TableSuspended and RollupInvalid are broken by other means. */
export const ALERT_FIXTURES: Readonly<Record<string, AlertFixture>> = {
  ExchangeDisconnected: {
    rows: { connections: CONNECTIONS },
    healthy: [rest("down_healthy"), rest("down_back"), rest("down_degraded"), rest("down_never")],
    firing: [rest("down_just_now"), rest("down_long")],
  },
  ExchangeDown5m: {
    healthy: [rest("down_healthy"), rest("down_back"), rest("down_just_now")],
    firing: [rest("down_long")],
  },
  RateLimitNearLimit: {
    rows: {
      connectivity: [
        ...[60, 5].map((ago) =>
          sample(ago, "limit_fine", { rate_limit_used: 400, rate_limit_capacity: 1000 }),
        ),
        sample(60, "limit_fell", { rate_limit_used: 990, rate_limit_capacity: 1000 }),
        sample(5, "limit_fell", { rate_limit_used: 100, rate_limit_capacity: 1000 }),
        sample(5, "limit_unknown", {}),
        sample(5, "limit_near", { rate_limit_used: 950, rate_limit_capacity: 1000 }),
      ],
    },
    healthy: [rest("limit_fine"), rest("limit_fell"), rest("limit_unknown")],
    firing: [rest("limit_near")],
  },
  ClockSkew: {
    rows: {
      connectivity: [
        ...series(10, 10, 5, {
          exchange: "clock_fine",
          channel: "rest",
          instance: I,
          up: true,
          clock_skew_ms: -20,
        }),
        sample(20, "clock_slow_answer", { clock_skew_ms: 5000 }),
        sample(10, "clock_slow_answer", { clock_skew_ms: 3 }),
        ...series(10, 10, 5, {
          exchange: "clock_wrong",
          channel: "rest",
          instance: I,
          up: true,
          clock_skew_ms: -2500,
        }),
      ],
    },
    healthy: [{ exchange: "clock_fine" }, { exchange: "clock_slow_answer" }, { exchange: "limit_fine" }],
    firing: [{ exchange: "clock_wrong" }],
  },
  FeedStale: {
    rows: {
      open_interest: [
        ...series(5, 60, 20, { exchange: "feed_fine", symbol: "BTC/USDT:USDT", open_interest: 1 }),
        ...series(5, 60, 20, { exchange: "feed_oi_only", symbol: "BTC/USDT:USDT", open_interest: 1 }),
        ...series(5, 60, 200, { exchange: "feed_stale", symbol: "BTC/USDT:USDT", open_interest: 1 }),
      ],
      funding_rates: [
        ...series(3, 300, 200, { exchange: "feed_fine", symbol: "BTC/USDT:USDT", funding_rate: 0.0001 }),
        ...series(3, 300, 1000, { exchange: "feed_oi_only", symbol: "BTC/USDT:USDT", funding_rate: 0.0001 }),
      ],
    },
    healthy: [
      { exchange: "feed_fine", dataset: "open_interest" },
      { exchange: "feed_fine", dataset: "funding_rates" },
      { exchange: "feed_oi_only", dataset: "open_interest" },
    ],
    firing: [
      { exchange: "feed_stale", dataset: "open_interest" },
      { exchange: "feed_oi_only", dataset: "funding_rates" },
    ],
  },
  ApiErrorRateHigh: {
    rows: {
      fetches: [
        ...series(20, 20, 10, fetched("api_fine", "ok")),
        ...series(20, 20, 10, fetched("api_lacks_it", "unsupported")),
        ...series(3, 20, 10, fetched("api_few", "error")),
        ...series(17, 20, 11, fetched("api_bad", "ok")),
        ...series(2, 20, 12, fetched("api_bad", "rate_limited")),
        ...series(1, 20, 13, fetched("api_bad", "timeout")),
      ],
    },
    healthy: [{ exchange: "api_fine" }, { exchange: "api_lacks_it" }, { exchange: "api_few" }],
    firing: [{ exchange: "api_bad" }, { exchange: "less_failing" }],
  },
  FetchesBelowExpected: {
    rows: {
      fetches: [
        ...series(120, 60, 10, fetched("less_fine", "ok")),
        ...series(20, 60, 10, fetched("less_new", "ok")),
        ...series(120, 60, 900, fetched("less_silent", "ok")),
        ...series(5, 60, 10, fetched("less_few", "ok")),
        ...series(105, 60, 901, fetched("less_few", "ok")),
        ...series(15, 60, 10, fetched("less_failing", "timeout")),
        ...series(105, 60, 901, fetched("less_failing", "ok")),
      ],
    },
    healthy: ["less_fine", "less_new", "api_fine", "api_bad"].map((exchange) => ({
      exchange,
      dataset: "open_interest",
    })),
    firing: ["less_silent", "less_few", "less_failing"].map((exchange) => ({
      exchange,
      dataset: "open_interest",
    })),
  },
  DataGapOpen: {
    rows: {
      data_gaps: ["gap_closed", "gap_short", "gap_open"].map((exchange) => ({
        ...{ ago: exchange === "gap_short" ? 120 : 1200, exchange, symbol: "BTC/USDT:USDT" },
        ...{ dataset: "open_interest", gap_end: { sql: "now()" }, duration_s: 1200, missing_rows: 20 },
        status: exchange === "gap_closed" ? "backfilled" : "open",
      })),
    },
    healthy: ["gap_closed", "gap_short"].map((exchange) => ({ exchange, dataset: "open_interest" })),
    firing: [{ exchange: "gap_open", dataset: "open_interest" }],
  },
  LiquidationBurst: {
    rows: {
      liquidations: [
        ["burst_fine", 30, 5] as const,
        ["burst_before", 400, 120] as const,
        ["burst_now", 400, 5] as const,
      ].flatMap(([exchange, count, from]) =>
        series(count, 0.1, from, {
          ...{ exchange, symbol: "BTC/USDT:USDT", event_id: uuid, side: "sell", price: 1, amount: 1 },
        }),
      ),
    },
    healthy: [{ exchange: "burst_fine" }, { exchange: "burst_before" }],
    firing: [{ exchange: "burst_now" }],
  },
  DaemonDown: {
    rows: {
      daemon_health: [
        ...health("down_alive"),
        ...health("down_stopped").map((row) => ({ ...row, ago: row.ago + 600 })),
        ...health("down_dead").map((row) => ({ ...row, ago: row.ago + 600 })),
        ...health("down_died_again").map((row) => ({ ...row, ago: row.ago + 600 })),
      ],
      daemon_events: [
        event(900, "down_alive", "started"),
        event(600, "down_stopped", "stopped"),
        event(3600, "down_dead", "started"),
        event(3600, "down_died_again", "stopped"),
        event(3000, "down_died_again", "started"),
      ],
    },
    healthy: [{ daemon: "down_alive" }, { daemon: "down_stopped" }],
    firing: [{ daemon: "down_dead" }, { daemon: "down_died_again" }],
  },
  DaemonRestartLoop: {
    rows: {
      daemon_health: ["loop_once", "loop_before", "loop_now"].flatMap((daemon) => health(daemon)),
      daemon_events: [
        event(300, "loop_once", "started"),
        ...[1000, 2000, 3000, 4000].map((ago) => event(ago, "loop_before", "started")),
        ...[100, 200, 300].map((ago) => event(ago, "loop_now", "restarted")),
      ],
    },
    healthy: [{ daemon: "loop_once" }, { daemon: "loop_before" }, { daemon: "down_alive" }],
    firing: [{ daemon: "loop_now" }],
  },
  MemoryHigh: {
    rows: {
      daemon_health: [...health("fat_fine"), ...health("fat_no", { rss_bytes: null })].concat(
        health("fat_yes", { rss_bytes: 2_000_000_000 }),
      ),
    },
    healthy: ["fat_fine", "fat_no"].map((daemon) => ({ daemon, instance: I })),
    firing: [{ daemon: "fat_yes", instance: I }],
  },
  CpuHigh: {
    rows: {
      daemon_health: [
        ...health("busy_peak").map((row, i) => ({ ...row, cpu_percent: i === 0 ? 400 : 5 })),
        ...health("busy_yes", { cpu_percent: 98 }),
      ],
    },
    healthy: ["busy_peak", "fat_fine"].map((daemon) => ({ daemon, instance: I })),
    firing: [{ daemon: "busy_yes", instance: I }],
  },
  EventLoopLag: {
    rows: { daemon_health: health("lag_yes", { event_loop_lag_ms: 450 }) },
    healthy: ["busy_peak", "fat_fine"].map((daemon) => ({ daemon, instance: I })),
    firing: [{ daemon: "lag_yes", instance: I }],
  },
  SystemError: {
    rows: {
      daemon_errors: [
        ["error_plain", "error", 60] as const,
        ["error_before", "critical", 900] as const,
        ["error_critical", "critical", 60] as const,
      ].map(([component, severity, ago]) => ({
        ...{ ago, daemon: "trader", instance: I, event_id: component, component, severity },
        message: "x",
      })),
    },
    healthy: ["error_plain", "error_before"].map((component) => ({ daemon: "trader", component })),
    firing: [{ daemon: "trader", component: "error_critical" }],
  },
  IngestLagHigh: {
    rows: {
      ingest_health: [
        ingest(30, "fills", { oldest_pending_ms: 60_000 }),
        ...["fills", "orders"].map((table) => ingest(5, table, { oldest_pending_ms: 300 })),
        { ...ingest(5, "fills", { oldest_pending_ms: 60_000 }), instance: "host-lagging" },
        { ...ingest(5, "orders"), instance: "host-lagging" },
      ],
    },
    healthy: [{ instance: I }],
    firing: [{ instance: "host-lagging" }],
  },
  SpoolGrowing: {
    rows: {
      ingest_health: [
        { ...ingest(500, "fills", { spool_bytes: 500_000_000 }), instance: "host-draining" },
        { ...ingest(5, "fills", { spool_bytes: 400_000_000 }), instance: "host-draining" },
        { ...ingest(500, "fills", { spool_bytes: 0 }), instance: "host-growing" },
        { ...ingest(5, "fills", { spool_bytes: 50_000_000 }), instance: "host-growing" },
        { ...ingest(500, "orders", { spool_bytes: 0 }), instance: "host-growing" },
        { ...ingest(5, "orders", { spool_bytes: 50_000_000 }), instance: "host-growing" },
      ],
    },
    healthy: [{ instance: I }, { instance: "host-draining" }],
    firing: [{ instance: "host-growing" }],
  },
  RowsRejected: {
    rows: {
      ingest_health: [
        ...[500, 5].map((ago) => ingest(ago, "signals", { rejected: 7 })),
        ingest(500, "pnl", { rejected: 900 }),
        ingest(5, "pnl", { rejected: 0 }),
        ingest(500, "positions", { rejected: 2 }),
        ingest(5, "positions", { rejected: 4 }),
      ],
    },
    healthy: ["signals", "pnl", "fills"].map((table) => ({ instance: I, table })),
    firing: [{ instance: I, table: "positions" }],
  },
  DeadLetters: {
    rows: {
      ingest_health: [ingest(500, "metrics"), ingest(5, "metrics", { dead_lettered: 1 })],
    },
    healthy: ["signals", "positions"].map((table) => ({ instance: I, table })),
    firing: [{ instance: I, table: "metrics" }],
  },
  DiskSpaceLow: {
    rows: {
      metrics: [["/data", 0.5] as const, ["/full", 0.04] as const].map(([path, value]) => ({
        ...{ ago: 30, name: "disk_free_ratio", source: "tickwatch", labels_hash: path, value },
        ...{ labels: JSON.stringify({ path }), instance: I },
      })),
    },
    healthy: [{ instance: I, disk: '{"path":"/data"}' }],
    firing: [{ instance: I, disk: '{"path":"/full"}' }],
  },
  StorageBudget: {
    rows: {
      storage_usage: [
        ...["fills", "orders"].map((path) => ({ ago: 30, store: "questdb", path, bytes: 1_000_000_000 })),
        { ago: 90, store: "questdb", path: "fills", bytes: 9_900_000_000 },
        ...["a", "b"].map((path) => ({ ago: 30, store: "parquet", path, bytes: 6_000_000_000 })),
      ],
    },
    healthy: [{ store: "questdb" }],
    firing: [{ store: "parquet" }],
  },
  ...TRADING_ALERT_FIXTURES,
};

// The part of alert_fixtures.ts about money and about alerts.
import {
  type AlertFixture,
  fills,
  held,
  mark,
  order,
  pnl,
  position,
  told,
  toldLabels,
} from "./alert_fixture_rows.ts";

export const TRADING_ALERT_FIXTURES: Readonly<Record<string, AlertFixture>> = {
  DrawdownHigh: {
    rows: {
      pnl: [
        ...pnl("draw_fine", 990, -0.01),
        ...pnl("draw_deep", 940, -0.06),
        ...pnl("draw_told_by_equity", 900, null),
      ],
    },
    healthy: [{ account: "main", strategy: "draw_fine" }],
    firing: ["draw_deep", "draw_told_by_equity"].map((strategy) => ({ account: "main", strategy })),
  },
  WinRateLow: {
    rows: {
      fills: [
        ...fills("win_fine", 6, 6),
        ...fills("win_few", 0, 5),
        ...fills("win_not", 3, 9),
        ...fills(null, 7, 7),
      ],
    },
    healthy: ["win_fine", "win_few", "none"].map((strategy) => ({ account: "main", strategy })),
    firing: [{ account: "main", strategy: "win_not" }],
  },
  ExecutionLatencyHigh: {
    rows: {
      orders: [
        order(60, "latency_fine", "1", {}),
        order(1200, "latency_before", "2", { latency_ms: 9000 }),
        order(60, "latency_none", "3", { latency_ms: null }),
        order(60, "latency_slow", "4", {}),
        order(50, "latency_slow", "5", { latency_ms: 7000 }),
      ],
    },
    healthy: ["latency_fine", "latency_before", "latency_none"].map((account) => ({
      account,
      exchange: "okx",
    })),
    firing: [{ account: "latency_slow", exchange: "okx" }],
  },
  OrderRejects: {
    rows: {
      orders: [
        ...[60, 50, 40].map((ago) => order(ago, "reject_few", `f${ago}`, { status: "rejected" })),
        ...[60, 50, 40, 30].map((ago) => order(ago, "reject_many", `m${ago}`, { status: "rejected" })),
      ],
    },
    healthy: ["reject_few", "latency_fine"].map((account) => ({ account, exchange: "okx" })),
    firing: [{ account: "reject_many", exchange: "okx" }],
  },
  MarginRatioLow: {
    rows: {
      positions: [
        ...position("margin_fine", {}),
        ...position("margin_unknown", { margin_ratio: null }),
        ...position("margin_thin", { margin_ratio: 0.85 }),
        ...position("margin_thin", { margin_ratio: 0.1, position_id: "p2" }),
        ...position("margin_closed", { margin_ratio: 0.95 }).map((row) => ({ ...row, ago: row.ago + 300 })),
      ],
    },
    healthy: ["margin_fine", "margin_unknown"].map(held),
    firing: [held("margin_thin")],
  },
  LiquidationNear: {
    rows: {
      positions: [
        ...position("near_never", { liquidation_price: null }),
        ...position("near_yes", { liquidation_price: 97 }),
      ],
    },
    healthy: ["margin_fine", "margin_thin", "near_never"].map(held),
    firing: [held("near_yes")],
  },
  ExposureHigh: {
    rows: {
      positions: [
        ...position("exposed", { notional_usd: 300 }),
        ...position("exposed", { notional_usd: -200, position_id: "p2" }),
      ],
      account_marks: ["margin_fine", "margin_thin", "near_yes", "exposed"].flatMap((account) =>
        mark(account, 100),
      ),
    },
    healthy: ["margin_fine", "near_yes"].map((account) => ({ account, exchange: "okx" })),
    firing: [{ account: "exposed", exchange: "okx" }],
  },
  AlertUnacknowledged: {
    rows: {
      alerts: [
        told(1800, "aa_over", "firing"),
        told(60, "aa_over", "resolved"),
        told(1800, "aa_acknowledged", "firing"),
        told(1700, "aa_acknowledged", "acknowledged"),
        told(300, "aa_young", "firing"),
        told(1800, "aa_warning", "firing", { severity: "warning" }),
        told(1800, "aa_itself", "firing", { rule: "AlertUnacknowledged" }),
        told(9000, "aa_again", "firing"),
        told(8000, "aa_again", "acknowledged"),
        told(7000, "aa_again", "resolved"),
        told(1800, "aa_again", "firing"),
        told(1800, "aa_open", "firing"),
      ],
    },
    healthy: ["aa_over", "aa_acknowledged", "aa_young", "aa_warning"].map(toldLabels),
    firing: ["aa_again", "aa_open"].map(toldLabels),
  },
};

// What each dashboard must show at least, as the promise to those who operate a trading system. A panel may be renamed or moved; when
// what it shows vanishes, this fails.
import { expect, test } from "vitest";
import { type Dashboard, dashboardOf, readDashboards } from "../../bench/panels/dashboard_file.ts";
import { RENDERED } from "../support/dashboard_exceptions.ts";
import { sampleDashboard } from "../support/dashboard_sample.ts";

/** Subject → words of title and description, in any order of panels; all of a subject's patterns in one panel. */
type Subjects = Readonly<Record<string, readonly RegExp[]>>;

const MUST_SHOW: Readonly<Record<string, Subjects>> = {
  health: {
    "status per daemon": [/state of each daemon/i],
    uptime: [/uptime/i],
    "memory now": [/memory now/i],
    "memory trend": [/^Memory —/],
    CPU: [/\bCPU\b/],
    "event-loop lag": [/event-loop lag/i],
    restarts: [/^Restarts/],
    "last error with time": [/last error/i, /when/i],
    "errors by component and code": [/errors by component and code/i],
    "disk use of spool and database": [/disk use/i, /spool/i, /questdb/i],
  },
  pipeline: {
    "open interest fetches an hour": [/open.interest/i, /fetches/i, /hour/i],
    "funding fetches an hour": [/funding/i, /fetches/i, /hour/i],
    "fetch success rate per exchange": [/success/i, /exchange/i],
    "fetch duration p50": [/duration/i, /p50|median/i],
    "fetch duration p95": [/duration/i, /p95|95th/i],
    "expected against actual counts": [/expected/i],
    "liquidations a minute with bursts": [/liquidations/i, /burst/i],
    "data gaps with duration and symbols": [/gaps/i, /symbol/i],
    "freshest row per series": [/fresh|newest row|age/i],
    "Parquet storage": [/parquet/i],
    "ingest lag": [/queryable|lag/i],
    spool: [/spool/i],
    "rejects and dead letters": [/refused|reject/i, /dead.letter/i],
  },
  exchange: {
    "status per exchange and channel": [/state|status/i, /exchange/i, /channel/i],
    "unsupported in grey": [/unsupported/i],
    "state timeline": [/timeline|over time/i, /connect/i],
    "downtime per day": [/downtime/i, /day/i],
    "WebSocket and REST latency": [/latency|round trip|answer/i],
    "clock skew": [/clock/i],
    reconnections: [/reconnect/i],
    "last message age": [/message/i, /age|since|last/i],
    "rate limit used": [/rate limit/i],
    "API error rate": [/error/i],
  },
  trading: {
    "realized and unrealized profit": [/realized/i, /unrealized/i],
    equity: [/^Equity/],
    drawdown: [/drawdown/i],
    "orders a minute": [/orders a minute/i],
    "fill rate": [/fill rate/i],
    "rejected orders": [/rejected orders/i],
    "execution latency": [/execution latency/i],
    "exposure per symbol": [/exposure per symbol/i],
    "open orders": [/open orders/i],
    "win rate": [/win rate/i],
    "Sharpe ratio": [/sharpe/i],
    "strategies compared": [/strategies compared/i],
    "recent fills": [/recent fills/i],
  },
  risk: {
    "margin ratio": [/margin ratio/i],
    "distance to liquidation": [/distance to liquidation|nearest liquidation/i],
    leverage: [/leverage/i],
    "capital utilisation": [/capital utilisation/i],
    "maximum drawdown of an hour, a day, a week": [/maximum drawdown/i, /hour/i, /day/i, /week/i],
    "VaR and CVaR": [/VaR/, /CVaR/],
    "exposure by exchange": [/exposure by exchange/i],
    "exposure by currency": [/exposure by currency/i],
  },
  market: {
    "open interest across exchanges": [/open interest by exchange/i],
    "open interest per symbol": [/open interest by symbol|symbols across exchanges/i],
    "funding across exchanges": [/funding by exchange/i],
    "funding heat map": [/funding heat map/i],
    "liquidation map": [/liquidation map/i],
    "open interest change leaders": [/change leaders/i],
  },
  alerts: {
    "firing now": [/firing now/i],
    "history with state and duration": [/history/i, /how long/i],
    "count by rule": [/count by rule/i],
    "time to notify": [/time to notify/i],
    acknowledgements: [/^Acknowledgements/],
  },
  tickwatch: {
    "accept to queryable p50": [/queryable/i, /p50|median/i],
    "accept to queryable p99": [/queryable/i, /p99|99/i],
    "rows a second by table": [/rows/i, /second/i, /table/i],
    "frame sizes": [/frame|request/i, /size|bytes|rows/i],
    retries: [/retr/i],
    "suspended tables": [/suspended/i],
    "WAL lag": [/not yet applied|WAL|behind/i],
  },
};

function missing({ panels }: Dashboard, subjects: Subjects): string[] {
  const texts = panels.map(({ title, description }) => `${title} — ${description}`);
  return Object.entries(subjects)
    .filter(([, patterns]) => !texts.some((text) => patterns.every((pattern) => pattern.test(text))))
    .map(([subject]) => subject);
}

const DASHBOARDS = new Map(readDashboards(RENDERED).map((dashboard) => [dashboard.name, dashboard]));

test.each(Object.entries(MUST_SHOW))("dashboard %s shows what it must", (name, subjects) => {
  const dashboard = DASHBOARDS.get(name);
  if (dashboard === undefined) throw new Error(`dashboard ${name} is missing`);
  expect(missing(dashboard, subjects)).toEqual([]);
});

test("a dashboard without one of its panels is found out", () => {
  const sample = dashboardOf("sample", sampleDashboard());
  expect(missing(sample, { states: [/^States/], uptime: [/uptime/i] })).toEqual(["uptime"]);
});

test("there are no other dashboards", () => {
  expect([...DASHBOARDS.keys()].toSorted()).toEqual(Object.keys(MUST_SHOW).toSorted());
});

// Rows of the tables as fixtures of alerts write them down: what a healthy row has, and what differs.

/** A row by column; `ago` is how many seconds ago it was. Numbers, texts, true and null; `sql` stands for itself. */
export type FixtureRow = { readonly ago: number } & Readonly<
  Record<string, number | string | boolean | null | { readonly sql: string }>
>;

export interface AlertFixture {
  readonly rows?: Readonly<Record<string, readonly FixtureRow[]>>;
  /** Labels of instances that must be there and not fire. */
  readonly healthy: readonly Labels[];
  /** Labels of the instances that must fire, and no others. */
  readonly firing: readonly Labels[];
}

export type Labels = Readonly<Record<string, string>>;

/** `count` rows, every `everyS` seconds, the newest `fromS` seconds ago. */
export function series(
  count: number,
  everyS: number,
  fromS: number,
  row: Omit<FixtureRow, "ago">,
): FixtureRow[] {
  return Array.from({ length: count }, (_, i) => ({ ...row, ago: fromS + i * everyS }));
}

export const uuid = { sql: "rnd_uuid4()" };
/** The instance of everything that has one. */
export const I = "host-1";

export const connection = (ago: number, exchange: string, state: string, seq: number): FixtureRow => ({
  ...{ ago, exchange, channel: "rest", instance: I, seq, state },
});
export const sample = (ago: number, exchange: string, more: Omit<FixtureRow, "ago">): FixtureRow => ({
  ...{ ago, exchange, channel: "rest", instance: I, up: true },
  ...more,
});
export const fetched = (exchange: string, status: string) => ({
  ...{ exchange, dataset: "open_interest", method: "fetchOpenInterest", fetch_id: uuid },
  ...{ status, duration_ms: 80, row_count: 1 },
});
export const health = (daemon: string, more: Omit<FixtureRow, "ago"> = {}) =>
  series(12, 10, 2, {
    ...{ daemon, instance: I, uptime_s: 900, cpu_percent: 5, rss_bytes: 100_000_000, event_loop_lag_ms: 2 },
    ...more,
  });
export const event = (ago: number, daemon: string, name: string): FixtureRow => ({
  ...{ ago, daemon, instance: I, event_id: `${daemon}${ago}`, event: name },
});
export const ingest = (ago: number, table: string, more: Omit<FixtureRow, "ago"> = {}): FixtureRow => ({
  ...{ ago, instance: I, table, accepted: 10, written: 10, rejected: 0, dead_lettered: 0, retried: 0 },
  ...{ spool_bytes: 0, oldest_pending_ms: 0 },
  ...more,
});
export const order = (
  ago: number,
  account: string,
  id: string,
  more: Omit<FixtureRow, "ago">,
): FixtureRow => ({
  ...{ ago, account, exchange: "okx", order_id: id, seq: 1, symbol: "BTC/USDT:USDT", side: "buy" },
  ...{ order_type: "limit", status: "open", amount: 1, latency_ms: 40 },
  ...more,
});
export const position = (account: string, more: Omit<FixtureRow, "ago">) =>
  series(3, 10, 2, {
    ...{ account, strategy: "trend", exchange: "okx", symbol: "BTC/USDT:USDT", position_id: "p1" },
    ...{ side: "long", amount: 1, mark_price: 100, notional_usd: 100, margin_ratio: 0.1 },
    ...{ liquidation_price: 50 },
    ...more,
  });
export const held = (account: string): Labels => ({
  ...{ account, strategy: "trend", exchange: "okx", symbol: "BTC/USDT:USDT", side: "long" },
});
export const mark = (account: string, balance: number) =>
  series(3, 10, 2, { account, exchange: "okx", balance, margin_used: 0, open_orders: 0 });
export const pnl = (strategy: string, equity: number, drawdown: number | null) =>
  series(3, 10, 2, {
    ...{ account: "main", strategy, currency: "USDT", realized_pnl: 0, unrealized_pnl: 0 },
    ...{ equity, peak_equity: 1000, drawdown },
  });
/** Orders that close, in two fills each, between as many that only open and have no profit. */
export const fills = (strategy: string | null, wins: number, losses: number) =>
  Array.from({ length: wins + losses }, (_, i) => {
    const order = { account: "main", exchange: "okx", strategy, symbol: "BTC/USDT:USDT", is_maker: true };
    const fill = { ...order, ago: 60 + i, order_id: `${strategy}${i}`, side: "sell", price: 100, amount: 1 };
    return [
      { ...fill, fill_id: `${strategy}${i}a`, realized_pnl: i < wins ? 5 : -5 },
      // A fill of a winning order that lost a little.
      { ...fill, fill_id: `${strategy}${i}b`, realized_pnl: -1 },
      { ...fill, fill_id: `${strategy}${i}c`, order_id: `${strategy}${i}c`, side: "buy", realized_pnl: null },
    ];
  }).flat();
export const told = (
  ago: number,
  fingerprint: string,
  state: string,
  more: Omit<FixtureRow, "ago"> = {},
) => ({
  ...{ ago, fingerprint, state, rule: "ExchangeDown5m", severity: "critical" },
  ...{ labels: '{"exchange":"okx"}', started_at: { sql: "now()" } },
  ...more,
});
export const toldLabels = (fingerprint: string): Labels => ({
  ...{ fingerprint, rule: "ExchangeDown5m", alert: '{"exchange":"okx"}' },
});

export const rest = (exchange: string): Labels => ({ exchange, channel: "rest" });

/** INSERT statements for rows of one table; `nowUs` is what `ago` counts from. */
export function insertStatements(table: string, rows: readonly FixtureRow[], nowUs: number): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => name !== "ago");
  const columns = ["ts", ...names].map((name) => `"${name}"`).join(", ");
  const values = rows.map((row) => {
    const ts = `cast(${nowUs - Math.round(row.ago * 1_000_000)} as timestamp)`;
    return `(${[ts, ...names.map((name) => literal(row[name]))].join(", ")})`;
  });
  const parts = Array.from({ length: Math.ceil(values.length / 200) }, (_, i) =>
    values.slice(i * 200, (i + 1) * 200),
  );
  return parts.map((part) => `INSERT INTO "${table}" (${columns}) VALUES ${part.join(", ")}`);
}

function literal(value: FixtureRow[string] | undefined): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "object") return value.sql;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

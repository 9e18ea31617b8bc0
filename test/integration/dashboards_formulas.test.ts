// The figures on the dashboards are what their descriptions say: the SQL of the rendered panels, found by their numbers, over rows
// made by hand, against figures computed on paper.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDashboards } from "../../bench/panels/dashboard_file.ts";
import { expandMacros } from "../../bench/panels/macros.ts";
import { interpolate } from "../../bench/panels/variables.ts";
import { systemClock } from "../../ingest/clock.ts";
import { type FormulaDatabase, startFormulaDatabase } from "../support/formula_database.ts";
import { type At, formulaRows, RETURNS_E4 } from "../support/formula_rows.ts";

const BOARDS = readDashboards(
  join(import.meta.dirname, "..", "..", "provisioning", "dashboards", "files", "tickwatch"),
);
const HOUR_US = 3_600_000_000;
const MINUTE_MS = 60_000;
const ALL: Readonly<Record<string, readonly string[]>> = {
  account: ["flows", "tails", "gap", "pace", "ends", "wins", "holds"],
  strategy: ["(none)", "early", "late", "only", "busy", "silent"],
  exchange: ["okx", "old", "late"],
  symbol: ["BTC/USDT:USDT", "AAA/USDT:USDT", "BBB/USDT:USDT"],
};

// The last three full hours, so that nothing is too old for any table.
const START_US = Math.floor(systemClock().nowUs() / HOUR_US) * HOUR_US - 3 * HOUR_US;
const at: At = (minute, second = 0) => START_US + (minute * 60 + second) * 1_000_000;

let database: FormulaDatabase | undefined;

beforeAll(async () => {
  database = await startFormulaDatabase(formulaRows(at));
});

afterAll(async () => {
  await database?.remove();
});

interface Asked {
  readonly fromUs: number;
  readonly toUs: number;
  readonly intervalMs?: number;
  readonly refId?: string;
  /** Chosen values; of the variables that are not named, all. */
  readonly chosen?: Readonly<Record<string, readonly string[]>>;
}

/** Rows of the panel's query, as the data source would ask for them. */
async function ask(
  board: string,
  panelId: number,
  { fromUs, toUs, intervalMs = MINUTE_MS, refId = "A", chosen = {} }: Asked,
): Promise<readonly Record<string, unknown>[]> {
  const panels = BOARDS.find(({ name }) => name === board)?.panels ?? [];
  const target = panels.find(({ id }) => id === panelId)?.targets.find((one) => one.refId === refId);
  if (target?.rawSql === undefined) throw new Error(`${board} has no query ${refId} in panel ${panelId}`);
  const window = { fromUs, toUs, intervalMs };
  const values = new Map(Object.entries({ ...ALL, ...chosen }));
  if (database === undefined) throw new Error("there is no database");
  return await database.sql.query(expandMacros(interpolate(target.rawSql, values, window), window));
}

const only = (account: string) => ({ account: [account] });
const close = (value: number) => expect.closeTo(value, 9);

test("drawdown of all together follows gains and losses; new strategies and capital taken away are neither", async () => {
  const rows = await ask("trading", 203, {
    ...{ fromUs: at(0), toUs: at(7), intervalMs: 10_000, refId: "B", chosen: only("flows") },
  });
  const byMinute = [1, 2, 3, 4, 5, 6].map(
    (minute) => rows.find(({ time }) => time === at(minute))?.["drawdown"],
  );
  expect(byMinute).toEqual(
    [0, close(-0.05), close(-0.05), close(-0.05), close(0.95 * 0.99 - 1), 0].map(orZero),
  );
  // The tile above shows where it ends.
  const [last] = (await ask("trading", 103, { fromUs: at(0), toUs: at(5, 30), chosen: only("flows") })).slice(
    -1,
  );
  expect(last).toMatchObject({ strategy: "all together", account: "USDT", drawdown: close(0.95 * 0.99 - 1) });
});

/** Sums of logarithms come out as a tiny number where nought is meant. */
function orZero(value: unknown): unknown {
  return value === 0 ? close(0) : value;
}

test("the deepest fall within an hour, a day and a week is measured from the peak before it", async () => {
  const asked = { fromUs: at(6), toUs: at(7), chosen: only("flows") };
  for (const [refId, span] of Object.entries({ A: "1 hour, USDT", B: "1 day, USDT", C: "1 week, USDT" })) {
    expect(await ask("risk", 105, { ...asked, refId })).toEqual([{ span, drawdown: close(0.95 * 0.99 - 1) }]);
  }
});

test("drawdown by strategy is the worst that its daemon reported, and equity the sum over strategies", async () => {
  const asked = { fromUs: at(0), toUs: at(7), intervalMs: 300_000, chosen: only("flows") };
  const worst = await ask("trading", 203, asked);
  expect(worst.map(({ strategy, drawdown }) => [strategy, drawdown])).toEqual([
    ["early", -0.05],
    ["late", 0],
    ["early", -0.05],
    ["late", -0.012725],
  ]);
  const equity = await ask("trading", 202, { ...asked, intervalMs: MINUTE_MS });
  expect(equity.map(({ equity: sum }) => sum)).toEqual(
    [1000, 1100, 1045, 3045, 2545, 2519.55, 2771.505].map(close),
  );
});

test("profit is realized and unrealized together, and counts from the range's first mark of each strategy", async () => {
  const asked = { fromUs: at(1), toUs: at(7), chosen: only("flows") };
  const total = (await ask("trading", 201, asked)).at(-1);
  expect(total).toMatchObject({ realized: close(251.505), unrealized: 20, total: close(271.505) });
  // early: 100 → 45; late: 0 → 226.505.
  expect((await ask("trading", 102, asked)).at(-1)).toMatchObject({
    currency: "USDT",
    profit: close(171.505),
  });
});

const MEAN_E4 = RETURNS_E4.reduce((sum, value) => sum + value, 0) / 100;
const tails = () => ({ fromUs: at(10), toUs: at(110, 10), chosen: only("tails") });

test("Sharpe is mean ÷ sample deviation of the minutes' returns × √ of the minutes of 365 days", async () => {
  // 100 whole numbers in a row: mean 9.5, sample variance 100 × 101 ÷ 12.
  expect(MEAN_E4).toBe(9.5);
  const sharpe = (9.5 / Math.sqrt((100 * 101) / 12)) * Math.sqrt(365 * 24 * 60);
  expect(await ask("trading", 104, tails())).toEqual([
    { returns: "USDT, returns of 1 min", sharpe: expect.closeTo(sharpe, 5) },
  ]);
  const [compared] = await ask("trading", 302, tails());
  expect(compared).toMatchObject({ strategy: "only", sharpe: expect.closeTo(sharpe, 5) });
});

test("too few returns give no Sharpe ratio", async () => {
  const rows = await ask("trading", 104, { fromUs: at(10), toUs: at(38), chosen: only("tails") });
  expect(rows).toEqual([{ returns: "USDT, returns of 1 min", sharpe: null }]);
});

test("VaR is the fifth worst of a hundred returns and CVaR the mean of the five, the minute under way left out", async () => {
  const rows = await ask("risk", 402, tails());
  expect(rows).toEqual([
    {
      ...{ currency: "USDT", horizon: "1 min", returns: 100, amount_95: expect.any(Number) },
      ...{ var_95: close(0.0036), cvar_95: close(0.0038), var_99: close(0.004), cvar_99: close(0.004) },
    },
  ]);
  const tiles = await ask("risk", 106, tails());
  expect(tiles).toEqual([
    { name: "VaR, 1 min, USDT", loss: close(0.0036) },
    { name: "CVaR, 1 min, USDT", loss: close(0.0038) },
  ]);
});

test("minutes without marks are no returns, and what happened in them is no return of one minute", async () => {
  const [minutes] = await ask("risk", 402, { fromUs: at(10), toUs: at(100), chosen: only("gap") });
  // 39 in the first forty minutes, 39 in the last; the loss of a half is in none.
  expect(minutes).toMatchObject({ horizon: "1 min", returns: 78, var_99: null });
  expect(Number(minutes?.["cvar_95"])).toBeLessThan(0.0025);
});

test("win rate counts orders that closed something, not fills; one that came out even is no win", async () => {
  const asked = { fromUs: at(0), toUs: at(10), chosen: only("wins") };
  expect(await ask("trading", 105, asked)).toEqual([{ win_rate: close(1 / 3) }]);
  expect(await ask("trading", 105, { ...asked, toUs: at(1) })).toEqual([{ win_rate: null }]);
});

test("fill rate is the share of ended orders that were filled completely, by size the mean share of their amount", async () => {
  const asked = { fromUs: at(0), toUs: at(10), chosen: only("ends") };
  expect(await ask("trading", 108, asked)).toEqual([{ fill_rate: close(2 / 5) }]);
  const [whole] = await ask("trading", 404, { ...asked, intervalMs: 300_000 });
  expect(whole).toMatchObject({ completely: close(2 / 5), by_size: close(0.5) });
  expect(await ask("trading", 109, asked)).toEqual([{ rejected: close(1 / 5) }]);
  const [open, ...more] = await ask("trading", 406, asked);
  expect([open?.["order_id"], open?.["strategy"], more]).toEqual(["f", "(none)", []]);
});

test("orders a minute are the same at every zoom, and neither end of the range shows a part of an interval", async () => {
  const asked = { fromUs: at(2, 20), toUs: at(17, 40), chosen: only("pace") };
  for (const intervalMs of [MINUTE_MS, 5 * MINUTE_MS]) {
    const rows = await ask("trading", 401, { ...asked, intervalMs });
    expect(new Set(rows.map(({ orders }) => orders))).toEqual(new Set([6]));
    expect(rows.at(-1)?.["time"]).toBe(intervalMs === MINUTE_MS ? at(16) : at(10));
  }
});

test("exposure counts what is held: not a position replaced or closed, but the last known of a silent strategy", async () => {
  const asked = { fromUs: at(0), toUs: at(10, 5), chosen: only("holds") };
  expect(await ask("trading", 106, asked)).toEqual([{ net: 250, gross: 450 }]);
  expect(await ask("trading", 301, asked)).toEqual([{ symbol: "BTC/USDT:USDT", net: 250, gross: 450 }]);
  // Over time it is what was marked at the end of each interval.
  const rows = await ask("trading", 303, { ...asked, intervalMs: MINUTE_MS });
  expect(rows.map(({ gross }) => gross)).toEqual([1850, 1850, 1850, 1800, 1100, 1100, 400, 400, 400, 400]);
  const [five] = await ask("trading", 303, { ...asked, intervalMs: 5 * MINUTE_MS });
  expect(five).toMatchObject({ gross: 1100, net: 900 });
});

test("an alert counts once per time it fires, was notified by its first message, and ends when it fires anew", async () => {
  const asked = { fromUs: at(0), toUs: at(9) };
  expect(await ask("alerts", 101, asked)).toEqual([{ alerts: 1, critical: 1, unacknowledged: 1 }]);
  expect(await ask("alerts", 104, asked)).toEqual([{ alerts: 4 }]);
  const history = await ask("alerts", 302, asked);
  expect(
    history.map(({ rule, state, duration, acknowledged_after, value }) => [
      ...[rule, state, duration, acknowledged_after, value],
    ]),
  ).toEqual([
    ["RuleA", "firing", 60, null, 9],
    ["RuleB", "resolved", 60, null, null],
    ["RuleB", "end not seen", 240, null, null],
    ["RuleA", "resolved", 240, 120, 8],
  ]);
  const delays = await ask("alerts", 401, asked);
  expect(delays.map(({ delay }) => delay)).toEqual([4, 6, 6, 8]);
  // An alert that fires is shown however late the range begins.
  expect(await ask("alerts", 201, { fromUs: at(8, 30), toUs: at(9) })).toMatchObject([{ rule: "RuleA" }]);
});

test("open interest changes by contracts: neither a price nor an exchange that is asked later moves it", async () => {
  const asked = {
    fromUs: at(0),
    toUs: at(10),
    chosen: { exchange: ["old", "late"], symbol: ["AAA/USDT:USDT"] },
  };
  const [leader] = await ask("market", 203, asked);
  expect(leader).toMatchObject({ symbol: "AAA/USDT:USDT", change: close(160 / 150 - 1), exchanges: 2 });
  expect(await ask("market", 102, asked)).toEqual([{ change: close(160 / 150 - 1) }]);
});

test("funding of every interval is shown as of eight hours", async () => {
  const rows = await ask("market", 204, { fromUs: at(0), toUs: at(10), chosen: { exchange: ["old"] } });
  expect(rows).toMatchObject([{ symbol: "AAA/USDT:USDT", rate: close(0.0001), rate_year: close(0.1095) }]);
  const series = await ask("market", 301, {
    fromUs: at(0),
    toUs: at(10),
    chosen: { symbol: ["BBB/USDT:USDT"] },
  });
  expect(series).toMatchObject([{ exchange: "old", rate: close(0.0004) }]);
});

test("a range of more than a day says the same from rollups as a day says from the tables", async () => {
  const chosen = { exchange: ["old"], symbol: ["AAA/USDT:USDT"] };
  const day = { fromUs: at(-20 * 60), toUs: at(120), chosen };
  const longer = { ...day, fromUs: at(-30 * 60) };
  const table = await ask("market", 104, day);
  expect(table).toEqual([{ longs: 450, shorts: 100, n: 3 }]);
  expect(await ask("market", 104, longer)).toEqual(table);
  const map = (await ask("market", 402, { ...longer, intervalMs: 15 * MINUTE_MS })).filter(
    ({ Value }) => Value !== 0,
  );
  expect(map).toEqual([
    { time: at(0), ge: "10.0", Value: 400 },
    { time: at(60), ge: "10.0", Value: 150 },
  ]);
  const flows = { account: ["flows"] };
  const end = async (fromUs: number) =>
    (await ask("trading", 202, { fromUs, toUs: at(60), chosen: flows })).at(-1);
  expect((await end(at(-30 * 60)))?.["equity"]).toEqual((await end(at(-60)))?.["equity"]);
});

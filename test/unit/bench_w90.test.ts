// The reference workload: its numbers are what benchmarks of storage and queries rest on.
import { describe, expect, test } from "vitest";
import { PacedW90 } from "../../bench/workload/paced_w90.ts";
import type { Slot } from "../../bench/workload/w90/stream.ts";
import { W90_ROWS_PER_DAY, w90, w90Days } from "../../bench/workload/w90.ts";
import { EVENTS } from "../../schema/registry.ts";

const START_US = Date.UTC(2026, 7, 1) * 1000;
const DAY_US = 86_400_000_000;
const SEED = 7;

function firstSlots(options: Parameters<typeof w90>[0], count: number): Slot[] {
  const slots: Slot[] = [];
  for (const slot of w90(options)) {
    slots.push(slot);
    if (slots.length === count) break;
  }
  return slots;
}

describe("a day of W90", () => {
  test("has exactly the stated rows of each table, in order, each of them valid", () => {
    const events = new Map<string, (typeof EVENTS)[number]>(EVENTS.map((event) => [event.name, event]));
    const counts: Record<string, number> = {};
    let lastUs = START_US;
    for (const { table, tsUs, rows } of w90Days({ seed: SEED, startUs: START_US + 1 }, 1)) {
      if (tsUs < lastUs) expect.fail(`${table} goes back in time`);
      lastUs = tsUs;
      counts[table] = (counts[table] ?? 0) + rows.length;
      const event = events.get(table);
      for (const row of rows) {
        const outcome = event?.parse(row);
        if (!outcome?.ok) expect.fail(`${table}: ${outcome?.message}: ${JSON.stringify(row)}`);
        if (row.ts !== tsUs) expect.fail(`${table}: a row of another moment`);
      }
    }
    expect(counts).toEqual(W90_ROWS_PER_DAY);
    expect(lastUs).toBeLessThan(START_US + DAY_US);
  }, 120_000);

  test("has ten bursts of liquidations of two thousand in a minute", () => {
    const perMinute = new Map<number, number>();
    for (const { table, tsUs } of w90Days({ seed: SEED, startUs: START_US }, 1)) {
      const minute = Math.floor(tsUs / 60_000_000);
      if (table === "liquidations") perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
    }
    // A burst rarely begins with the clock's minute: it shows in two of them.
    const busy = [...perMinute.values()].filter((rows) => rows > 500);
    expect(busy.reduce((sum, rows) => sum + rows, 0)).toBeGreaterThan(15_000);
    expect(busy.length).toBeLessThanOrEqual(20);
  }, 60_000);
});

test("no two rows of a table have the same key: the database would make one of them", () => {
  const events = new Map<string, (typeof EVENTS)[number]>(EVENTS.map((event) => [event.name, event]));
  const seen = new Set<string>();
  let count = 0;
  for (const { table, tsUs, rows } of w90({ seed: SEED, startUs: START_US })) {
    if (tsUs > START_US + 3_600_000_000) break;
    const keys = events.get(table)?.keys ?? [];
    for (const row of rows) seen.add([table, row.ts, ...keys.map((key) => row[key])].join(" "));
    count += rows.length;
  }
  expect(count).toBeGreaterThan(35_000);
  expect(seen.size).toBe(count);
});

test("the same seed gives the same rows, another seed other ones", () => {
  const text = (seed: number, startUs: number) => JSON.stringify(firstSlots({ seed, startUs }, 2_000));
  expect(text(SEED, START_US + 5_000_000) === text(SEED, START_US)).toBe(true);
  expect(text(SEED + 1, START_US) === text(SEED, START_US)).toBe(false);
});

test("prices lie on the ticks of their venue and move little from one minute to the next", () => {
  const prices: number[] = [];
  for (const { table, tsUs, rows } of w90({ seed: SEED, startUs: START_US })) {
    if (tsUs > START_US + 3 * 3_600_000_000) break;
    const btc = table === "funding_rates" && rows.find((row) => row["symbol"] === "BTC/USDT:USDT");
    if (btc) prices.push(Number(btc["mark_price"]));
  }
  expect(prices.length).toBe(37);
  for (const [index, price] of prices.entries()) {
    expect(Number.isInteger(Math.round(price * 1e6) / 1e5)).toBe(true);
    expect(Math.abs(price / (prices[index - 1] ?? price) - 1)).toBeLessThan(0.02);
  }
  expect(new Set(prices).size).toBeGreaterThan(20);
});

test("played at a rate it has that many rows a second on average, and all its large tables", () => {
  const paced = new PacedW90({ seed: SEED, startUs: START_US, rowsPerSecond: 10_000 });
  const counts = new Map<string, number>();
  for (let ms = 10; ms <= 20_000; ms += 10) {
    for (const [table, rows] of paced.due(ms)) counts.set(table, (counts.get(table) ?? 0) + rows.length);
  }
  const total = [...counts.values()].reduce((sum, rows) => sum + rows, 0);
  expect(total).toBeGreaterThan(180_000);
  expect(total).toBeLessThan(220_000);
  expect(counts.size).toBe(Object.keys(W90_ROWS_PER_DAY).length);
});

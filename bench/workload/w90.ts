// The reference workload W90: five exchanges × fifty symbols, about one million rows a day, with the values of a market. Every
// benchmark of storage and queries uses it; ninety days of it are 91 million rows. Deterministic: seed and start decide.
import type { EventName } from "../../schema/registry.ts";
import { MARKET_STEP_US, W90Market } from "./w90/market.ts";
import { marketDataStreams } from "./w90/market_data.ts";
import { operationsStreams } from "./w90/operations.ts";
import { Portfolio } from "./w90/portfolio.ts";
import { DAY_US, type Slot, type Stream } from "./w90/stream.ts";
import { tradingStreams } from "./w90/trading.ts";

/** Rows a day of each table; exact. */
export const W90_ROWS_PER_DAY = {
  open_interest: 360_000,
  funding_rates: 72_000,
  liquidations: 40_000,
  fetches: 25_000,
  connectivity: 86_400,
  connections: 50,
  daemon_health: 25_920,
  daemon_errors: 500,
  signals: 5_000,
  orders: 8_000,
  fills: 3_000,
  pnl: 86_400,
  positions: 259_200,
  account_marks: 43_200,
} as const satisfies Partial<Record<EventName, number>>;

export const W90_ROWS_PER_DAY_TOTAL = Object.values(W90_ROWS_PER_DAY).reduce((sum, rows) => sum + rows, 0);

export interface W90Options {
  readonly seed: number;
  /** Any moment of the first day, µs; the workload begins at that day's midnight, UTC. */
  readonly startUs: number;
}

/** The whole workload in the order of event time, without an end. A slot's rows are the caller's. */
export function* w90({ seed, startUs }: W90Options): Generator<Slot, never> {
  const firstUs = Math.floor(startUs / DAY_US) * DAY_US;
  const market = new W90Market(seed);
  const streams: readonly Stream[] = [
    ...new Portfolio(seed, market).streams(firstUs),
    ...marketDataStreams(seed, firstUs, market),
    ...operationsStreams(seed, firstUs),
    ...tradingStreams(seed, firstUs, market),
  ];
  let marketUs = firstUs;
  for (;;) {
    const next = earliest(streams);
    for (; marketUs + MARKET_STEP_US <= next.dueUs; marketUs += MARKET_STEP_US) market.step();
    yield next.take();
  }
}

/** Whole days of the workload. */
export function* w90Days(options: W90Options, days: number): Generator<Slot> {
  const endUs = Math.floor(options.startUs / DAY_US) * DAY_US + days * DAY_US;
  for (const slot of w90(options)) {
    if (slot.tsUs >= endUs) return;
    yield slot;
  }
}

/** The first of those that are due first: ties keep the order of the list. */
function earliest(streams: readonly Stream[]): Stream {
  let [first] = streams;
  for (const stream of streams) if (first === undefined || stream.dueUs < first.dueUs) first = stream;
  if (first === undefined) throw new Error("no streams");
  return first;
}

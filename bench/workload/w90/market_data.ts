// Open interest, funding and liquidations of the reference workload: what the venues publish.
import { RandomStream } from "../../../ingest/demo/simulator/random.ts";
import { W90_COINS } from "./coins.ts";
import { EXCHANGES } from "./exchanges.ts";
import type { W90Market } from "./market.ts";
import {
  DAY_US,
  DailyStream,
  decimals,
  MINUTE_US,
  PeriodicStream,
  pick,
  type Stream,
  scattered,
  slot,
} from "./stream.ts";

const FUNDING_INTERVAL_US = 8 * 60 * MINUTE_US;

const LIQUIDATIONS_SCATTERED = 20_000;
const BURSTS = 10;
const BURST_ROWS = 2_000;

/** Every symbol at every exchange. */
const PAIRS = EXCHANGES.flatMap((exchangeName, exchange) =>
  W90_COINS.map(({ symbol }, coin) => ({ exchange, exchangeName, coin, symbol })),
);

export function marketDataStreams(seed: number, startUs: number, market: W90Market): Stream[] {
  const openInterest = new PeriodicStream("open_interest", startUs, MINUTE_US, (ts) =>
    PAIRS.map(({ exchange, exchangeName, coin, symbol }) => {
      const coins = market.openInterest(exchange, coin);
      const usd = decimals(coins * market.markPrice(exchange, coin), 2);
      return { ts, exchange: exchangeName, symbol, open_interest: coins, open_interest_usd: usd };
    }),
  );
  const funding = new PeriodicStream("funding_rates", startUs, 5 * MINUTE_US, (ts) =>
    PAIRS.map(({ exchange, exchangeName, coin, symbol }) => {
      market.moveBasis(exchange, coin);
      return {
        ts,
        exchange: exchangeName,
        symbol,
        funding_rate: market.fundingRate(exchange, coin),
        next_funding_ts: (Math.floor(ts / FUNDING_INTERVAL_US) + 1) * FUNDING_INTERVAL_US,
        interval_h: 8,
        mark_price: market.markPrice(exchange, coin),
        index_price: market.indexPrice(coin),
      };
    }),
  );
  return [openInterest, funding, liquidationStream(seed, startUs, market)];
}

/** Half of a day's liquidations come alone, half in ten bursts of one minute, when a price slides. */
function liquidationStream(seed: number, startUs: number, market: W90Market): Stream {
  const random = new RandomStream(seed, "w90/liquidations");
  const offsets = (): Float64Array => {
    const times = scattered(random, LIQUIDATIONS_SCATTERED);
    for (let burst = 0; burst < BURSTS; burst++) {
      const from = Math.floor(random.next() * (DAY_US - MINUTE_US));
      times.push(...scattered(random, BURST_ROWS, from, MINUTE_US));
    }
    return Float64Array.from(times).sort();
  };
  return new DailyStream(startUs, offsets, (ts, index) => {
    // Liquidations gather in the large coins.
    const coin = Math.min(W90_COINS.length - 1, Math.floor(random.exponential(6)));
    const exchange = Math.floor(random.next() * EXCHANGES.length);
    const price = market.markPrice(exchange, coin);
    const amount = market.lots(coin, 400 * Math.exp(1.8 * random.normal()));
    return slot("liquidations", ts, [
      {
        ts,
        exchange: EXCHANGES[exchange] ?? "",
        symbol: W90_COINS[coin]?.symbol ?? "",
        event_id: `${ts}-${index}`,
        side: pick(random, ["buy", "sell"]),
        price,
        amount,
        value_usd: decimals(price * amount, 2),
      },
    ]);
  });
}

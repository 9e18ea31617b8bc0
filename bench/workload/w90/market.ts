// Prices, open interest and funding of the reference workload: random walks on the venues' grids. One step is ten seconds.
// The simulator's model looks alike but knows two venues and ten coins, and steps each second: too slow for 90 days.
import { RandomStream } from "../../../ingest/demo/simulator/random.ts";
import { W90_COINS } from "./coins.ts";
import { EXCHANGES } from "./exchanges.ts";

/** Length of a step. */
export const MARKET_STEP_US = 10_000_000;

const STEPS_PER_YEAR = 31_557_600 / 10;

export class W90Market {
  readonly #random: RandomStream;
  readonly #logPrice = new Float64Array(W90_COINS.length);
  /** By exchange and coin. */
  readonly #basis = new Float64Array(EXCHANGES.length * W90_COINS.length);
  readonly #logInterest = new Float64Array(EXCHANGES.length * W90_COINS.length);
  readonly #funding = new Float64Array(EXCHANGES.length * W90_COINS.length);

  constructor(seed: number) {
    this.#random = new RandomStream(seed, "w90/market");
    for (let at = 0; at < this.#basis.length; at++) {
      this.#basis[at] = 0.0002 * this.#random.normal();
      this.#funding[at] = 0.0001 + 0.00008 * this.#random.normal();
    }
  }

  /** Moves every price by ten seconds. */
  step(): void {
    for (let coin = 0; coin < W90_COINS.length; coin++) {
      const sigma = (W90_COINS[coin]?.yearlyVolatility ?? 0) / Math.sqrt(STEPS_PER_YEAR);
      const at = this.#logPrice[coin] ?? 0;
      // A weak pull home keeps ninety days within the right size.
      this.#logPrice[coin] = at + sigma * this.#random.normal() - at / 300_000;
    }
  }

  indexPrice(coin: number): number {
    return this.#onTicks(coin, this.#rawPrice(coin));
  }

  markPrice(exchange: number, coin: number): number {
    return this.#onTicks(coin, this.#rawPrice(coin) * (1 + (this.#basis[this.#at(exchange, coin)] ?? 0)));
  }

  /** Open interest in coins, moved by the time since it was asked for last (one slot). */
  openInterest(exchange: number, coin: number): number {
    const at = this.#at(exchange, coin);
    const log = this.#logInterest[at] ?? 0;
    this.#logInterest[at] = log + 0.0008 * this.#random.normal() - log / 2_000;
    const size = (40_000_000 / (1 + exchange) / (1 + coin / 4)) * Math.exp(this.#logInterest[at] ?? 0);
    return this.lots(coin, size);
  }

  fundingRate(exchange: number, coin: number): number {
    const at = this.#at(exchange, coin);
    const rate = this.#funding[at] ?? 0;
    this.#funding[at] = rate + 0.000002 * this.#random.normal() - (rate - 0.0001) / 300;
    return Math.round((this.#funding[at] ?? 0) * 1e8) / 1e8;
  }

  /** Moves the gap between an exchange and the index; asked for when funding is. */
  moveBasis(exchange: number, coin: number): void {
    const at = this.#at(exchange, coin);
    this.#basis[at] = (this.#basis[at] ?? 0) * 0.8 + 0.00012 * this.#random.normal();
  }

  /** An amount worth `quote` in quote currency, on the venue's grid, at least one lot. */
  lots(coin: number, quote: number): number {
    const perUnit = W90_COINS[coin]?.lotsPerUnit ?? 1;
    return Math.max(1, Math.round((quote / this.#rawPrice(coin)) * perUnit)) / perUnit;
  }

  #rawPrice(coin: number): number {
    return (W90_COINS[coin]?.startPrice ?? 1) * Math.exp(this.#logPrice[coin] ?? 0);
  }

  #onTicks(coin: number, price: number): number {
    const perUnit = W90_COINS[coin]?.ticksPerUnit ?? 1;
    return Math.round(price * perUnit) / perUnit;
  }

  #at(exchange: number, coin: number): number {
    return exchange * W90_COINS.length + coin;
  }
}

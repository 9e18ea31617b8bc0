// What a simulated strategy looks at: a stream of quotes becomes a score, positive for buying. Pure.
import type { Quote } from "./market_walk.ts";

export type IndicatorName = "ema_cross" | "zscore" | "funding_rate";

/** Fed once a second. A score of 1 is a clear case. */
export interface Indicator {
  observe(quote: Quote): void;
  score(): number;
}

/** Exponential mean of a series that begins with its first value. */
class Ema {
  readonly #weight: number;
  value: number | undefined;

  constructor(overS: number) {
    this.#weight = 2 / (overS + 1);
  }

  add(value: number): number {
    this.value = this.value === undefined ? value : this.value + this.#weight * (value - this.value);
    return this.value;
  }
}

/** Follows the trend: the fast mean above the slow one, in units of what prices usually move in a second. */
class EmaCross implements Indicator {
  readonly #fast = new Ema(20);
  readonly #slow = new Ema(90);
  readonly #move = new Ema(120);
  #last: number | undefined;

  observe({ mark }: Quote): void {
    this.#move.add(Math.abs(mark - (this.#last ?? mark)));
    this.#last = mark;
    this.#fast.add(mark);
    this.#slow.add(mark);
  }

  score(): number {
    const moveUsual = this.#move.value ?? 0;
    return moveUsual === 0 ? 0 : ((this.#fast.value ?? 0) - (this.#slow.value ?? 0)) / (moveUsual * 6);
  }
}

/** Bets on the way back: how many deviations the price is below its mean. */
class ZScore implements Indicator {
  readonly #mean = new Ema(120);
  readonly #variance = new Ema(120);
  #away = 0;

  observe({ mark }: Quote): void {
    this.#away = mark - this.#mean.add(mark);
    this.#variance.add(this.#away ** 2);
  }

  score(): number {
    const deviation = Math.sqrt(this.#variance.value ?? 0);
    return deviation === 0 ? 0 : -this.#away / deviation / 1.5;
  }
}

/** Takes the side that is paid for holding. */
class FundingRate implements Indicator {
  #rate = 0;

  observe({ fundingRate }: Quote): void {
    this.#rate = fundingRate;
  }

  score(): number {
    return -this.#rate / 0.0002;
  }
}

export function createIndicator(name: IndicatorName): Indicator {
  if (name === "ema_cross") return new EmaCross();
  return name === "zscore" ? new ZScore() : new FundingRate();
}

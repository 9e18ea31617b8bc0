// Prices, open interest and funding that move like real ones: random walks with a weak pull home, one step a
// second. The value at second n after the start depends on the seed and on n alone, not on who asked or how often.
// Knows nothing of venues' message formats, nor of the wall clock (callers pass the time).

import { type Coin, INSTRUMENTS, type Instrument, VENUE_IDS, type VenueId } from "./instruments.ts";
import { RandomStream } from "./random.ts";

const STEP_MS = 1_000;
const YEAR_S = 31_557_600;
const HOUR_MS = 3_600_000;

/** What a venue shows of one perpetual at one moment. Money in USDT, open interest in coins, rates as fractions. */
export interface MarketView {
  readonly indexPrice: number;
  readonly markPrice: number;
  readonly openInterest: number;
  /** The rate of the running period, to be paid at `nextFundingMs`. */
  readonly fundingRate: number;
  readonly nextFundingMs: number;
  readonly fundingIntervalH: number;
}

/** A value that is pushed about and drifts home: `deviation` is its spread in the long run. */
class Wanderer {
  #value: number;
  readonly #random: RandomStream;
  readonly #pull: number;
  readonly #push: number;

  constructor(random: RandomStream, deviation: number, homeS: number) {
    this.#random = random;
    this.#pull = 1 / homeS;
    this.#push = deviation * Math.sqrt(2 * this.#pull);
    this.#value = deviation * random.normal();
  }

  get value(): number {
    return this.#value;
  }

  step(): void {
    this.#value += -this.#pull * this.#value + this.#push * this.#random.normal();
  }
}

interface VenueWalk {
  readonly basis: Wanderer;
  readonly openInterest: Wanderer;
  readonly funding: Wanderer;
}

class CoinWalk {
  readonly coin: Coin;
  readonly #random: RandomStream;
  readonly #sigma: number;
  readonly #venues: Readonly<Record<VenueId, VenueWalk>>;
  #logReturn = 0;
  #steps = 0;

  constructor(seed: number, coin: Coin) {
    this.coin = coin;
    this.#random = new RandomStream(seed, `price/${coin.base}`);
    this.#sigma = coin.yearlyVolatility / Math.sqrt(YEAR_S);
    const walk = (venue: VenueId): VenueWalk => {
      const stream = (what: string) => new RandomStream(seed, `${what}/${venue}/${coin.base}`);
      return {
        basis: new Wanderer(stream("basis"), 0.0002, 600),
        openInterest: new Wanderer(stream("open_interest"), 0.04, 86_400),
        funding: new Wanderer(stream("funding"), 0.00008, 14_400),
      };
    };
    this.#venues = { binanceusdm: walk("binanceusdm"), okx: walk("okx") };
  }

  advanceTo(steps: number): void {
    for (; this.#steps < steps; this.#steps++) {
      this.#logReturn += this.#sigma * this.#random.normal() - this.#logReturn / (30 * 86_400);
      for (const venue of VENUE_IDS) {
        const walk = this.#venues[venue];
        walk.basis.step();
        walk.openInterest.step();
        walk.funding.step();
      }
    }
  }

  view(venue: VenueId, nowMs: number): MarketView {
    const walk = this.#venues[venue];
    const indexPrice = this.coin.startPrice * Math.exp(this.#logReturn);
    const fundingIntervalH = this.coin.fundingIntervalH[venue];
    const intervalMs = fundingIntervalH * HOUR_MS;
    return {
      indexPrice,
      markPrice: indexPrice * (1 + walk.basis.value),
      openInterest: this.coin.openInterest[venue] * Math.exp(walk.openInterest.value),
      fundingRate: 0.0001 + walk.funding.value,
      nextFundingMs: (Math.floor(nowMs / intervalMs) + 1) * intervalMs,
      fundingIntervalH,
    };
  }
}

/** The whole market. `startMs` is second 0 of every walk. Time that runs backwards shows the last values again. */
export class MarketModel {
  readonly #startMs: number;
  readonly #walks: ReadonlyMap<string, CoinWalk>;

  constructor(seed: number, startMs: number) {
    this.#startMs = startMs;
    this.#walks = new Map(INSTRUMENTS.map(({ coin }) => [coin.base, new CoinWalk(seed, coin)]));
  }

  view(venue: VenueId, instrument: Instrument, nowMs: number): MarketView {
    const walk = this.#walks.get(instrument.coin.base);
    if (walk === undefined) throw new Error(`the market model has no coin ${instrument.coin.base}`);
    walk.advanceTo(Math.floor((nowMs - this.#startMs) / STEP_MS));
    return walk.view(venue, nowMs);
  }
}

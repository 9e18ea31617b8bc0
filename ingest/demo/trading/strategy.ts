// Simulated strategies: when each speaks, about which symbol, and what it says. Knows indicators, not orders.
import type { VenueId } from "../simulator/instruments.ts";
import { RandomStream } from "../simulator/random.ts";
import { createIndicator, type Indicator, type IndicatorName } from "./indicator.ts";
import { type Listing, listingOf, type Quote } from "./market_walk.ts";

export interface StrategySpec {
  readonly name: string;
  readonly indicator: IndicatorName;
  readonly venue: VenueId;
  readonly symbols: readonly string[];
  /** USDT that it begins with. */
  readonly capital: number;
  /** Notional ÷ margin of a new position. */
  readonly leverage: number;
  /** Mean time between two signals. */
  readonly signalEveryS: number;
}

const swaps = (...bases: string[]) => bases.map((base) => `${base}/USDT:USDT`);

/** What trades in the demo: three ideas on two venues. */
export const STRATEGIES: readonly StrategySpec[] = [
  {
    name: "momentum",
    indicator: "ema_cross",
    venue: "binanceusdm",
    symbols: swaps("BTC", "ETH", "SOL"),
    capital: 100_000,
    leverage: 5,
    signalEveryS: 8,
  },
  {
    name: "mean_reversion",
    indicator: "zscore",
    venue: "okx",
    symbols: swaps("BTC", "XRP", "DOGE"),
    capital: 80_000,
    leverage: 3,
    signalEveryS: 10,
  },
  {
    name: "funding_carry",
    indicator: "funding_rate",
    venue: "binanceusdm",
    symbols: swaps("LINK", "AVAX", "BNB"),
    capital: 60_000,
    leverage: 2,
    signalEveryS: 15,
  },
];

export interface Signal {
  readonly listing: Listing;
  readonly direction: "buy" | "sell" | "neutral";
  /** 0 to 1. */
  readonly strength: number;
  readonly price: number;
}

const NEUTRAL_BELOW = 0.2;
const S_US = 1_000_000;

/** One running strategy. Its signals depend on the seed, its name and the quotes it saw. */
export class Strategy {
  readonly spec: StrategySpec;
  readonly listings: readonly Listing[];
  readonly #random: RandomStream;
  readonly #indicators: ReadonlyMap<string, Indicator>;
  #nextObservationUs: number;
  #nextSignalUs: number;
  #signals = 0;

  /** `firstSignalUs` is when it speaks first. */
  constructor(spec: StrategySpec, seed: number, firstSignalUs: number) {
    this.spec = spec;
    this.listings = spec.symbols.map((symbol) => listingOf(spec.venue, symbol));
    this.#random = new RandomStream(seed, `strategy/${spec.name}`);
    this.#indicators = new Map(spec.symbols.map((symbol) => [symbol, createIndicator(spec.indicator)]));
    this.#nextObservationUs = 0;
    this.#nextSignalUs = firstSignalUs;
  }

  /** The signal that is due now, if one is. The first one is never neutral: a new strategy takes a side. */
  step(nowUs: number, quoteOf: (listing: Listing) => Quote): Signal | undefined {
    if (nowUs >= this.#nextObservationUs) {
      for (const listing of this.listings) this.#indicators.get(listing.symbol)?.observe(quoteOf(listing));
      this.#nextObservationUs = nowUs + S_US;
    }
    if (nowUs < this.#nextSignalUs) return undefined;
    // Never faster than one in two seconds, and on average as often as the strategy says.
    this.#nextSignalUs = nowUs + (2 + this.#random.exponential(this.spec.signalEveryS - 2)) * S_US;
    const listing = this.listings[this.#signals % this.listings.length];
    if (listing === undefined) return undefined;
    return this.#signal(listing, quoteOf(listing).mark);
  }

  #signal(listing: Listing, price: number): Signal {
    const score = this.#indicators.get(listing.symbol)?.score() ?? 0;
    const opinion = Math.tanh(score + 0.5 * this.#random.normal());
    const strength = Math.round(Math.abs(opinion) * 1000) / 1000;
    const first = this.#signals++ === 0;
    const side = opinion >= 0 ? "buy" : "sell";
    return { listing, direction: first || strength >= NEUTRAL_BELOW ? side : "neutral", strength, price };
  }
}

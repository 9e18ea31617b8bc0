// Where liquidations come from: a random trickle and, on command, a burst. Which coin, side and size come next
// depends on the seed alone; the price is the market's at that moment. Knows nothing of sockets or subscriptions.

import type { Clock } from "../../clock.ts";
import { decimalsOf, INSTRUMENTS, type Instrument, type VenueId } from "./instruments.ts";
import type { MarketModel } from "./market_model.ts";
import { RandomStream } from "./random.ts";

/** One forced order. `amount` is in the venue's unit: coins on binanceusdm, contracts on okx. */
export interface Liquidation {
  readonly instrument: Instrument;
  /** `sell` closes a long position, `buy` a short one. */
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly amount: number;
  /** Milliseconds. Unique within a symbol, so that no two liquidations are the same event. */
  readonly tsMs: number;
}

export interface BurstOptions {
  readonly count: number;
  readonly withinMs: number;
  /** Liquidations handed to `deliver` in one piece for one instrument. */
  readonly groupSize: number;
  /** Unified symbols; empty means all, in turn. */
  readonly symbols: readonly string[];
}

const BURST_TICK_MS = 20;
const MEDIAN_USD = 2_500;
/** Spread of the logarithm of a liquidation's size: most are small, a few are a thousand times larger. */
const SIZE_SPREAD = 1.7;
const MIN_USD = 40;
const MAX_USD = 4_000_000;

export class LiquidationFeed {
  readonly #venue: VenueId;
  readonly #market: MarketModel;
  readonly #clock: Clock;
  readonly #deliver: (group: readonly Liquidation[]) => void;
  readonly #gaps: RandomStream;
  readonly #draws: RandomStream;
  readonly #lastTsMs = new Map<string, number>();

  /** `deliver` gets groups of one instrument each, in order of time. */
  constructor(
    venue: VenueId,
    seed: number,
    market: MarketModel,
    clock: Clock,
    deliver: (group: readonly Liquidation[]) => void,
  ) {
    this.#venue = venue;
    this.#market = market;
    this.#clock = clock;
    this.#deliver = deliver;
    this.#gaps = new RandomStream(seed, `liquidation_gaps/${venue}`);
    this.#draws = new RandomStream(seed, `liquidations/${venue}`);
  }

  /** Delivers until the signal aborts. A rate of 0 delivers nothing. */
  async run(perMinute: number, signal: AbortSignal): Promise<void> {
    if (perMinute <= 0) return;
    const meanGapMs = 60_000 / perMinute;
    while (!signal.aborted) {
      await this.#clock.sleep(this.#gaps.exponential(meanGapMs), signal);
      if (!signal.aborted) this.#deliver([this.#draw(this.#anyInstrument())]);
    }
  }

  /** Delivers exactly `count` liquidations, evenly over `withinMs`; resolves after the last (or on abort). */
  async burst(options: BurstOptions, signal: AbortSignal): Promise<void> {
    const chosen = INSTRUMENTS.filter(
      (i) => options.symbols.length === 0 || options.symbols.includes(i.symbol),
    );
    const startedMs = this.#clock.monotonicMs();
    let done = 0;
    for (let turn = 0; done < options.count && !signal.aborted; ) {
      const share = Math.min(1, (this.#clock.monotonicMs() - startedMs + BURST_TICK_MS) / options.withinMs);
      const due = Math.ceil(options.count * share);
      for (; done < due; turn++) {
        const instrument = chosen[turn % chosen.length];
        if (instrument === undefined) throw new Error("a burst needs at least one known symbol");
        const size = Math.min(options.groupSize, options.count - done);
        this.#deliver(Array.from({ length: size }, () => this.#draw(instrument)));
        done += size;
      }
      if (done < options.count) await this.#clock.sleep(BURST_TICK_MS, signal);
    }
  }

  #anyInstrument(): Instrument {
    const total = INSTRUMENTS.reduce((sum, { coin }) => sum + coin.liquidationWeight, 0);
    let at = this.#draws.next() * total;
    let chosen = INSTRUMENTS[0];
    for (const instrument of INSTRUMENTS) {
      if (at < 0) break;
      chosen = instrument;
      at -= instrument.coin.liquidationWeight;
    }
    if (chosen === undefined) throw new Error("the simulator has no instruments");
    return chosen;
  }

  #draw(instrument: Instrument): Liquidation {
    const contract = instrument.contracts[this.#venue];
    const nowMs = Math.floor(this.#clock.nowUs() / 1_000);
    const { markPrice } = this.#market.view(this.#venue, instrument, nowMs);
    // Longs outnumber shorts among the liquidated, as in most months.
    const side = this.#draws.next() < 0.58 ? "sell" : "buy";
    const slip = 0.0005 + 0.006 * this.#draws.next();
    const price = snap(markPrice * (side === "sell" ? 1 - slip : 1 + slip), contract.tick);
    const size = MEDIAN_USD * Math.exp(SIZE_SPREAD * this.#draws.normal());
    const usd = Math.min(MAX_USD, Math.max(MIN_USD, size));
    const amount = Math.max(contract.lot, snap(usd / (price * contract.contractSize), contract.lot));
    const tsMs = Math.max(nowMs, (this.#lastTsMs.get(instrument.symbol) ?? 0) + 1);
    this.#lastTsMs.set(instrument.symbol, tsMs);
    return { instrument, side, price, amount, tsMs };
  }
}

function snap(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toFixed(decimalsOf(step)));
}

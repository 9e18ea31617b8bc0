// The market as the trading daemon sees it: quotes on the venue's tick. The same walk as the exchange simulator's, so
// with one seed (and nearly one start) its positions are marked at about the prices that the pipeline records.
import { decimalsOf, INSTRUMENTS, type Instrument, onGrid, type VenueId } from "../simulator/instruments.ts";
import { MarketModel } from "../simulator/market_model.ts";

/** Prices in USDT, on the tick. `bid` is below `ask` by one tick, `mark` is one of the two. */
export interface Quote {
  readonly bid: number;
  readonly ask: number;
  readonly mark: number;
  readonly tick: number;
  /** Funding rate of the running period, a fraction. */
  readonly fundingRate: number;
}

/** One instrument of one venue. Amounts are counted in whole lots, so that sums of fills stay exact. */
export interface Listing {
  readonly venue: VenueId;
  readonly symbol: string;
  /** Lots → base currency. */
  amountOf(lots: number): number;
  /** How many whole lots so much money buys, at least one. */
  lotsFor(notional: number, price: number): number;
}

export class MarketWalk {
  readonly #model: MarketModel;

  constructor(seed: number, startUs: number) {
    this.#model = new MarketModel(seed, Math.floor(startUs / 1000));
  }

  quote({ venue, symbol }: Listing, nowUs: number): Quote {
    const instrument = instrumentOf(symbol);
    const { tick } = instrument.contracts[venue];
    const view = this.#model.view(venue, instrument, Math.floor(nowUs / 1000));
    const bid = onTick(Math.floor(view.markPrice / tick) * tick, tick);
    const ask = onTick(bid + tick, tick);
    const mark = view.markPrice - bid < tick / 2 ? bid : ask;
    return { bid, ask, mark, tick, fundingRate: view.fundingRate };
  }
}

/** Throws when the simulated venues don't list the symbol. */
export function listingOf(venue: VenueId, symbol: string): Listing {
  const { lot, contractSize } = instrumentOf(symbol).contracts[venue];
  const lotBase = lot * contractSize;
  const decimals = decimalsOf(lotBase);
  const amountOf = (lots: number) => Number((lots * lotBase).toFixed(decimals));
  return {
    venue,
    symbol,
    amountOf,
    lotsFor: (notional, price) => Math.max(1, Math.floor(notional / (price * lotBase))),
  };
}

/** The nearest price on the tick, free of the dust that floating point leaves. */
export function onTick(price: number, tick: number): number {
  return Number(onGrid(price, tick));
}

function instrumentOf(symbol: string): Instrument {
  const instrument = INSTRUMENTS.find((candidate) => candidate.symbol === symbol);
  if (instrument === undefined) throw new Error(`the simulated venues do not list ${symbol}`);
  return instrument;
}

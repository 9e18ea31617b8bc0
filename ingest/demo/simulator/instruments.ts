// The ten linear USDT perpetuals that the simulator trades, and how each venue measures them. Start values are
// round figures of the right size, so that charts look like the real thing; they are nobody's market data.

/** The venues the simulator can play, by their CCXT id. */
export type VenueId = "binanceusdm" | "okx";

export const VENUE_IDS: readonly VenueId[] = ["binanceusdm", "okx"];

/** What the market model needs to know about a coin. */
export interface Coin {
  readonly base: string;
  readonly startPrice: number;
  /** Deviation of the yearly return, as a fraction. */
  readonly yearlyVolatility: number;
  /** Open interest at the start, in coins, by venue. */
  readonly openInterest: Readonly<Record<VenueId, number>>;
  /** Share of the liquidations that hit this coin. */
  readonly liquidationWeight: number;
  readonly fundingIntervalH: Readonly<Record<VenueId, number>>;
}

/** How one venue quotes a coin. `lot` is in coins for binanceusdm and in contracts for okx. */
interface Contract {
  readonly tick: number;
  readonly lot: number;
  /** Coins in one contract (1 on binanceusdm). */
  readonly contractSize: number;
}

export interface Instrument {
  readonly coin: Coin;
  /** CCXT's unified symbol, the same on both venues: `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly contracts: Readonly<Record<VenueId, Contract>>;
}

type Row = readonly [
  base: string,
  startPrice: number,
  yearlyVolatility: number,
  openInterest: number,
  liquidationWeight: number,
  binanceTick: number,
  binanceLot: number,
  okxTick: number,
  okxLot: number,
  okxContractSize: number,
];

const ROWS: readonly Row[] = [
  ["BTC", 91_000, 0.45, 92_000, 30, 0.1, 0.001, 0.1, 0.01, 0.01],
  ["ETH", 3_050, 0.65, 2_100_000, 24, 0.01, 0.001, 0.01, 0.01, 0.1],
  ["SOL", 141, 0.8, 9_500_000, 14, 0.01, 0.01, 0.01, 0.01, 1],
  ["XRP", 2.21, 0.8, 380_000_000, 9, 0.0001, 0.1, 0.0001, 0.01, 100],
  ["BNB", 905, 0.5, 620_000, 4, 0.01, 0.01, 0.1, 1, 0.01],
  ["DOGE", 0.156, 0.9, 2_900_000_000, 7, 0.00001, 1, 0.00001, 0.01, 1_000],
  ["ADA", 0.472, 0.85, 410_000_000, 4, 0.0001, 1, 0.0001, 0.1, 100],
  ["AVAX", 14.9, 0.9, 14_000_000, 3, 0.001, 1, 0.01, 0.1, 1],
  ["LINK", 13.6, 0.85, 9_800_000, 3, 0.001, 0.01, 0.001, 0.1, 1],
  ["LTC", 92.4, 0.7, 2_400_000, 2, 0.01, 0.001, 0.01, 0.1, 1],
];

/** The second venue holds less of the market than the first. */
const OKX_SHARE = 0.42;

/** One coin pays every four hours on one venue, so that nobody can take eight for granted. */
const FOUR_HOURLY = "AVAX";

export const INSTRUMENTS: readonly Instrument[] = ROWS.map(toInstrument);

/** Decimals of a power-of-ten step: 0.001 → 3. */
export function decimalsOf(step: number): number {
  return Math.max(0, Math.round(-Math.log10(step)));
}

/** A number on the venue's grid, as the venues write it: fixed decimals, no exponent. */
export function onGrid(value: number, step: number): string {
  return (Math.round(value / step) * step).toFixed(decimalsOf(step));
}

function toInstrument(row: Row): Instrument {
  const [base, startPrice, yearlyVolatility, openInterest, liquidationWeight] = row;
  const [, , , , , binanceTick, binanceLot, okxTick, okxLot, okxContractSize] = row;
  return {
    coin: {
      base,
      startPrice,
      yearlyVolatility,
      openInterest: { binanceusdm: openInterest, okx: openInterest * OKX_SHARE },
      liquidationWeight,
      fundingIntervalH: { binanceusdm: base === FOUR_HOURLY ? 4 : 8, okx: 8 },
    },
    symbol: `${base}/USDT:USDT`,
    contracts: {
      binanceusdm: { tick: binanceTick, lot: binanceLot, contractSize: 1 },
      okx: { tick: okxTick, lot: okxLot, contractSize: okxContractSize },
    },
  };
}

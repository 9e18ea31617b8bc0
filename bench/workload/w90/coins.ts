// The fifty linear USDT perpetuals of the reference workload. Start values are round figures of the right size, so that the
// data compresses and scans like real data; they are nobody's market data.

export interface W90Coin {
  /** CCXT's unified symbol: `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly startPrice: number;
  /** Steps of a price in one unit of the quote currency: 10 for a tick of 0.1. An integer, so that rounding is exact. */
  readonly ticksPerUnit: number;
  /** Steps of an amount in one coin. An integer, too. */
  readonly lotsPerUnit: number;
  /** Deviation of the yearly return, as a fraction. */
  readonly yearlyVolatility: number;
}

type Row = readonly [
  base: string,
  startPrice: number,
  ticksPerUnit: number,
  lotsPerUnit: number,
  volatility: number,
];

const ROWS: readonly Row[] = [
  ["BTC", 91_000, 10, 1000, 0.45],
  ["ETH", 3_050, 100, 1000, 0.65],
  ["SOL", 141, 100, 100, 0.8],
  ["XRP", 2.21, 10_000, 10, 0.8],
  ["BNB", 905, 100, 100, 0.5],
  ["DOGE", 0.156, 100_000, 1, 0.9],
  ["ADA", 0.472, 10_000, 1, 0.85],
  ["AVAX", 14.9, 1000, 1, 0.9],
  ["LINK", 13.6, 1000, 100, 0.85],
  ["LTC", 92.4, 100, 1000, 0.7],
  ["DOT", 2.4, 1000, 10, 0.85],
  ["TRX", 0.283, 100_000, 1, 0.45],
  ["BCH", 540, 100, 1000, 0.7],
  ["NEAR", 1.92, 1000, 1, 0.95],
  ["UNI", 6.4, 1000, 1, 0.95],
  ["APT", 2.6, 1000, 10, 0.95],
  ["ARB", 0.215, 10_000, 1, 1],
  ["OP", 0.33, 10_000, 1, 1],
  ["SUI", 1.58, 10_000, 10, 1],
  ["ATOM", 2.55, 1000, 100, 0.85],
  ["FIL", 1.6, 1000, 10, 0.95],
  ["ETC", 13.9, 1000, 100, 0.8],
  ["HBAR", 0.137, 100_000, 1, 0.95],
  ["ICP", 4.2, 1000, 1, 1],
  ["XLM", 0.247, 100_000, 1, 0.85],
  ["VET", 0.0134, 1_000_000, 1, 0.9],
  ["INJ", 5.9, 1000, 10, 1],
  ["ALGO", 0.139, 10_000, 10, 0.9],
  ["AAVE", 165, 100, 10, 0.85],
  ["SEI", 0.132, 100_000, 1, 1.05],
  ["TIA", 0.61, 10_000, 1, 1.1],
  ["RUNE", 0.67, 1000, 1, 1],
  ["LDO", 0.68, 10_000, 1, 1],
  ["STX", 0.31, 10_000, 1, 1],
  ["IMX", 0.34, 10_000, 1, 1],
  ["GRT", 0.0468, 100_000, 1, 0.95],
  ["SAND", 0.158, 100_000, 1, 0.95],
  ["MANA", 0.172, 10_000, 1, 0.95],
  ["AXS", 1.05, 1000, 1, 0.95],
  ["THETA", 0.39, 10_000, 10, 0.9],
  ["EGLD", 8.4, 1000, 10, 0.9],
  ["FLOW", 0.236, 1000, 10, 0.9],
  ["CHZ", 0.0285, 100_000, 1, 0.9],
  ["CRV", 0.41, 1000, 10, 1],
  ["DYDX", 0.223, 1000, 10, 1.05],
  ["JUP", 0.245, 10_000, 1, 1.1],
  ["PYTH", 0.076, 10_000, 1, 1.1],
  ["WIF", 0.352, 10_000, 10, 1.2],
  ["ORDI", 4.1, 1000, 10, 1.2],
  ["ENA", 0.252, 10_000, 1, 1.1],
];

export const W90_COINS: readonly W90Coin[] = ROWS.map(
  ([base, startPrice, ticksPerUnit, lotsPerUnit, yearlyVolatility]) => ({
    symbol: `${base}/USDT:USDT`,
    ...{ startPrice, ticksPerUnit, lotsPerUnit, yearlyVolatility },
  }),
);

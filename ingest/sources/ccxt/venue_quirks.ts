// What CCXT 4.5.84 doesn't say, or says differently, about single venues. Data only, so that nothing else in this
// folder asks which exchange it talks to. Each entry names the source of the fact.

export interface VenueQuirks {
  /**
   * Whose side CCXT hands over for a public liquidation: that of the liquidating order, or that of the position that
   * was closed (a closed long position reads "buy", its order was a sell).
   */
  readonly liquidationSide: "order" | "position";
  /** Field of the raw liquidation that identifies it. */
  readonly liquidationIdField?: string;
  /** `fetchLiquidations` takes the start through this raw parameter, in seconds, and not as CCXT passes it. */
  readonly liquidationsFromSecondsParam?: string;
  /** Most liquidations that one answer may hold, where the venue's default is low. */
  readonly liquidationsLimit?: number;
  /** How far back `fetchLiquidations` may ask. */
  readonly liquidationsLookbackMs?: number;
  /** Why public liquidations are unusable although CCXT lists the method. */
  readonly liquidationsUnusable?: string;
  /** Value of CCXT's `options.fetchMarkets.types` that loads linear contracts only. */
  readonly linearMarketTypes?: readonly string[];
  readonly rateLimitHeaders?: RateLimitHeaders;
}

/** Where an answer says how much of the rate limit is used. Names in lower case. */
type RateLimitHeaders =
  | { readonly used: string; readonly capacity: number }
  | { readonly remaining: string; readonly capacityHeader: string };

// developers.binance.com, USDⓈ-M futures, "General Info": 2,400 weight a minute, counted in this header.
const BINANCE_FUTURES: VenueQuirks = {
  liquidationSide: "order",
  rateLimitHeaders: { used: "x-mbx-used-weight-1m", capacity: 2_400 },
};

// bybit-exchange.github.io, v5, "All Liquidation": "When you receive a Buy update, this means that a long position
// has been liquidated"; and "Rate Limit Rules" for the headers.
const BYBIT: VenueQuirks = {
  liquidationSide: "position",
  linearMarketTypes: ["linear"],
  rateLimitHeaders: { remaining: "x-bapi-limit-status", capacityHeader: "x-bapi-limit" },
};

const OKX: VenueQuirks = { liquidationSide: "order", linearMarketTypes: ["swap"] };

// gate.com, API v4, futures, "liq_orders": `size` is the size of the position, negative for a short one; `from` is in
// seconds (CCXT passes milliseconds) and at most an hour back; at most 1,000 entries.
const GATE: VenueQuirks = {
  liquidationSide: "position",
  liquidationsFromSecondsParam: "from",
  liquidationsLimit: 1_000,
  liquidationsLookbackMs: 3_500_000,
  linearMarketTypes: ["swap"],
  rateLimitHeaders: {
    remaining: "x-gate-ratelimit-requests-remain",
    capacityHeader: "x-gate-ratelimit-limit",
  },
};

const QUIRKS: Readonly<Record<string, VenueQuirks>> = {
  binance: BINANCE_FUTURES,
  binanceusdm: BINANCE_FUTURES,
  binancecoinm: BINANCE_FUTURES,
  okx: OKX,
  okxus: OKX,
  myokx: OKX,
  bybit: BYBIT,
  bybiteu: BYBIT,
  bybitid: BYBIT,
  bitget: { liquidationSide: "order", linearMarketTypes: ["swap"] },
  gate: GATE,
  gateeu: GATE,
  htx: { liquidationSide: "order", liquidationIdField: "id" },
  lighter: { liquidationSide: "order", liquidationIdField: "trade_id" },
  bitfinex: {
    liquidationSide: "order",
    liquidationsUnusable: "CCXT reads the side from a field that means something else",
  },
  deribit: { liquidationSide: "order", liquidationsUnusable: "CCXT gives neither price nor side" },
};

const NONE: VenueQuirks = { liquidationSide: "order" };

export function quirksOf(exchangeId: string): VenueQuirks {
  return QUIRKS[exchangeId] ?? NONE;
}

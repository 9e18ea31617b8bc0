// Decides how each configured dataset is got from an exchange: from what CCXT's `has` says, and from the markets that
// the exchange really has. Pure.
//
//   open_interest   fetchOpenInterests, else fetchOpenInterest per symbol
//   funding_rates   fetchFundingRates, else fetchFundingRate per symbol
//   liquidations    watchLiquidationsForSymbols, else watchLiquidations per symbol, else fetchLiquidations per symbol
//
// What a venue lacks is a state: its channel in `connections` (the dataset's name, or `symbol:<symbol>` for a
// configured symbol that is no contract there) becomes `unsupported`, once, and nothing more is tried.
import type { Dataset } from "../../config/schema.ts";
import { type CcxtHas, type CcxtMethods, isRecord } from "./ccxt_exchange.ts";
import type { Market } from "./rows.ts";
import type { VenueQuirks } from "./venue_quirks.ts";

export type BulkMethod = "fetchOpenInterests" | "fetchFundingRates";
export type SymbolMethod = "fetchOpenInterest" | "fetchFundingRate" | "fetchLiquidations";
export type StreamMethod = "watchLiquidationsForSymbols" | "watchLiquidations";

export type DatasetPlan =
  | { readonly kind: "bulk"; readonly method: BulkMethod }
  | { readonly kind: "per_symbol"; readonly method: SymbolMethod }
  | { readonly kind: "stream"; readonly method: StreamMethod }
  | { readonly kind: "unsupported"; readonly reason: string };

/** How to get a dataset. `has` is CCXT's; "emulated" counts as having it. */
export function planDataset(dataset: Dataset, has: CcxtHas, quirks: VenueQuirks): DatasetPlan {
  const can = (method: keyof CcxtMethods) => has[method] === true || has[method] === "emulated";
  switch (dataset) {
    case "open_interest":
      if (can("fetchOpenInterests")) return { kind: "bulk", method: "fetchOpenInterests" };
      if (can("fetchOpenInterest")) return { kind: "per_symbol", method: "fetchOpenInterest" };
      break;
    case "funding_rates":
      if (can("fetchFundingRates")) return { kind: "bulk", method: "fetchFundingRates" };
      if (can("fetchFundingRate")) return { kind: "per_symbol", method: "fetchFundingRate" };
      break;
    case "liquidations":
      if (quirks.liquidationsUnusable !== undefined) {
        return { kind: "unsupported", reason: quirks.liquidationsUnusable };
      }
      if (can("watchLiquidationsForSymbols"))
        return { kind: "stream", method: "watchLiquidationsForSymbols" };
      if (can("watchLiquidations")) return { kind: "stream", method: "watchLiquidations" };
      if (can("fetchLiquidations")) return { kind: "per_symbol", method: "fetchLiquidations" };
      break;
  }
  return { kind: "unsupported", reason: `CCXT has no method for ${dataset} of this exchange` };
}

/** The configured symbols that the exchange has as contracts, and why the others are left out. */
export interface SymbolCheck {
  readonly markets: ReadonlyMap<string, Market>;
  readonly missing: ReadonlyMap<string, string>;
}

/** `markets` is what CCXT's loadMarkets() gave: unified symbol → market. */
export function checkSymbols(symbols: readonly string[], markets: unknown): SymbolCheck {
  const known = new Map<string, Market>();
  const missing = new Map<string, string>();
  for (const symbol of new Set(symbols)) {
    const raw = isRecord(markets) ? markets[symbol] : undefined;
    if (!isRecord(raw)) missing.set(symbol, "the exchange lists no such symbol");
    else if (raw["contract"] !== true) missing.set(symbol, "the symbol is no contract on this exchange");
    else known.set(symbol, marketOf(symbol, raw));
  }
  return { markets: known, missing };
}

/** The markets that a dataset can be had for: funding exists for perpetual swaps only. */
export function marketsFor(dataset: Dataset, { markets }: SymbolCheck): readonly Market[] {
  return [...markets.values()].filter((market) => dataset !== "funding_rates" || market.swap);
}

/** Whether all symbols are linear contracts by their unified name: settled in the quote currency. */
export function areLinear(symbols: readonly string[]): boolean {
  return symbols.every((symbol) => /^[^/:]+\/([^/:]+):\1$/.test(symbol));
}

function marketOf(symbol: string, raw: Readonly<Record<string, unknown>>): Market {
  const size = raw["contractSize"];
  const contractSize = typeof size === "number" && Number.isFinite(size) && size > 0 ? size : 1;
  return { symbol, contractSize, inverse: raw["inverse"] === true, swap: raw["swap"] === true };
}

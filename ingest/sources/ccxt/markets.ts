// Loads an exchange's markets and keeps only the configured ones: the full lists of five exchanges take a hundred
// megabytes, and nothing here asks for another market. CCXT builds its indexes from what `fetchMarkets` returns, so
// that is where the rest is dropped.
import { type CcxtExchange, isRecord } from "./ccxt_exchange.ts";
import { MalformedResponse } from "./classify_error.ts";

/** From now on the exchange object knows the given symbols only. */
export function keepOnlyMarkets(exchange: CcxtExchange, symbols: readonly string[]): void {
  const wanted = new Set<unknown>(symbols);
  const fetchAll = exchange.fetchMarkets.bind(exchange);
  exchange.fetchMarkets = async (params) => {
    const markets = await fetchAll(params);
    if (!Array.isArray(markets) || !markets.some((market) => isRecord(market))) {
      throw new MalformedResponse("the list of markets is empty");
    }
    return markets.filter((market: unknown) => isRecord(market) && wanted.has(market["symbol"]));
  };
}

/** Unified symbol → market, as CCXT gives them. May be called again after it rejected. */
export async function loadMarkets(exchange: CcxtExchange): Promise<unknown> {
  // Without `reload` CCXT would hand out the rejection of the first attempt for ever.
  return exchange.loadMarkets(true);
}

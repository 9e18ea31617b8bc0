// Catches every liquidation that CCXT parses from its stream. What `watchLiquidations` resolves with is not enough: it
// holds the one liquidation that settled the promise, and those that arrive before the next call go only into CCXT's
// cache (a ring of a thousand). So our sink takes the place of that cache.
import { type CcxtExchange, isRecord } from "./ccxt_exchange.ts";

/** From now on `onLiquidation` gets each liquidation of the exchange's streams, in CCXT's unified form, as it is parsed. */
export function installLiquidationSink(
  ccxt: CcxtExchange,
  onLiquidation: (liquidation: unknown) => void,
): void {
  const append = (liquidation: unknown) => {
    for (const one of [liquidation, ...furtherDetails(ccxt, liquidation)]) onLiquidation(one);
  };
  // An array with `append`, as CCXT's caches are. Its classes make one when there is none, or (lighter) at each message.
  const sink = Object.assign([], { append });
  Object.defineProperty(ccxt, "liquidations", {
    configurable: true,
    enumerable: true,
    get: () => sink,
    set: () => {},
  });
}

/** okx puts several liquidations of one instrument into `details`; CCXT 4.5.84 parses the first only. */
function furtherDetails(ccxt: CcxtExchange, liquidation: unknown): readonly unknown[] {
  const info = isRecord(liquidation) ? liquidation["info"] : undefined;
  const details = isRecord(info) ? info["details"] : undefined;
  if (!isRecord(info) || !Array.isArray(details) || details.length < 2) return [];
  const parse: unknown = Reflect.get(ccxt, "parseWsLiquidation");
  if (typeof parse !== "function") return [];
  return details
    .slice(1)
    .map((detail: unknown) => Reflect.apply(parse, ccxt, [{ ...info, details: [detail] }]));
}

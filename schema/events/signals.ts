import { derived, double, oneOf, optional, symbol, varchar } from "../columns.ts";
import { rowId } from "../content_id.ts";
import { defineEvent } from "../define.ts";

export const signals = defineEvent({
  name: "signals",
  why: "What did a strategy see, and how strongly?",
  sampling: "one row per signal",
  keys: ["strategy", "exchange", "symbol", "event_id"],
  columns: {
    strategy: symbol("Name of the strategy."),
    exchange: symbol("CCXT id of the exchange."),
    symbol: symbol("CCXT unified symbol."),
    event_id: derived(varchar("Stable id of the signal; made from the row when absent."), rowId),
    indicator: symbol("What gave the signal."),
    signal: oneOf(["buy", "sell", "neutral"], "Its direction."),
    strength: optional(double("0 to 1.")),
    price: optional(double("Price at the signal, in quote currency.")),
  },
});

import { double, optional, symbol } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const openInterest = defineEvent({
  name: "open_interest",
  why: "How many contracts are open, per symbol and exchange, over time?",
  sampling: "one row per symbol and slot (default 60 s)",
  keys: ["exchange", "symbol"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    symbol: symbol("CCXT unified symbol."),
    open_interest: double("Open interest in base currency."),
    open_interest_usd: optional(double("Open interest in quote currency (USD for linear swaps).")),
  },
});

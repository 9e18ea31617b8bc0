import { double, optional, symbol, timestamp } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const fundingRates = defineEvent({
  name: "funding_rates",
  why: "What does holding a perpetual cost, per symbol and exchange?",
  sampling: "one row per symbol and slot (default 5 min)",
  keys: ["exchange", "symbol"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    symbol: symbol("CCXT unified symbol."),
    funding_rate: double("Rate of the current interval as a fraction (0.0001 = 0.01 %)."),
    next_funding_ts: optional(timestamp("When it is charged next.")),
    interval_h: optional(double("Hours between two charges.")),
    mark_price: optional(double("Mark price in quote currency.")),
    index_price: optional(double("Index price in quote currency.")),
  },
});

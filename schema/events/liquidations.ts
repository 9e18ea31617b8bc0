import { derived, double, oneOf, optional, symbol, varchar } from "../columns.ts";
import { rowId } from "../content_id.ts";
import { defineEvent } from "../define.ts";

export const liquidations = defineEvent({
  name: "liquidations",
  why: "Who was forced out, at what price, and how large was it?",
  sampling: "one row per public liquidation",
  keys: ["exchange", "symbol", "event_id"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    symbol: symbol("CCXT unified symbol."),
    event_id: derived(varchar("The exchange's id, or one made from the row."), rowId),
    side: oneOf(["buy", "sell"], "Side of the liquidating order: sell closes a long."),
    price: double("Price in quote currency."),
    amount: double("Size in base currency."),
    value_usd: optional(double("price × amount in quote currency.")),
  },
});

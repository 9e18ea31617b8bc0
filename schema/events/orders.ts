import { double, long, oneOf, optional, symbol, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const orders = defineEvent({
  name: "orders",
  why: "What happened to each order, and how long did it take?",
  sampling: "one row per change of an order",
  keys: ["account", "exchange", "order_id", "seq"],
  columns: {
    account: symbol("Trading account."),
    exchange: symbol("CCXT id of the exchange."),
    order_id: varchar("The exchange's id, or ours before it has one."),
    seq: long("Counts the changes of one order."),
    strategy: optional(symbol("Strategy that sent it.")),
    symbol: symbol("CCXT unified symbol."),
    side: oneOf(["buy", "sell"], "Side."),
    order_type: symbol("market, limit, stop, …"),
    status: oneOf(
      ["new", "open", "partially_filled", "filled", "canceled", "rejected", "expired"],
      "State after the change.",
    ),
    price: optional(double("Limit price in quote currency.")),
    amount: double("Ordered size in base currency."),
    filled_amount: optional(double("Filled so far, in base currency.")),
    latency_ms: optional(double("From sending to the answer of the exchange.")),
    reason: optional(varchar("Why it was rejected or cancelled.")),
  },
});

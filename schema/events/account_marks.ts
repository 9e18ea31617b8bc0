import { double, long, optional, symbol } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const accountMarks = defineEvent({
  name: "account_marks",
  why: "How much capital is there, and how much of it works?",
  sampling: "one mark per account and exchange every 10 s",
  keys: ["account", "exchange"],
  columns: {
    account: symbol("Trading account."),
    exchange: symbol("CCXT id of the exchange."),
    balance: double("Balance in quote currency."),
    margin_used: optional(double("Margin in use, in quote currency.")),
    capital_utilization: optional(double("margin_used ÷ balance, a fraction.")),
    open_orders: optional(long("Orders on the book.")),
  },
});

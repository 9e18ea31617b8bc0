import { double, optional, symbol } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const pnl = defineEvent({
  name: "pnl",
  why: "Is a strategy making money, and how far is it below its best?",
  sampling: "one mark per account and strategy every 10 s",
  keys: ["account", "strategy"],
  columns: {
    account: symbol("Trading account."),
    strategy: symbol("Name of the strategy."),
    currency: symbol("Currency of all amounts."),
    realized_pnl: double("Realized since the strategy began."),
    unrealized_pnl: double("Unrealized now."),
    equity: double("Capital plus both."),
    peak_equity: optional(double("Highest equity so far.")),
    drawdown: optional(double("equity ÷ peak_equity − 1, a fraction: −0.05 is five percent below the peak.")),
  },
});

import { double, oneOf, optional, symbol, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const positions = defineEvent({
  name: "positions",
  why: "What do we hold, and how near is it to liquidation?",
  sampling: "one mark per position every 10 s",
  keys: ["account", "strategy", "exchange", "symbol", "position_id"],
  columns: {
    account: symbol("Trading account."),
    strategy: symbol("Name of the strategy."),
    exchange: symbol("CCXT id of the exchange."),
    symbol: symbol("CCXT unified symbol."),
    position_id: varchar("Id of the position; long and short of a hedged symbol differ."),
    side: oneOf(["long", "short"], "Direction."),
    amount: double("Size in base currency, not negative."),
    entry_price: optional(double("Average entry in quote currency.")),
    mark_price: optional(double("Mark price in quote currency.")),
    notional_usd: optional(double("amount × mark_price.")),
    unrealized_pnl: optional(double("In quote currency.")),
    leverage: optional(double("Notional ÷ margin.")),
    margin_ratio: optional(double("Maintenance margin ÷ margin balance, a fraction; 1 is liquidation.")),
    liquidation_price: optional(double("In quote currency.")),
  },
});

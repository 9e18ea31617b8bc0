import { boolean, double, oneOf, optional, symbol, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const fills = defineEvent({
  name: "fills",
  why: "What did we trade, at what price and cost?",
  sampling: "one row per trade of ours",
  keys: ["account", "exchange", "fill_id"],
  columns: {
    account: symbol("Trading account."),
    exchange: symbol("CCXT id of the exchange."),
    fill_id: varchar("The exchange's trade id."),
    order_id: varchar("The order it belongs to."),
    strategy: optional(symbol("Strategy that sent the order.")),
    symbol: symbol("CCXT unified symbol."),
    side: oneOf(["buy", "sell"], "Side."),
    price: double("Price in quote currency."),
    amount: double("Size in base currency."),
    fee: optional(double("Fee paid; negative is a rebate.")),
    fee_currency: optional(symbol("Currency of the fee.")),
    realized_pnl: optional(double("Profit realized by this fill, in quote currency.")),
    is_maker: boolean("Added liquidity. Required: QuestDB has no NULL for booleans, and a guess would lie."),
  },
});

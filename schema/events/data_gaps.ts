import { double, long, oneOf, symbol, timestamp } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const dataGaps = defineEvent({
  name: "data_gaps",
  why: "Where is data missing, since when, and was it filled in?",
  sampling: "one row per gap, replaced while it grows and when it closes (ts is the start of the gap)",
  keys: ["exchange", "symbol", "dataset"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    symbol: symbol("CCXT unified symbol."),
    dataset: symbol("The series with the hole: open_interest, funding_rates, liquidations, …"),
    gap_end: timestamp("End of the gap as known now."),
    duration_s: double("Length in seconds."),
    missing_rows: long("Rows that should have come."),
    status: oneOf(["open", "closed", "backfilled"], "Whether it still grows."),
  },
});

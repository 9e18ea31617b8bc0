import { double, long, oneOf, optional, symbol, uuid } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const fetches = defineEvent({
  name: "fetches",
  why: "Did the pipeline fetch what it should, how fast, and if not, why?",
  sampling: "one row per attempt",
  keys: ["exchange", "dataset", "method", "fetch_id"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    dataset: symbol("What was fetched: open_interest, funding_rates, liquidations, …"),
    method: symbol("CCXT method that was called."),
    fetch_id: uuid("One attempt."),
    symbol: optional(symbol("CCXT unified symbol when the call was for one.")),
    status: oneOf(["ok", "error", "timeout", "rate_limited", "unsupported"], "How it ended."),
    duration_ms: double("From the call to its end, waiting for the rate limiter included."),
    row_count: long("Rows that came of it."),
    http_status: optional(long("HTTP status of the last answer, when there was one.")),
    error_code: optional(symbol("CCXT error class, such as RateLimitExceeded.")),
  },
});

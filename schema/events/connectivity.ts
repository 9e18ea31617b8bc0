import { boolean, double, long, optional, symbol, timestamp } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const connectivity = defineEvent({
  name: "connectivity",
  why: "How well is each exchange connection doing right now?",
  sampling: "one sample per exchange and channel every 10 s",
  keys: ["exchange", "channel", "instance"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    channel: symbol("rest, or the name of a stream."),
    instance: symbol("The process that holds the connection."),
    up: boolean("Connected at the time of the sample."),
    latency_ms: optional(double("REST probe, or WebSocket ping to pong.")),
    clock_skew_ms: optional(double("The exchange's clock minus ours, corrected by half the latency.")),
    last_message_ts: optional(timestamp("When the last message or answer came.")),
    message_count: optional(long("Messages since the process started.")),
    reconnects: optional(long("Reconnections since the process started.")),
    rate_limit_used: optional(double("Rate limit used, in the unit of its capacity.")),
    rate_limit_capacity: optional(double("Rate limit that there is.")),
  },
});

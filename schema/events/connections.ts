import { double, long, oneOf, optional, symbol, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const connections = defineEvent({
  name: "connections",
  why: "When did a connection to an exchange break and come back?",
  sampling: "one row per change of state, never a sample",
  keys: ["exchange", "channel", "instance", "seq"],
  columns: {
    exchange: symbol("CCXT id of the exchange."),
    channel: symbol("rest, or the name of a stream."),
    instance: symbol("The process that holds the connection."),
    seq: long("Counts the changes of one process, so that two in one microsecond stay apart."),
    state: oneOf(["connected", "disconnected", "degraded", "unsupported"], "The new state."),
    reason: optional(varchar("Why, for people.")),
    close_code: optional(long("WebSocket close code.")),
    downtime_ms: optional(double("On recovery: how long it was not connected.")),
  },
});

import { derived, oneOf, optional, symbol, varchar } from "../columns.ts";
import { rowId } from "../content_id.ts";
import { defineEvent } from "../define.ts";

export const daemonErrors = defineEvent({
  name: "daemon_errors",
  why: "What goes wrong, where, and how often?",
  sampling: "one row per error",
  keys: ["daemon", "instance", "event_id"],
  columns: {
    daemon: symbol("Name of the daemon."),
    instance: symbol("One running copy of it."),
    event_id: derived(varchar("Stable id of the error; made from the row when absent."), rowId),
    component: symbol("Part of the daemon that failed."),
    exchange: optional(symbol("CCXT id of the exchange concerned, if one is.")),
    severity: oneOf(["debug", "info", "warning", "error", "critical"], "How bad."),
    code: optional(symbol("Error code or class; a closed set, not a message.")),
    message: varchar("What the error said."),
  },
});

import { derived, long, oneOf, optional, symbol, varchar } from "../columns.ts";
import { rowId } from "../content_id.ts";
import { defineEvent } from "../define.ts";

export const daemonEvents = defineEvent({
  name: "daemon_events",
  why: "When did a daemon start, stop, crash or change, and why?",
  sampling: "one row per event",
  keys: ["daemon", "instance", "event_id"],
  columns: {
    daemon: symbol("Name of the daemon."),
    instance: symbol("One running copy of it."),
    event_id: derived(varchar("Stable id of the event; made from the row when absent."), rowId),
    event: oneOf(["started", "stopped", "crashed", "restarted", "config_changed"], "What happened."),
    exit_code: optional(long("Exit code of the process, or 128 + signal.")),
    reason: optional(varchar("Why, for people.")),
    version: optional(varchar("Version that started or ended.")),
  },
});

import { double, oneOf, optional, symbol, timestamp, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const alerts = defineEvent({
  name: "alerts",
  why: "Which alert fired when, for how long, and who was told?",
  sampling: "one row per change of an alert's state",
  keys: ["fingerprint", "state"],
  columns: {
    fingerprint: symbol("Grafana's id of the alert instance."),
    state: oneOf(["firing", "resolved", "pending", "acknowledged"], "The new state."),
    rule: symbol("Name of the rule."),
    severity: optional(symbol("critical, warning or info.")),
    value: optional(double("Value that decided.")),
    labels: optional(varchar("Labels as JSON.")),
    summary: optional(varchar("What it says to people.")),
    receiver: optional(symbol("Contact point that was told.")),
    started_at: optional(timestamp("When it began to fire.")),
    ended_at: optional(timestamp("When it ended.")),
  },
});

import { double, oneOf, optional, symbol, timestamp, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const alerts = defineEvent({
  name: "alerts",
  why: "Which alert fired when, for how long, and who was told?",
  sampling:
    "one row per change of an alert's state; ts is when it began, ended or was acknowledged, so that a message that comes twice is one row",
  keys: ["fingerprint", "state"],
  columns: {
    fingerprint: symbol("Grafana's id of the alert instance."),
    state: oneOf(["firing", "resolved", "pending", "acknowledged"], "The new state."),
    rule: symbol("Name of the rule."),
    severity: optional(symbol("critical, warning or info.")),
    value: optional(double("Value that decided.")),
    labels: optional(varchar("Labels as JSON.")),
    summary: optional(varchar("What it says to people; the note of an acknowledgement.")),
    receiver: optional(symbol("Contact point that was told; who acknowledged.")),
    started_at: optional(timestamp("When it began to fire.")),
    ended_at: optional(timestamp("When it ended.")),
    notified_at: optional(timestamp("When the first message about this change came here.")),
  },
});

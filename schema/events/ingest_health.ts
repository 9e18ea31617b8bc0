import { double, long, oneOf, optional, symbol, varchar } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const ingestHealth = defineEvent({
  name: "ingest_health",
  why: "Does tickwatch itself keep its promises, table by table?",
  sampling:
    "one row per table every 10 s, and per rollup every minute; counts are since the process started, 0 for a rollup",
  keys: ["instance", "table"],
  columns: {
    instance: symbol("The tickwatch process."),
    table: symbol("The table or rollup it speaks of."),
    accepted: long("Rows accepted and on disk."),
    written: long("Rows that QuestDB acknowledged."),
    rejected: long("Inputs refused at intake."),
    dead_lettered: long("Rows that QuestDB refused."),
    retried: long("Delivery attempts beyond the first."),
    spool_bytes: optional(long("Bytes on disk not yet acknowledged.")),
    oldest_pending_ms: optional(double("Age of the oldest row not yet acknowledged.")),
    queryable_p50_ms: optional(double("Accept to queryable, median since the last row.")),
    queryable_p99_ms: optional(double("Accept to queryable, 99th percentile since the last row.")),
    state: optional(
      oneOf(
        ["ok", "suspended", "invalid", "stale"],
        "suspended: QuestDB takes rows and shows none; invalid, stale: a rollup that is not refreshed any more. Absent while QuestDB does not tell.",
      ),
    ),
    reason: optional(varchar("Why it is not ok.")),
    lag_txns: optional(
      long(
        "Transactions not yet applied to the table; for a rollup, those of its table that it has not seen.",
      ),
    ),
    pending_rows: optional(long("Rows committed and not yet applied, if QuestDB tells.")),
    requests: optional(long("Requests that QuestDB acknowledged.")),
    request_bytes: optional(long("Bytes of those requests.")),
  },
});

import { double, long, optional, symbol } from "../columns.ts";
import { defineEvent } from "../define.ts";

export const ingestHealth = defineEvent({
  name: "ingest_health",
  why: "Does tickwatch itself keep its promises, table by table?",
  sampling: "one row per table every 10 s; counts are since the process started",
  keys: ["instance", "table"],
  columns: {
    instance: symbol("The tickwatch process."),
    table: symbol("The table it speaks of."),
    accepted: long("Rows accepted and on disk."),
    written: long("Rows that QuestDB acknowledged."),
    rejected: long("Inputs refused at intake."),
    dead_lettered: long("Rows that QuestDB refused."),
    retried: long("Delivery attempts beyond the first."),
    spool_bytes: optional(long("Bytes on disk not yet acknowledged.")),
    oldest_pending_ms: optional(double("Age of the oldest row not yet acknowledged.")),
    queryable_p50_ms: optional(double("Accept to queryable, median since the last row.")),
    queryable_p99_ms: optional(double("Accept to queryable, 99th percentile since the last row.")),
  },
});

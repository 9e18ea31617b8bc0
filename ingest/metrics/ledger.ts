// Rows counted per table along the way: accepted, written, rejected, dead-lettered, retried. One place, so that
// /metrics, ingest_health and the summary at the end say the same.
import type { RejectReason } from "../../schema/refusal.ts";
import type { Metrics } from "./record.ts";

/** Counts of one table since the process started. */
export interface TableCounts {
  accepted: number;
  written: number;
  rejected: number;
  deadLettered: number;
  retried: number;
  /** Requests that QuestDB acknowledged, and their bytes. */
  requests: number;
  requestBytes: number;
}

/** Why QuestDB refused a row for good, or a delivery had to be repeated. Closed, for labels. */
export type DeadLetterReason = "row_refused" | "server_error" | "spool_damage";
export type RetryReason =
  | "unavailable"
  | "timeout"
  | "server_error"
  | "row_refused"
  | "not_allowed"
  | "table_not_ready";

/** Label of rows whose table does not exist: the names people send are not bounded. */
export const UNKNOWN_TABLE = "unknown";

export interface Ledger {
  accepted(table: string, rows: number): void;
  written(table: string, rows: number): void;
  /** Rows that had been written before and were sent again after an outage. */
  resent(table: string, rows: number): void;
  rejected(table: string, reason: RejectReason): void;
  deadLettered(table: string, reason: DeadLetterReason, rows: number): void;
  retried(table: string, reason: RetryReason): void;
  /** QuestDB acknowledged a request. */
  acknowledged(table: string, bytes: number): void;
  counts(table: string): Readonly<TableCounts>;
  /** Tables that were counted at least once. */
  tables(): readonly string[];
}

const NOTHING: Readonly<TableCounts> = {
  ...{ accepted: 0, written: 0, rejected: 0, deadLettered: 0, retried: 0, requests: 0, requestBytes: 0 },
};

export function createLedger(metrics: Metrics): Ledger {
  const tables = new Map<string, TableCounts>();
  const of = (table: string): TableCounts => {
    let counts = tables.get(table);
    if (counts === undefined) {
      counts = { ...NOTHING };
      tables.set(table, counts);
    }
    return counts;
  };
  return {
    accepted(table, rows) {
      of(table).accepted += rows;
      metrics.count("tickwatch_rows_accepted_total", { table }, rows);
    },
    written(table, rows) {
      of(table).written += rows;
      metrics.count("tickwatch_rows_written_total", { table }, rows);
    },
    resent: (table, rows) => metrics.count("tickwatch_rows_resent_total", { table }, rows),
    rejected(table, reason) {
      of(table).rejected += 1;
      metrics.count("tickwatch_rows_rejected_total", { table, reason });
    },
    deadLettered(table, reason, rows) {
      of(table).deadLettered += rows;
      metrics.count("tickwatch_rows_dead_lettered_total", { table, reason }, rows);
    },
    retried(table, reason) {
      of(table).retried += 1;
      metrics.count("tickwatch_deliveries_retried_total", { table, reason });
    },
    acknowledged(table, bytes) {
      of(table).requests += 1;
      of(table).requestBytes += bytes;
    },
    counts: (table) => of(table),
    tables: () => [...tables.keys()],
  };
}

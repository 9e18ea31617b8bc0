// Every metric as data: name, kind, help, labels. Label values come from closed or configured sets (tables, reasons,
// exchanges, datasets), never from ids, texts or URLs, so the number of series is bounded.

/** One metric. Histograms state their buckets in the unit of their name. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export const METRICS = {
  tickwatch_rows_accepted_total: {
    kind: "counter",
    help: "Rows accepted: valid and durable in the spool.",
    labels: ["table"],
  },
  tickwatch_rows_written_total: {
    kind: "counter",
    help: "Rows that QuestDB acknowledged.",
    labels: ["table"],
  },
  tickwatch_rows_resent_total: {
    kind: "counter",
    help: "Rows written before that were sent again after an outage of QuestDB, in case it had lost them.",
    labels: ["table"],
  },
  tickwatch_rows_rejected_total: {
    kind: "counter",
    help: 'Inputs refused at intake, by reason; table is "unknown" when there is no such table.',
    labels: ["table", "reason"],
  },
  tickwatch_source_discarded_total: {
    kind: "counter",
    help: "What a source could not make into rows (malformed_response) or could not hand over (source_full, source_stopped).",
    labels: ["table", "reason"],
  },
  tickwatch_rows_dead_lettered_total: {
    kind: "counter",
    help: "Accepted rows that QuestDB refused and that are in the dead-letter file.",
    labels: ["table", "reason"],
  },
  tickwatch_dead_letters_dropped_total: {
    kind: "counter",
    help: "Dead letters deleted, oldest first, because the files had reached their cap.",
    labels: [],
  },
  tickwatch_deliveries_retried_total: {
    kind: "counter",
    help: "Delivery attempts beyond the first, by what made them necessary.",
    labels: ["table", "reason"],
  },
  tickwatch_frame_rows: {
    kind: "histogram",
    help: "Rows per request to QuestDB.",
    labels: [],
    buckets: [1, 10, 100, 1000, 5000, 10_000, 25_000, 50_000, 100_000],
  },
  tickwatch_frame_bytes: {
    kind: "histogram",
    help: "Bytes per request to QuestDB.",
    labels: [],
    buckets: [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216],
  },
  tickwatch_durable_seconds: {
    kind: "histogram",
    help: "From accepting rows to having them on disk.",
    labels: [],
    buckets: LATENCY_SECONDS,
  },
  tickwatch_ack_seconds: {
    kind: "histogram",
    help: "From sending a frame to QuestDB's acknowledgement.",
    labels: [],
    buckets: LATENCY_SECONDS,
  },
  tickwatch_queryable_seconds: {
    kind: "histogram",
    help: "From accepting a row to being able to query it (sampled per table).",
    labels: ["table"],
    buckets: LATENCY_SECONDS,
  },
  tickwatch_spool_bytes: {
    kind: "gauge",
    help: "Bytes of the spool on disk.",
    labels: [],
  },
  tickwatch_spool_pending_rows: {
    kind: "gauge",
    help: "Rows on disk that QuestDB has not acknowledged.",
    labels: ["table"],
  },
  tickwatch_spool_oldest_seconds: {
    kind: "gauge",
    help: "Age of the oldest row that QuestDB has not acknowledged; 0 when there is none.",
    labels: [],
  },
  tickwatch_ledger_bytes: {
    kind: "gauge",
    help: "Bytes of the key ledger on disk.",
    labels: [],
  },
  tickwatch_ledger_gaps_total: {
    kind: "counter",
    help: "How often the key ledger began anew, so that verify cannot account for all rows from before.",
    labels: ["reason"],
  },
  tickwatch_questdb_up: {
    kind: "gauge",
    help: "1 when the last contact with QuestDB succeeded.",
    labels: [],
  },
  tickwatch_table_suspended: {
    kind: "gauge",
    help: "1 when QuestDB has suspended the table's WAL.",
    labels: ["table"],
  },
  tickwatch_rollup_broken: {
    kind: "gauge",
    help: "1 when the rollup is not refreshed any more: invalid, or stale.",
    labels: ["rollup"],
  },
  tickwatch_fetches_total: {
    kind: "counter",
    help: "Fetch attempts, by how they ended.",
    labels: ["exchange", "dataset", "status"],
  },
  tickwatch_exchange_up: {
    kind: "gauge",
    help: "1 when the channel to the exchange is connected.",
    labels: ["exchange", "channel"],
  },
  tickwatch_exchange_reconnects_total: {
    kind: "counter",
    help: "Reconnections to an exchange.",
    labels: ["exchange", "channel"],
  },
  tickwatch_source_restarts_total: {
    kind: "counter",
    help: "How often the supervisor restarted a source.",
    labels: ["source"],
  },
  tickwatch_http_requests_total: {
    kind: "counter",
    help: "Requests answered by the gateway.",
    labels: ["route", "status"],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

type NamesOfKind<K> = { [N in MetricName]: (typeof METRICS)[N]["kind"] extends K ? N : never }[MetricName];
export type CounterName = NamesOfKind<"counter">;
export type GaugeName = NamesOfKind<"gauge">;
export type HistogramName = NamesOfKind<"histogram">;

/** Exactly the labels of a metric. */
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]["labels"][number], string>>;

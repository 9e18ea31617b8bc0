// tickwatch about itself, table by table, into ingest_health. Counts nothing itself: it is told by the stages.
import { createSampler } from "../daemon/sampler.ts";
import type { Source, SourceContext } from "./source.ts";

/**
 * What the stages know of one table, or QuestDB of one rollup, in the columns of `ingest_health`. Counts are since the
 * process started.
 */
export interface TableHealth {
  readonly table: string;
  readonly accepted: number;
  readonly written: number;
  readonly rejected: number;
  readonly dead_lettered: number;
  readonly retried: number;
  readonly spool_bytes?: number | null | undefined;
  readonly oldest_pending_ms?: number | null | undefined;
  readonly queryable_p50_ms?: number | null | undefined;
  readonly queryable_p99_ms?: number | null | undefined;
  readonly state?: "ok" | "suspended" | "invalid" | "stale" | null | undefined;
  readonly reason?: string | null | undefined;
  readonly lag_txns?: number | null | undefined;
  readonly pending_rows?: number | null | undefined;
  readonly requests?: number | null | undefined;
  readonly request_bytes?: number | null | undefined;
}

export interface IngestHealthOptions {
  readonly context: SourceContext;
  /** Default 10 s. */
  readonly everyMs?: number;
  /** Asked once per slot; percentiles are those since it was asked last. */
  readonly tableHealth: () => readonly TableHealth[] | Promise<readonly TableHealth[]>;
}

/** One row per table and rollup at once, then per slot of `everyMs`. */
export function createIngestHealthSource(options: IngestHealthOptions): Source {
  const { context, everyMs = 10_000, tableHealth } = options;
  return createSampler({
    name: "ingest_health",
    table: "ingest_health",
    everyMs,
    context,
    begin: () => ({
      async sample(ts) {
        const tables = await tableHealth();
        return tables.map((health) => ({ ts, instance: context.instance, ...health }));
      },
    }),
  });
}

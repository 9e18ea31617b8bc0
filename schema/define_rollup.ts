// defineRollup(): a materialized view from one list of columns, so that a panel over months reads thousands of rows and
// not millions. Pure: no IO, no clock. How QuestDB is made to have it is ingest/questdb/rollup_*.ts.
import type { EventDefinition } from "./define.ts";

/** A column of a rollup: an aggregate over the rows of one bucket. */
export interface RollupColumn {
  readonly sql: string;
  readonly doc: string;
}

/** Length of a bucket. It decides how the view is stored and for how long. */
export type RollupStep = "1m" | "1h" | "1d";

/** In the words of QuestDB's `TTL`. */
export interface RollupTtl {
  readonly value: number;
  readonly unit: "MONTH" | "YEAR";
}

export interface RollupDefinition {
  /** `<table>_<step>`. */
  readonly name: string;
  /** One line: what reads it. */
  readonly why: string;
  /** The table it follows. */
  readonly base: string;
  readonly step: RollupStep;
  /** One row per bucket and combination of these. `ts` is the start of the bucket, UTC. */
  readonly keys: readonly string[];
  readonly columns: Readonly<Record<string, RollupColumn>>;
  readonly partitionBy: "DAY" | "MONTH" | "YEAR";
  readonly ttl: RollupTtl;
  /** The view's query. Two definitions with one query are the same view. */
  readonly selectSql: string;
  /** `CREATE MATERIALIZED VIEW IF NOT EXISTS …`, refreshed once a minute. */
  readonly createSql: string;
}

interface RollupSpec<E extends EventDefinition> {
  readonly base: E;
  readonly step: RollupStep;
  readonly why: string;
  readonly keys: readonly (keyof E["columns"] & string)[];
  readonly columns: Readonly<Record<string, RollupColumn>>;
}

/**
 * Every refresh rewrites the partition of the newest bucket, so partitions are short where buckets are. All outlive the
 * rows they were made of.
 */
const STORAGE = {
  "1m": { partitionBy: "DAY", ttl: { value: 12, unit: "MONTH" } },
  "1h": { partitionBy: "MONTH", ttl: { value: 24, unit: "MONTH" } },
  "1d": { partitionBy: "YEAR", ttl: { value: 10, unit: "YEAR" } },
} as const satisfies Record<RollupStep, Pick<RollupDefinition, "partitionBy" | "ttl">>;

const NAME = /^[a-z][a-z0-9_]*$/;

/** Defines a rollup. Throws on a definition that could not work: a bad name, a key that is none of its table. */
export function defineRollup<const E extends EventDefinition>(spec: RollupSpec<E>): RollupDefinition {
  const { base, step, why, keys, columns } = spec;
  const name = `${base.name}_${step}`;
  for (const key of keys) {
    // Of a table with deduplication a view may group by nothing else: a replaced row could leave another bucket stale.
    if (!base.keys.includes(key)) throw new Error(`rollup ${name}: "${key}" is no key of ${base.name}`);
  }
  for (const column of Object.keys(columns)) {
    if (!NAME.test(column) || column === "ts" || keys.includes(column))
      throw new Error(`rollup ${name}: "${column}" cannot be a column`);
  }
  const selectSql = [
    "SELECT",
    [
      '  "ts"',
      ...keys.map((key) => `  "${key}"`),
      ...Object.entries(columns).map(([column, { sql }]) => `  ${sql} AS "${column}"`),
    ].join(",\n"),
    `FROM "${base.name}"`,
    `SAMPLE BY ${step}`,
  ].join("\n");
  const { partitionBy, ttl } = STORAGE[step];
  const createSql = [
    `CREATE MATERIALIZED VIEW IF NOT EXISTS "${name}" WITH BASE "${base.name}" REFRESH EVERY 1m AS (`,
    selectSql,
    `) PARTITION BY ${partitionBy} TTL ${ttl.value} ${ttl.unit}S`,
  ].join("\n");
  return Object.freeze({
    ...{ name, why, base: base.name, step, keys, columns, partitionBy, ttl, selectSql, createSql },
  });
}

/** Rows of the bucket. */
export function rowCount(doc: string): RollupColumn {
  return { sql: "count()", doc };
}

/** Rows for which the SQL condition holds. */
export function countIf(condition: string, doc: string): RollupColumn {
  return { sql: `sum(CASE WHEN ${condition} THEN 1 ELSE 0 END)`, doc };
}

/** Sum of a column over the rows for which the SQL condition holds. */
export function sumIf(column: string, condition: string, doc: string): RollupColumn {
  return { sql: `sum(CASE WHEN ${condition} THEN "${column}" END)`, doc };
}

export function last(column: string, doc: string): RollupColumn {
  return { sql: `last("${column}")`, doc };
}

export function sum(column: string, doc: string): RollupColumn {
  return { sql: `sum("${column}")`, doc };
}

export function average(column: string, doc: string): RollupColumn {
  return { sql: `avg("${column}")`, doc };
}

export function least(column: string, doc: string): RollupColumn {
  return { sql: `min("${column}")`, doc };
}

export function greatest(column: string, doc: string): RollupColumn {
  return { sql: `max("${column}")`, doc };
}

/**
 * A percentile over the rows for which the SQL condition holds, to one digit: QuestDB keeps a histogram per group on its
 * Java heap, about 2 kB at one digit and a hundred at three, and a first refresh has thousands of groups.
 */
export function percentileIf(column: string, fraction: number, condition: string, doc: string): RollupColumn {
  return { sql: `approx_percentile(CASE WHEN ${condition} THEN "${column}" END, ${fraction}, 1)`, doc };
}

/** Any other aggregate. */
export function aggregate(sql: string, doc: string): RollupColumn {
  return { sql, doc };
}

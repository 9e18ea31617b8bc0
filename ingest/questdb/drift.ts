// Compares the tables as they are with the schema as it should be, and names every difference with its remedy.
// Reads only: it never changes, drops or rebuilds anything. People do, by the statement that is shown.
import type { ColumnType } from "../../schema/columns.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { TickwatchError } from "../errors.ts";
import { type LiveColumn, type LiveTable, readLiveTables, takesTtlInDays, ttlDaysOf } from "./live_schema.ts";
import type { Sql } from "./sql.ts";
import { quotedName } from "./sql_text.ts";

type DriftKind =
  | "table_missing"
  | "not_a_table"
  | "not_wal"
  | "designated_timestamp"
  | "partition"
  | "dedup_keys"
  | "ttl"
  | "column_missing"
  | "column_type"
  | "column_extra"
  | "rollup_missing"
  | "not_a_rollup"
  | "rollup_query"
  | "rollup_invalid"
  | "rollup_refresh";

/** One difference. */
export interface Drift {
  readonly table: string;
  readonly kind: DriftKind;
  readonly column?: string;
  readonly expected: string;
  readonly actual: string;
  /** Rows, or values in them, would be refused, merged, doubled or expire too early if the service wrote to this table. */
  readonly losesRows: boolean;
  /** What to do: a statement to run, or words where there is none. */
  readonly remedy: string;
}

/** A table the schema asks for; `createTableSql` and the rest come from its event definition. */
export type ExpectedTable = Pick<
  EventDefinition,
  "name" | "columns" | "keys" | "ttlDays" | "partitionBy" | "createTableSql"
>;

/** Days by table where the configuration asks for others than the event's own. */
export type TtlDaysByTable = ReadonlyMap<string, number>;

/** Every difference, tables in the order of the schema. Empty when all is as it should be. */
export async function findDrift(
  sql: Sql,
  tables: readonly ExpectedTable[],
  ttlDaysByTable: TtlDaysByTable,
  signal?: AbortSignal,
): Promise<readonly Drift[]> {
  const names = tables.map((table) => table.name);
  const live = await readLiveTables(sql, names, signal);
  return tables.flatMap((table) => {
    const ttlDays = ttlDaysByTable.get(table.name) ?? table.ttlDays;
    return driftOf(table, ttlDays, live.get(table.name));
  });
}

/** Throws SCHEMA_DRIFT, naming each difference that loses rows and its remedy; returns when there is none. */
export function assertNoLosingDrift(drift: readonly Drift[]): void {
  const losing = drift.filter((difference) => difference.losesRows);
  if (losing.length === 0) return;
  const count = losing.length === 1 ? "One difference" : `${losing.length} differences`;
  const message = [
    `${count} between the tables in QuestDB and the schema would lose or double rows:`,
    ...losing.flatMap((difference) => [`  ${describeDrift(difference)}`, `    remedy: ${difference.remedy}`]),
    "Nothing was changed. Apply the remedies and start again; `tickwatch migrate` shows what is left.",
  ].join("\n");
  throw new TickwatchError("SCHEMA_DRIFT", message);
}

/** One difference in a line, such as "fills.fee: expected DOUBLE, is LONG". */
export function describeDrift({ table, column, kind, expected, actual }: Drift): string {
  const where = column === undefined ? table : `${table}.${column}`;
  return `${where}: ${kind.replaceAll("_", " ")}: expected ${expected}, is ${actual}`;
}

/** Pure part: one table against what is there. */
function driftOf(table: ExpectedTable, ttlDays: number, live: LiveTable | undefined): readonly Drift[] {
  const { name } = table;
  if (live === undefined) {
    const remedy = "run `tickwatch migrate`";
    return [
      { table: name, kind: "table_missing", expected: "a table", actual: "missing", losesRows: true, remedy },
    ];
  }
  if (live.materializedView) {
    const remedy = `rename or drop the view ${name}, then run \`tickwatch migrate\``;
    const actual = "a materialized view";
    return [{ table: name, kind: "not_a_table", expected: "a table", actual, losesRows: true, remedy }];
  }
  return [
    ...shapeDrift(table, live),
    ...dedupDrift(table, live),
    ...ttlDrift(table, ttlDays, live),
    ...columnDrift(table, live),
  ];
}

/** Differences that no ALTER TABLE can mend, but for the write-ahead log. */
function shapeDrift(table: ExpectedTable, live: LiveTable): Drift[] {
  const found: Drift[] = [];
  const { name } = table;
  const rebuild = `RENAME TABLE ${quotedName(name)} TO ${quotedName(`${name}_old`)}; then run \`tickwatch migrate\` and copy the rows with INSERT INTO ${quotedName(name)} SELECT … FROM ${quotedName(`${name}_old`)}`;
  if (live.designated !== "ts") {
    found.push({
      ...{ table: name, kind: "designated_timestamp", expected: "ts", actual: live.designated ?? "none" },
      ...{ losesRows: true, remedy: rebuild },
    });
  }
  if (live.partitionBy !== table.partitionBy) {
    found.push({
      ...{ table: name, kind: "partition", expected: table.partitionBy, actual: live.partitionBy },
      ...{ losesRows: false, remedy: rebuild },
    });
  }
  if (!live.wal) {
    const unpartitioned = live.partitionBy === "NONE";
    const remedy = `ALTER TABLE ${quotedName(name)} SET TYPE WAL; then restart QuestDB`;
    // Over HTTP the line protocol refuses every row for such a table.
    found.push({
      ...{ table: name, kind: "not_wal", expected: "WAL", actual: "no WAL" },
      ...{ losesRows: true, remedy: unpartitioned ? rebuild : remedy },
    });
  }
  return found;
}

function dedupDrift(table: ExpectedTable, live: LiveTable): Drift[] {
  const expected = ["ts", ...table.keys];
  const actual = live.dedup ? [...live.columns].filter(([, c]) => c.upsertKey).map(([column]) => column) : [];
  if (expected.length === actual.length && expected.every((key) => actual.includes(key))) return [];
  const keys = expected.map(quotedName).join(", ");
  return [
    {
      ...{ table: table.name, kind: "dedup_keys", expected: expected.join(", ") },
      actual: live.dedup ? actual.join(", ") : "no deduplication",
      // With a key too few, different rows replace each other. Without any, or with one too many, rows come twice: that
      // breaks the promise as much.
      losesRows: true,
      remedy: `ALTER TABLE ${quotedName(table.name)} DEDUP ENABLE UPSERT KEYS(${keys})`,
    },
  ];
}

function ttlDrift(table: ExpectedTable, ttlDays: number, live: LiveTable): Drift[] {
  const span = live.ttl && ttlDaysOf(live.ttl);
  if (span?.least === ttlDays && span.most === ttlDays) return [];
  const shorter = span !== undefined && span.least < ttlDays;
  const statement = `ALTER TABLE ${quotedName(table.name)} SET TTL ${ttlDays} DAYS`;
  const other = `${statement} (this deletes older rows at once), or configure that many days`;
  const settable = takesTtlInDays(live);
  const remedy = shorter ? statement : other;
  return [
    {
      ...{ table: table.name, kind: "ttl", expected: `${ttlDays} days` },
      actual: live.ttl === undefined ? "none" : `${live.ttl.value} × ${live.ttl.unit.toLowerCase()}`,
      losesRows: shorter,
      remedy: settable ? remedy : "correct the partitioning first: a TTL is a whole number of partitions",
    },
  ];
}

function columnDrift(table: ExpectedTable, live: LiveTable): Drift[] {
  const found: Drift[] = [];
  const { name } = table;
  const expected = new Map(Object.entries(table.columns).map(([column, { type }]) => [column, type]));
  for (const [column, type] of expected) {
    const actual = live.columns.get(column);
    if (actual === undefined) {
      const remedy = `ALTER TABLE ${quotedName(name)} ADD COLUMN ${quotedName(column)} ${type}`;
      const words = { expected: type, actual: "missing" };
      found.push({ table: name, kind: "column_missing", column, ...words, losesRows: true, remedy });
    } else if (actual.type !== type) {
      found.push(typeDrift(name, column, type, actual));
    }
  }
  for (const [column, { type }] of live.columns) {
    if (column === "ts" || column === live.designated || expected.has(column)) continue;
    const remedy = "nothing to do: tickwatch leaves it NULL";
    const words = { expected: "no such column", actual: type };
    found.push({ table: name, kind: "column_extra", column, ...words, losesRows: false, remedy });
  }
  return found;
}

/**
 * Other types that take every value of ours as it is, over the line protocol: measured on 9.2.3 and 9.3.4. DOUBLE holds
 * our LONGs because those never leave ±2^53.
 */
const ALSO_HOLDS: Readonly<Record<ColumnType, readonly string[]>> = {
  SYMBOL: ["VARCHAR", "STRING"],
  VARCHAR: ["STRING", "SYMBOL"],
  UUID: ["VARCHAR", "STRING"],
  LONG: ["DOUBLE"],
  DOUBLE: [],
  BOOLEAN: [],
  TIMESTAMP: ["TIMESTAMP_NS"],
};

function typeDrift(table: string, column: string, expected: ColumnType, live: LiveColumn): Drift {
  // 9.2 takes no quotes around the column here; ours are snake_case and need none.
  const remedy = `ALTER TABLE ${quotedName(table)} ALTER COLUMN ${column} TYPE ${expected} (values that cannot be converted become NULL)`;
  const losesRows = !ALSO_HOLDS[expected].includes(live.type);
  return { table, kind: "column_type", column, expected, actual: live.type, losesRows, remedy };
}

// defineEvent(): everything that follows from one list of columns: TypeScript type, parser, CREATE TABLE, order on the
// wire. Pure: no IO, no clock. The only file where a cast from checked data to the derived type is allowed.
import { createHash } from "node:crypto";
import * as z from "zod";
import { type Column, type ColumnType, timestamp } from "./columns.ts";
import { compileQuickCheck } from "./quick_check.ts";
import { type ParseOutcome, refusalOf } from "./refusal.ts";
import { isoToMicros } from "./timestamp_text.ts";

/** Days a row is kept unless the event or the configuration says otherwise. */
const TTL_DAYS_DEFAULT = 90;

type Columns = Readonly<Record<string, Column>>;

type ValueOf<C> = C extends Column<infer V> ? V : never;
type Named<C extends Columns, P> = {
  [K in keyof C]: C[K] extends Column<unknown, infer Q> ? (Q extends P ? K : never) : never;
}[keyof C];
type Flat<T> = { [K in keyof T]: T[K] };

/** What a producer hands over: `ts` in integer microseconds, optional columns absent or null, derived ones left out at will. */
export type InputOf<C extends Columns> = Flat<
  { readonly ts: number } & { readonly [K in Named<C, "required">]: ValueOf<C[K]> } & {
    readonly [K in Named<C, "optional">]?: ValueOf<C[K]> | null | undefined;
  } & { readonly [K in Named<C, "derived">]?: ValueOf<C[K]> | null | undefined }
>;

/** A checked row: derived columns are filled. */
export type RowOf<C extends Columns> = Flat<
  { readonly ts: number } & { readonly [K in Named<C, "required" | "derived">]: ValueOf<C[K]> } & {
    readonly [K in Named<C, "optional">]?: ValueOf<C[K]> | null | undefined;
  }
>;

/** Any checked row, for code that serves every table. */
export type AnyRow = Readonly<Record<string, unknown>> & { readonly ts: number };

/** One column on the wire. */
export interface WireColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export interface EventSpec<N extends string, C extends Columns> {
  readonly name: N;
  /** One line: why the table exists. */
  readonly why: string;
  /** How often a row comes: one line for the reader of the docs. */
  readonly sampling: string;
  /** Dedup keys beside `ts`: a row with the same keys replaces the earlier one. */
  readonly keys: readonly (keyof C & string)[];
  readonly ttlDays?: number;
  readonly columns: C;
}

export interface EventDefinition<N extends string = string, C extends Columns = Columns> {
  readonly name: N;
  readonly why: string;
  readonly sampling: string;
  readonly keys: readonly string[];
  readonly ttlDays: number;
  readonly partitionBy: "DAY";
  readonly columns: C;
  /** The zod schema of the input, for documents (OpenAPI); `parse` is what checks rows. */
  readonly schema: z.ZodType;
  /** Columns in the order they are written: symbols first, as the line protocol demands, then the rest as defined. */
  readonly wire: readonly WireColumn[];
  /** Changes when a column is added, removed or retyped; kept with spooled bytes so that they are never misread. */
  readonly fingerprint: number;
  /** Unknown input → checked row, or why not. Never throws; the row may be the input itself, which is never changed. */
  parse(input: unknown): ParseOutcome<RowOf<C>>;
  /** `CREATE TABLE IF NOT EXISTS …` with dedup keys, partitioning and TTL in whole days. */
  createTableSql(options?: { readonly ttlDays?: number }): string;
}

const NAME = /^[a-z][a-z0-9_]*$/;

/**
 * Defines an event. Throws on a definition that could not work: a bad name, a key that is no required column, a TTL
 * that is not a whole number of days, `ts` among the columns.
 */
export function defineEvent<const N extends string, const C extends Columns>(
  spec: EventSpec<N, C>,
): EventDefinition<N, C> {
  const ttlDays = spec.ttlDays ?? TTL_DAYS_DEFAULT;
  assertSound(spec, ttlDays);
  const schema = objectSchema(spec.columns);
  const wire = wireOrder(spec.columns);
  const fieldNames = ["ts", ...Object.keys(spec.columns)];
  const timeColumns = ["ts", ...wire.filter((c) => c.type === "TIMESTAMP").map((c) => c.name)];
  const derivations = Object.entries(spec.columns).flatMap(([name, c]) =>
    c.derive ? [{ name, derive: c.derive }] : [],
  );

  const isPlainlyRight = compileQuickCheck(spec.columns);

  function parse(input: unknown): ParseOutcome<RowOf<C>> {
    if (isPlainlyRight(input)) return { ok: true, row: withDerived(input as Record<string, unknown>) };
    let outcome = schema.safeParse(input);
    if (!outcome.success) {
      const retimed = withIsoTimes(input, timeColumns);
      if (retimed !== undefined) outcome = schema.safeParse(retimed);
    }
    if (!outcome.success) return refusalOf(outcome.error.issues, input, fieldNames);
    return { ok: true, row: withDerived(outcome.data as Record<string, unknown>) };
  }

  /** The same object when nothing is missing: the input is never changed. */
  function withDerived(row: Record<string, unknown>): RowOf<C> {
    if (derivations.every(({ name }) => row[name] !== undefined && row[name] !== null))
      return row as RowOf<C>;
    const filled = { ...row };
    for (const { name, derive } of derivations) filled[name] ??= derive(row);
    return filled as RowOf<C>;
  }

  return Object.freeze({
    name: spec.name,
    why: spec.why,
    sampling: spec.sampling,
    keys: spec.keys,
    ttlDays,
    partitionBy: "DAY" as const,
    columns: spec.columns,
    schema,
    wire,
    fingerprint: fingerprintOf(wire),
    parse,
    createTableSql: (options?: { readonly ttlDays?: number }) =>
      createTableSql(spec.name, spec.columns, spec.keys, options?.ttlDays ?? ttlDays),
  });
}

function assertSound<N extends string, C extends Columns>(spec: EventSpec<N, C>, ttlDays: number): void {
  const wrong = (what: string) => new Error(`event ${spec.name}: ${what}`);
  for (const name of [spec.name, ...Object.keys(spec.columns)]) {
    if (!NAME.test(name)) throw wrong(`"${name}" is not a snake_case name`);
  }
  if ("ts" in spec.columns) throw wrong("ts is implied and must not be listed");
  if (!Number.isInteger(ttlDays) || ttlDays < 1)
    throw wrong(`a TTL of ${ttlDays} days is not a whole number from 1`);
  for (const [name, { type, presence }] of Object.entries(spec.columns)) {
    // QuestDB has no NULL for BOOLEAN: an absent value would be stored as false.
    if (type === "BOOLEAN" && presence !== "required") throw wrong(`boolean "${name}" must be required`);
  }
  for (const key of spec.keys) {
    const column = spec.columns[key];
    if (column === undefined) throw wrong(`key "${key}" is no column`);
    if (column.presence === "optional") throw wrong(`key "${key}" must not be optional`);
  }
}

function objectSchema(columns: Columns): z.ZodType {
  const shape: Record<string, z.ZodType> = { ts: timestamp("").check };
  for (const [name, column] of Object.entries(columns)) {
    shape[name] = column.presence === "required" ? column.check : column.check.nullish();
  }
  return z.strictObject(shape);
}

function wireOrder(columns: Columns): readonly WireColumn[] {
  const all = Object.entries(columns).map(([name, { type }]) => ({ name, type }));
  return [...all.filter((c) => c.type === "SYMBOL"), ...all.filter((c) => c.type !== "SYMBOL")];
}

/** First 32 bits of SHA-256 over names and types in wire order. */
function fingerprintOf(wire: readonly WireColumn[]): number {
  const text = wire.map((c) => `${c.name} ${c.type}`).join(",");
  return createHash("sha256").update(text).digest().readUInt32LE(0);
}

/** A copy of the input with ISO times as microseconds, or undefined when there was none to change. */
function withIsoTimes(input: unknown, names: readonly string[]): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  let copy: Record<string, unknown> | undefined;
  for (const name of names) {
    const value: unknown = (input as Record<string, unknown>)[name];
    const micros = typeof value === "string" ? isoToMicros(value) : undefined;
    if (micros === undefined) continue;
    copy ??= { ...input };
    copy[name] = micros;
  }
  return copy;
}

function createTableSql(name: string, columns: Columns, keys: readonly string[], ttlDays: number): string {
  const lines = [
    '  "ts" TIMESTAMP',
    ...Object.entries(columns).map(([column, { type }]) => `  "${column}" ${type}`),
  ];
  const dedup = ["ts", ...keys].map((key) => `"${key}"`).join(", ");
  return [
    `CREATE TABLE IF NOT EXISTS "${name}" (`,
    lines.join(",\n"),
    `) TIMESTAMP("ts") PARTITION BY DAY TTL ${ttlDays} DAYS WAL`,
    `DEDUP UPSERT KEYS(${dedup})`,
  ].join("\n");
}

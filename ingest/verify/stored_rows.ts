// What QuestDB has of a table in a stretch of time: how many rows, and their keys. Reads in pages, so that no stretch is
// too large; knows nothing of what was accepted.
import * as z from "zod";
import { microsToIso } from "../../schema/timestamp_text.ts";
import { type KeyedTable, keyWriter } from "../encode/value_key.ts";
import type { Sql } from "../questdb/sql.ts";
import { quotedName } from "../questdb/sql_text.ts";

/** Times in microseconds, `from` included, `to` not. */
export interface Stretch {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Rows of one page: some tens of megabytes on their way. */
const PAGE_ROWS = 100_000;

/** Units of SAMPLE BY, in microseconds. */
const UNITS = [
  ["1h", 3_600_000_000],
  ["1m", 60_000_000],
  ["1s", 1_000_000],
  ["1T", 1_000],
  ["1U", 1],
] as const;

type Unit = (typeof UNITS)[number][0];

const Counted = z.object({ ts: z.number(), n: z.number() });

/** Rows by the beginning of their hour, minute, …: only of those that have some. */
export async function countRows(
  sql: Sql,
  table: string,
  stretch: Stretch,
  unit: Unit,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const text = `SELECT ts, count() AS n FROM ${quotedName(table)} WHERE ${within(stretch)} SAMPLE BY ${unit}`;
  const rows = await sql.select(Counted, text, [], signal);
  return new Map(rows.filter(({ n }) => n > 0).map(({ ts, n }) => [ts, n]));
}

/** A stored row's key, with what it was made of. */
export interface StoredRow {
  readonly ts: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** Both halves; used again for the next row. */
  readonly key: Int32Array;
}

/** Every row of a stretch that has about `count` rows, page by page, in no particular order within one. */
export async function* storedRows(
  sql: Sql,
  table: KeyedTable,
  stretch: Stretch,
  count: number,
  signal?: AbortSignal,
): AsyncGenerator<StoredRow> {
  const columns = ["ts", ...table.keys].map(quotedName).join(", ");
  const writeKey = keyWriter(table);
  const key = new Int32Array(2);
  for await (const page of pages(sql, table.name, stretch, count, signal)) {
    const text = `SELECT ${columns} FROM ${quotedName(table.name)} WHERE ${within(page)}`;
    for (const values of await sql.query(text, [], signal)) {
      const ts = Number(values["ts"]);
      writeKey({ ...values, ts }, key, 0);
      yield { ts, values, key };
    }
  }
}

/** Cuts a stretch until each part has a page of rows, or is a microsecond. */
async function* pages(
  sql: Sql,
  table: string,
  stretch: Stretch,
  count: number,
  signal?: AbortSignal,
): AsyncGenerator<Stretch> {
  const unit = UNITS.find(([, micros]) => micros < stretch.toUs - stretch.fromUs);
  if (count <= PAGE_ROWS || unit === undefined) {
    yield stretch;
    return;
  }
  const [name, micros] = unit;
  let { fromUs } = stretch;
  let rows = 0;
  for (const [startUs, n] of await countRows(sql, table, stretch, name, signal)) {
    if (rows > 0 && rows + n > PAGE_ROWS) {
      yield { fromUs, toUs: startUs };
      rows = 0;
    }
    if (rows === 0) fromUs = startUs;
    rows += n;
    if (n > PAGE_ROWS) {
      yield* pages(sql, table, { fromUs: startUs, toUs: startUs + micros }, n, signal);
      rows = 0;
    }
  }
  if (rows > 0) yield { fromUs, toUs: stretch.toUs };
}

function within({ fromUs, toUs }: Stretch): string {
  return `ts >= '${microsToIso(fromUs)}' AND ts < '${microsToIso(toUs)}'`;
}

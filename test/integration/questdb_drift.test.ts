// Promises of the drift report: every kind of difference is named with table, column and remedy; the remedy works; and
// "loses rows" is said exactly where QuestDB really would lose some.
import { describe, expect, inject, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { assertNoLosingDrift, type Drift, findDrift } from "../../ingest/questdb/drift.ts";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import { sampleEvent } from "../support/questdb_events.ts";
import { testSql, testTable } from "../support/questdb_sql.ts";

const NO_TTLS: ReadonlyMap<string, number> = new Map();
const APPLY = { clock: systemClock(), timeoutMs: 20_000 };

interface Setting {
  readonly columns?: string;
  readonly timestamp?: string;
  readonly partition?: string;
  readonly ttl?: string;
  readonly wal?: string;
  readonly dedup?: string;
}

const COLUMNS =
  "ts TIMESTAMP, exchange SYMBOL, fill_id VARCHAR, price DOUBLE, amount LONG, is_maker BOOLEAN, trace UUID, seen_ts TIMESTAMP";

/** The sample table as it should be, but for one setting. */
async function table(sql: Sql, setting: Setting) {
  const name = testTable(sql, "drift");
  const { columns = COLUMNS, timestamp = "ts", partition = "DAY", wal = "WAL" } = setting;
  const ttl = setting.ttl ?? "TTL 90 DAYS";
  const dedup = setting.dedup ?? "DEDUP UPSERT KEYS(ts, exchange, fill_id)";
  await sql.query(
    `CREATE TABLE "${name}" (${columns}) TIMESTAMP(${timestamp}) PARTITION BY ${partition} ${ttl} ${wal} ${dedup}`,
  );
  return sampleEvent(name);
}

async function only(sql: Sql, event: ReturnType<typeof sampleEvent>): Promise<Drift> {
  const drift = await findDrift(sql, [event], NO_TTLS);
  expect(drift).toHaveLength(1);
  const [first] = drift;
  if (first === undefined) throw new Error("no drift");
  return first;
}

test("a table made from its definition shows no drift, with its own TTL and with a configured one", async () => {
  const sql = testSql();
  const event = sampleEvent(testTable(sql, "drift"));
  await sql.query(event.createTableSql());
  expect(await findDrift(sql, [event], NO_TTLS)).toEqual([]);
  const other = sampleEvent(testTable(sql, "drift"));
  await sql.query(other.createTableSql({ ttlDays: 7 }));
  expect(await findDrift(sql, [other], new Map([[other.name, 7]]))).toEqual([]);
});

test("a missing table is named, loses rows, and the service refuses to start with what to do", async () => {
  const sql = testSql();
  const event = sampleEvent(testTable(sql, "drift"));
  const drift = await only(sql, event);
  expect(drift).toMatchObject({ table: event.name, kind: "table_missing", losesRows: true });
  expect(() => assertNoLosingDrift([drift])).toThrow(
    expect.objectContaining({
      code: "SCHEMA_DRIFT",
      message: expect.stringMatching(new RegExp(`${event.name}(.|\n)*tickwatch migrate`)),
    }),
  );
});

describe("one difference at a time is named, and its remedy removes it", () => {
  const cases: readonly [promise: string, setting: Setting, expected: Partial<Drift>][] = [
    [
      "a missing column loses rows",
      { columns: COLUMNS.replace(", price DOUBLE", "") },
      { kind: "column_missing", column: "price", expected: "DOUBLE", actual: "missing", losesRows: true },
    ],
    [
      "a column of another type loses rows",
      { columns: COLUMNS.replace("price DOUBLE", "price LONG") },
      { kind: "column_type", column: "price", expected: "DOUBLE", actual: "LONG", losesRows: true },
    ],
    [
      "a column of a type that takes every value loses none",
      { columns: COLUMNS.replace("exchange SYMBOL", "exchange VARCHAR") },
      { kind: "column_type", column: "exchange", expected: "SYMBOL", actual: "VARCHAR", losesRows: false },
    ],
    [
      "no deduplication doubles rows",
      { dedup: "" },
      {
        kind: "dedup_keys",
        expected: "ts, exchange, fill_id",
        actual: "no deduplication",
        losesRows: true,
      },
    ],
    [
      "a dedup key too few merges different rows",
      { dedup: "DEDUP UPSERT KEYS(ts, exchange)" },
      { kind: "dedup_keys", actual: "ts, exchange", losesRows: true },
    ],
    [
      "a dedup key too many keeps rows that should be replaced",
      { dedup: "DEDUP UPSERT KEYS(ts, exchange, fill_id, price)" },
      { kind: "dedup_keys", actual: "ts, exchange, fill_id, price", losesRows: true },
    ],
    [
      "a shorter TTL loses rows",
      { ttl: "TTL 3 WEEKS" },
      { kind: "ttl", expected: "90 days", actual: "3 × week", losesRows: true },
    ],
    ["a longer TTL loses none", { ttl: "TTL 1 YEAR" }, { kind: "ttl", actual: "1 × year", losesRows: false }],
    ["no TTL loses none", { ttl: "" }, { kind: "ttl", actual: "none", losesRows: false }],
  ];
  test.each(cases)("%s", async (_, setting, expected) => {
    const sql = testSql();
    const event = await table(sql, setting);
    const drift = await only(sql, event);
    expect(drift).toMatchObject({ table: event.name, ...expected });
    const statement = /^ALTER TABLE [^(]*(\([^)]*"\))?/.exec(drift.remedy)?.[0];
    if (statement === undefined) throw new Error(`no statement in: ${drift.remedy}`);
    await sql.query(statement);
    await waitUntilApplied(sql, event.name, APPLY);
    expect(await findDrift(sql, [event], NO_TTLS)).toEqual([]);
  });
});

test("a column too many is named and loses nothing, and nobody is told to drop it", async () => {
  const sql = testSql();
  const event = await table(sql, { columns: `${COLUMNS}, note VARCHAR` });
  const drift = await only(sql, event);
  expect(drift).toMatchObject({ kind: "column_extra", column: "note", actual: "VARCHAR", losesRows: false });
  expect(drift.remedy).toContain("nothing to do");
  expect(() => assertNoLosingDrift([drift])).not.toThrow();
});

test("other partitions are named and lose nothing", async () => {
  const sql = testSql();
  const drift = await only(sql, await table(sql, { partition: "HOUR" }));
  expect(drift).toMatchObject({ kind: "partition", expected: "DAY", actual: "HOUR", losesRows: false });
  expect(drift.remedy).toMatch(/RENAME TABLE/);
});

test("another designated timestamp is named and loses rows", async () => {
  const sql = testSql();
  const event = await table(sql, { timestamp: "seen_ts", dedup: "DEDUP UPSERT KEYS(seen_ts, exchange)" });
  const drift = await findDrift(sql, [event], NO_TTLS);
  expect(drift).toContainEqual(
    expect.objectContaining({
      kind: "designated_timestamp",
      expected: "ts",
      actual: "seen_ts",
      losesRows: true,
    }),
  );
});

test("a table without a write-ahead log is named and loses rows: QuestDB refuses them", async () => {
  const sql = testSql();
  const event = await table(sql, { wal: "BYPASS WAL", dedup: "" });
  const drift = await findDrift(sql, [event], NO_TTLS);
  expect(drift).toContainEqual(expect.objectContaining({ kind: "not_wal", losesRows: true }));
  expect((await post(`${event.name} price=1.5 ${TS}t\n`)).status).toBe(400);
});

test("a materialized view in the place of a table is named and loses rows", async () => {
  const sql = testSql();
  const base = testTable(sql, "drift_base");
  await sql.query(
    `CREATE TABLE "${base}" (ts TIMESTAMP, x DOUBLE) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts)`,
  );
  const view = testTable(sql, "drift_view");
  await sql.query(
    `CREATE MATERIALIZED VIEW "${view}" AS (SELECT ts, sum(x) x FROM "${base}" SAMPLE BY 1h) PARTITION BY DAY`,
  );
  const drift = await only(sql, sampleEvent(view));
  expect(drift).toMatchObject({ table: view, kind: "not_a_table", losesRows: true });
  await sql.query(`DROP MATERIALIZED VIEW "${view}"`);
});

test("several differences of several tables are all in one message, each with its remedy", async () => {
  const sql = testSql();
  const first = await table(sql, {
    columns: COLUMNS.replace("price DOUBLE", "price LONG"),
    ttl: "TTL 1 DAY",
  });
  const second = await table(sql, { dedup: "DEDUP UPSERT KEYS(ts)" });
  const drift = await findDrift(sql, [first, second], NO_TTLS);
  expect(drift.map(({ table: name, kind }) => [name, kind])).toEqual([
    [first.name, "ttl"],
    [first.name, "column_type"],
    [second.name, "dedup_keys"],
  ]);
  expect(() => assertNoLosingDrift(drift)).toThrow(/3 differences[\s\S]*SET TTL 90 DAYS[\s\S]*UPSERT KEYS/);
});

const TS = Date.UTC(2026, 10, 21, 10) * 1000;

async function post(body: string): Promise<Response> {
  return await fetch(`${inject("questdb").http}/write?precision=u`, { method: "POST", body });
}

const VALUES: Readonly<Record<string, string>> = {
  exchange: ",exchange=okx ",
  fill_id: ' fill_id="f1" ',
  trace: ' trace="11111111-1111-1111-1111-111111111111" ',
  amount: " amount=9007199254740991i ",
  price: " price=1.25 ",
  seen_ts: ` seen_ts=${TS}t `,
};

describe("what is said about a column's type is what QuestDB does with the rows", () => {
  const pairs: readonly [column: string, live: string][] = [
    ["exchange", "VARCHAR"],
    ["exchange", "STRING"],
    ["exchange", "UUID"],
    ["fill_id", "SYMBOL"],
    ["fill_id", "LONG"],
    ["trace", "VARCHAR"],
    ["trace", "LONG"],
    ["amount", "DOUBLE"],
    ["amount", "INT"],
    ["amount", "VARCHAR"],
    ["price", "LONG"],
    ["price", "VARCHAR"],
    ["seen_ts", "TIMESTAMP_NS"],
    ["seen_ts", "LONG"],
  ];
  test.each(pairs)("%s as %s", async (column, live) => {
    const sql = testSql();
    const type = sampleEvent("x").columns[column as "price"].type;
    const columns = COLUMNS.replace(`${column} ${type}`, `${column} ${live}`);
    const event = await table(sql, { columns, dedup: "DEDUP UPSERT KEYS(ts, price)", ttl: "TTL 90 DAYS" });
    const drift = await findDrift(sql, [event], NO_TTLS);
    const { losesRows } = drift.find((d) => d.kind === "column_type") ?? { losesRows: undefined };
    const response = await post(`${event.name}${VALUES[column]}${TS}t\n`);
    expect({ losesRows }).toEqual({ losesRows: response.status !== 204 });
  });
});

// Promises of the rollups: they say what their table says, and one that is missing,
// other than defined or not refreshed any more is named with a remedy that works.
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import type { Drift } from "../../ingest/questdb/drift.ts";
import { createMissingRollups } from "../../ingest/questdb/rollup_create.ts";
import { findRollupDrift } from "../../ingest/questdb/rollup_drift.ts";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import {
  countIf,
  defineRollup,
  last,
  percentileIf,
  type RollupDefinition,
} from "../../schema/define_rollup.ts";
import { sampleEvent } from "../support/questdb_events.ts";
import { testSql, testTable } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";

const NEVER = new AbortController().signal;
const OPTIONS = { clock: systemClock(), log: createLog({ level: "silent", format: "json" }) };

/** The statement at the beginning of a remedy: words about it follow in brackets or after a semicolon. */
const statementOf = ({ remedy }: Drift) => remedy.replace(/(;| \().*$/, "");

/** A table with four rows of two hours, and a definition of a rollup of it. Gone after the test. */
async function sample(sql: Sql): Promise<{ readonly table: string; readonly rollup: RollupDefinition }> {
  const table = testTable(sql, "rollup");
  await sql.query(sampleEvent(table).createTableSql());
  await sql.query(`INSERT INTO "${table}" (ts, exchange, fill_id, price, is_maker) VALUES
    ('2026-11-21T10:00:00Z', 'okx', 'a', 1.0, true), ('2026-11-21T10:59:59Z', 'okx', 'b', 3.0, false),
    ('2026-11-21T10:30:00Z', 'bybit', 'c', 5.0, false), ('2026-11-21T11:00:00Z', 'okx', 'd', 7.0, true)`);
  await waitUntilApplied(sql, table, { clock: OPTIONS.clock, timeoutMs: 20_000 });
  const rollup = defineRollup({
    base: sampleEvent(table),
    step: "1h",
    why: "a test",
    keys: ["exchange"],
    columns: {
      makers: countIf("is_maker", "makers"),
      price: last("price", "last"),
      price_p50: percentileIf("price", 0.5, "price > 0", "median"),
    },
  });
  onTestFinished(async () => {
    await sql.query(`DROP MATERIALIZED VIEW IF EXISTS "${rollup.name}"`);
  });
  return { table, rollup };
}

async function made(sql: Sql) {
  const { table, rollup } = await sample(sql);
  expect(await createMissingRollups(sql, [rollup], OPTIONS, NEVER)).toEqual({
    created: [rollup.name],
    refused: [],
  });
  return { table, rollup };
}

async function only(sql: Sql, rollup: RollupDefinition): Promise<Drift> {
  const drift = await findRollupDrift(sql, [rollup]);
  expect(drift).toHaveLength(1);
  const [first] = drift;
  if (first === undefined) throw new Error("no drift");
  return first;
}

test("a rollup has a row per bucket and key with what its table says, and follows later rows", async () => {
  const sql = testSql();
  const { table, rollup } = await made(sql);
  const rows = () => sql.query(`SELECT exchange, makers, price FROM "${rollup.name}" ORDER BY ts, exchange`);
  const refresh = () => sql.query(`REFRESH MATERIALIZED VIEW "${rollup.name}" INCREMENTAL`);
  await refresh();
  await until("the first rows", async () => ((await rows()).length === 3 ? true : undefined));
  expect(await rows()).toEqual([
    { exchange: "bybit", makers: 0, price: 5 },
    { exchange: "okx", makers: 1, price: 3 },
    { exchange: "okx", makers: 1, price: 7 },
  ]);
  await sql.query(
    `INSERT INTO "${table}" (ts, exchange, fill_id, price, is_maker) VALUES ('2026-11-21T10:45:00Z', 'okx', 'e', 9.0, true)`,
  );
  await waitUntilApplied(sql, table, { clock: OPTIONS.clock, timeoutMs: 20_000 });
  await refresh();
  await until("the late row", async () => ((await rows())[1]?.["makers"] === 2 ? true : undefined));
});

test("a missing rollup is named and loses no rows", async () => {
  const sql = testSql();
  const { rollup } = await sample(sql);
  expect(await only(sql, rollup)).toMatchObject({
    table: rollup.name,
    kind: "rollup_missing",
    losesRows: false,
  });
});

test("a rollup that QuestDB refuses is told with the reason, and the others are made", async () => {
  const sql = testSql();
  const { rollup } = await sample(sql);
  const bad = {
    ...rollup,
    name: `${rollup.name}_bad`,
    createSql: rollup.createSql.replaceAll('"price"', '"prize"'),
  };
  const report = await createMissingRollups(sql, [bad, rollup], OPTIONS, NEVER);
  expect(report.created).toEqual([rollup.name]);
  expect(report.refused).toEqual([{ name: bad.name, reason: expect.stringContaining("prize") }]);
});

test("a table in the place of a rollup is named, and left alone", async () => {
  const sql = testSql();
  const { rollup } = await sample(sql);
  await sql.query(`CREATE TABLE "${rollup.name}" (ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY DAY`);
  onTestFinished(async () => void (await sql.query(`DROP TABLE "${rollup.name}"`)));
  expect(await createMissingRollups(sql, [rollup], OPTIONS, NEVER)).toEqual({ created: [], refused: [] });
  expect(await only(sql, rollup)).toMatchObject({ kind: "not_a_rollup", actual: "a table" });
});

test("an invalidated rollup is named with QuestDB's reason, and the remedy brings it back with its rows", async () => {
  const sql = testSql();
  const { table, rollup } = await made(sql);
  await sql.query(`TRUNCATE TABLE "${table}"`);
  const drift = await until("the invalidation", async () => {
    const [found] = await findRollupDrift(sql, [rollup]);
    return found?.kind === "rollup_invalid" ? found : undefined;
  });
  expect(drift).toMatchObject({ actual: expect.stringContaining("truncate"), losesRows: false });
  expect(drift.remedy).toContain("to keep what is older, save it first");
  await sql.query(
    `INSERT INTO "${table}" (ts, exchange, fill_id, price, is_maker) VALUES ('2026-11-21T12:00:00Z', 'okx', 'f', 2.0, true)`,
  );
  await waitUntilApplied(sql, table, { clock: OPTIONS.clock, timeoutMs: 20_000 });
  await sql.query(statementOf(drift));
  await until("the rollup to be valid", async () =>
    (await findRollupDrift(sql, [rollup])).length === 0 ? true : undefined,
  );
  await until("its rows", async () => {
    const rows = await sql.query(`SELECT price FROM "${rollup.name}"`);
    return rows.length === 1 && rows[0]?.["price"] === 2 ? true : undefined;
  });
});

test("another query, another refresh and another retention are named, and their remedies work", async () => {
  const sql = testSql();
  const { rollup } = await sample(sql);
  const other = rollup.createSql
    .replace("last(", "first(")
    .replace("REFRESH EVERY 1m", "REFRESH IMMEDIATE")
    .replace("24 MONTHS", "3 MONTHS");
  await sql.query(other);
  const kinds = async () => (await findRollupDrift(sql, [rollup])).map(({ kind }) => kind);
  expect(await kinds()).toEqual(["rollup_query", "rollup_refresh", "ttl"]);
  const [query, refresh, ttl] = await findRollupDrift(sql, [rollup]);
  if (query === undefined || refresh === undefined || ttl === undefined) throw new Error("three differences");
  await sql.query(statementOf(refresh));
  await sql.query(statementOf(ttl));
  await until("both settings", async () => ((await kinds()).length === 1 ? true : undefined));
  await sql.query(statementOf(query));
  await createMissingRollups(sql, [rollup], OPTIONS, NEVER);
  expect(await findRollupDrift(sql, [rollup])).toEqual([]);
});

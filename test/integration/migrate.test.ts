// Promises of migrations: each statement takes effect exactly once whatever happens, and nothing is ever dropped.
// An instance of its own, because the record of migrations belongs to a whole database.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { type ExpectedTable, findDrift } from "../../ingest/questdb/drift.ts";
import { readLiveRollups } from "../../ingest/questdb/live_rollups.ts";
import { readColumns, readTableNames } from "../../ingest/questdb/live_schema.ts";
import { type MigrateOptions, migrate } from "../../ingest/questdb/migrate.ts";
import { HISTORY_TABLE } from "../../ingest/questdb/migration_history.ts";
import { createMissingRollups } from "../../ingest/questdb/rollup_create.ts";
import { findRollupDrift } from "../../ingest/questdb/rollup_drift.ts";
import { openSql, type Sql } from "../../ingest/questdb/sql.ts";
import { waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import { EVENTS } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import { type ChildRun, runChild } from "../support/questdb_child.ts";
import { sampleEvent } from "../support/questdb_events.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";

const log = createLog({ level: "silent", format: "json" });
const clock = systemClock();
const NEVER = new AbortController().signal;

let questdb: QuestdbInstance;
let sql: Sql;

beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
  sql = openSql(questdb.pg);
});

afterAll(async () => {
  await sql?.close();
  await questdb?.remove();
});

/** Each test begins with an empty database. */
beforeEach(async () => {
  for (const name of (await readLiveRollups(sql)).keys()) await sql.query(`DROP MATERIALIZED VIEW "${name}"`);
  for (const name of await readTableNames(sql)) await sql.query(`DROP TABLE "${name}"`);
});

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-migrations-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

function optionsFor(migrationsDir: string, more: Partial<MigrateOptions> = {}): MigrateOptions {
  return { ttlDaysByTable: new Map(), migrationsDir, log, clock, ...more };
}

async function run(tables: readonly ExpectedTable[], migrationsDir: string, more?: Partial<MigrateOptions>) {
  return await migrate(sql, tables, optionsFor(migrationsDir, more), NEVER);
}

async function count(table: string): Promise<unknown> {
  const [row] = await sql.query(`SELECT count() n FROM "${table}"`);
  return row?.["n"];
}

async function history(): Promise<unknown[]> {
  const rows = await sql.query(
    `SELECT name, statement, outcome FROM ${HISTORY_TABLE} ORDER BY name, statement`,
  );
  return rows.map(({ name, statement, outcome }) => `${name} ${statement} ${outcome}`);
}

/** A row in the table shows how often a statement was run: it has no key that would merge two. */
const COUNTER = `CREATE TABLE ran (ts TIMESTAMP, what VARCHAR) TIMESTAMP(ts) PARTITION BY NONE BYPASS WAL`;
const RAN = (what: string) => `INSERT INTO ran (ts, what) VALUES (systimestamp(), '${what}')`;

test("an empty database gets every table of the schema, with its TTL, and shows no drift; a second run does nothing", async () => {
  const ttlDaysByTable = new Map([["fills", 365]]);
  const folder = await folderOf({});
  const first = await run(EVENTS, folder, { ttlDaysByTable });
  expect(first.createdTables).toEqual(EVENTS.map((event) => event.name));
  expect(await findDrift(sql, EVENTS, ttlDaysByTable)).toEqual([]);
  const [fills] = await sql.query(`SELECT "ttlValue", "ttlUnit" FROM tables() WHERE table_name = 'fills'`);
  expect([365, 8760]).toContain(fills?.["ttlValue"]);
  const second = await run(EVENTS, folder, { ttlDaysByTable });
  expect(second).toEqual({
    ...{ createdTables: [], appliedMigrations: [], lengthenedTtls: [] },
    ...{ changedMigrations: [], unknownMigrations: [] },
  });
});

test("every rollup of the schema is made by two processes at once, shows no drift, and a further run does nothing", async () => {
  for (const event of EVENTS) await sql.query(event.createTableSql());
  const other = openSql(questdb.pg);
  onTestFinished(() => other.close());
  const make = (client: Sql) => createMissingRollups(client, ROLLUPS, { clock, log }, NEVER);
  const reports = await Promise.all([make(sql), make(other)]);
  expect(reports.flatMap(({ refused }) => refused)).toEqual([]);
  const names = ROLLUPS.map(({ name }) => name);
  expect([...(await readLiveRollups(sql)).keys()].sort()).toEqual(names.toSorted());
  expect(await findRollupDrift(sql, ROLLUPS)).toEqual([]);
  expect(await make(sql)).toEqual({ created: [], refused: [] });
});

test("ingest_health of the version before gets its new columns, and no drift is left", async () => {
  const folder = join(import.meta.dirname, "../../schema/migrations");
  const health = EVENTS.filter(({ name }) => name === "ingest_health");
  const old = health.map((event) => event.createTableSql().replace(/,\n {2}"state"[^)]*/, "\n")).join();
  expect(old).not.toContain("lag_txns");
  await sql.query(old);
  expect(await findDrift(sql, health, new Map())).toHaveLength(6);
  const report = await run(EVENTS, folder);
  expect(report.appliedMigrations).toContain("0001_ingest_health_state.sql");
  expect(await findDrift(sql, health, new Map())).toEqual([]);
});

test("migrations are applied in order, once each, and the rows of the tables stay", async () => {
  const folder = await folderOf({
    "0001_count.sql": `-- a comment; with a semicolon\n${COUNTER};\n${RAN("one; 'two'".replaceAll("'", "''"))};`,
    "0002_more.sql": `${RAN("three")};\nALTER TABLE samples ADD COLUMN fee DOUBLE;\nALTER TABLE samples ADD COLUMN note VARCHAR`,
  });
  await sql.query(sampleEvent("samples").createTableSql());
  await sql.query(
    "INSERT INTO samples (ts, exchange, fill_id) VALUES ('2026-11-21T10:00:00.000000Z', 'okx', 'f')",
  );
  const report = await run([sampleEvent("samples")], folder);
  expect(report.appliedMigrations).toEqual(["0001_count.sql", "0002_more.sql"]);
  expect(await sql.query("SELECT what FROM ran")).toEqual([{ what: "one; 'two'" }, { what: "three" }]);
  expect([...(await readColumns(sql, "samples")).keys()].slice(-2)).toEqual(["fee", "note"]);
  expect(await count("samples")).toBe(1);
  expect((await run([sampleEvent("samples")], folder)).appliedMigrations).toEqual([]);
  expect(await count("ran")).toBe(2);
});

test("a table that is only now made has the change already: its migration is noted, not run", async () => {
  const folder = await folderOf({
    "0001_price.sql": `ALTER TABLE "samples" ADD COLUMN "price" DOUBLE; ALTER TABLE samples ALTER COLUMN amount TYPE INT`,
  });
  const report = await run([sampleEvent("samples")], folder);
  expect(report).toMatchObject({ createdTables: ["samples"], appliedMigrations: ["0001_price.sql"] });
  expect(await history()).toEqual(["0001_price.sql 1 built_in", "0001_price.sql 2 built_in"]);
  expect(await findDrift(sql, [sampleEvent("samples")], new Map())).toEqual([]);
});

test("a statement that QuestDB refuses is named with its file, and the next run goes on exactly there", async () => {
  await sql.query(COUNTER);
  const broken = await folderOf({
    "0001_a.sql": `${RAN("1")};\nALTER TABLE ran ADD COLUMN nonsense;\n${RAN("3")}`,
  });
  await expect(run([], broken)).rejects.toMatchObject({
    code: "DB_SQL",
    message: expect.stringContaining("statement 2 of migration 0001_a.sql"),
  });
  expect(await count("ran")).toBe(1);
  const mended = await folderOf({ "0001_a.sql": `${RAN("1")};\n${RAN("2")};\n${RAN("3")}` });
  await run([], mended);
  expect(await sql.query("SELECT what FROM ran")).toEqual([{ what: "1" }, { what: "2" }, { what: "3" }]);
});

test("a statement that took effect but could not be noted is recognised, not run again", async () => {
  await sql.query(sampleEvent("samples").createTableSql());
  await sql.query("ALTER TABLE samples ADD COLUMN fee DOUBLE");
  await waitUntilApplied(sql, "samples", { clock, timeoutMs: 20_000 });
  const folder = await folderOf({ "0001_fee.sql": `ALTER TABLE "samples" ADD COLUMN "fee" DOUBLE` });
  await run([sampleEvent("samples")], folder);
  expect(await history()).toEqual(["0001_fee.sql 1 found"]);
});

test("a file that was changed after it was applied is reported and not applied again; so is one that is unknown here", async () => {
  await sql.query(COUNTER);
  await run([], await folderOf({ "0001_a.sql": RAN("1"), "0002_b.sql": RAN("2") }));
  const report = await run([], await folderOf({ "0001_a.sql": RAN("changed") }));
  expect(report).toMatchObject({
    ...{ changedMigrations: ["0001_a.sql"], unknownMigrations: ["0002_b.sql"], appliedMigrations: [] },
  });
  expect(await count("ran")).toBe(2);
});

test.each([
  `DROP TABLE "samples"`,
  "truncate table samples",
  "ALTER TABLE samples DROP PARTITION LIST '2026-11-21'",
  "drop all tables",
])("a migration with %s is refused before anything is run", async (statement) => {
  await sql.query(COUNTER);
  const folder = await folderOf({ "0001_a.sql": RAN("1"), "0002_drop.sql": `${RAN("2")};\n${statement}` });
  await expect(run([sampleEvent("samples")], folder)).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringContaining("0002_drop.sql"),
  });
  expect(await count("ran")).toBe(0);
  expect([...(await readTableNames(sql))]).toEqual(["ran"]);
});

test("longer retention is applied; shorter retention, which would delete rows, is left alone", async () => {
  const [longer, shorter, endless] = [sampleEvent("longer"), sampleEvent("shorter"), sampleEvent("endless")];
  await sql.query(longer.createTableSql({ ttlDays: 7 }));
  await sql.query(shorter.createTableSql({ ttlDays: 400 }));
  await sql.query(endless.createTableSql().replace(/TTL \d+ DAYS/, ""));
  const tables = [longer, shorter, endless];
  const report = await run(tables, await folderOf({}));
  expect(report.lengthenedTtls).toEqual([{ table: "longer", fromDays: 7, toDays: 90 }]);
  const drift = await findDrift(sql, tables, new Map());
  expect(drift.map(({ table, kind, losesRows }) => ({ table, kind, losesRows }))).toEqual([
    { table: "shorter", kind: "ttl", losesRows: false },
    { table: "endless", kind: "ttl", losesRows: false },
  ]);
});

test("tables and rows that differ in every way, or that nobody knows, are there after a migration as before", async () => {
  await sql.query(
    "CREATE TABLE samples (other LONG, ts TIMESTAMP) TIMESTAMP(ts) PARTITION BY MONTH BYPASS WAL",
  );
  await sql.query("INSERT INTO samples VALUES (7, '2026-11-21T10:00:00.000000Z')");
  await sql.query("CREATE TABLE stranger (x INT)");
  await run([sampleEvent("samples"), sampleEvent("fresh")], await folderOf({}));
  expect(await sql.query("SELECT other FROM samples")).toEqual([{ other: 7 }]);
  expect([...(await readTableNames(sql))].sort()).toEqual(
    ["fresh", "samples", "stranger", HISTORY_TABLE].sort(),
  );
});

const CONCURRENT = {
  "0001_a.sql": [RAN("a1"), RAN("a2"), RAN("a3")].join(";\n"),
  "0002_b.sql": [RAN("b1"), RAN("b2")].join(";\n"),
  "0003_c.sql": RAN("c1"),
};

test("of four connections that migrate at once, together they run each statement once", async () => {
  await sql.query(COUNTER);
  const folder = await folderOf(CONCURRENT);
  const tables = [sampleEvent("one"), sampleEvent("two")];
  const clients = Array.from({ length: 4 }, () => openSql(questdb.pg));
  onTestFinished(async () => void (await Promise.all(clients.map((client) => client.close()))));
  await Promise.all(clients.map((client) => migrate(client, tables, optionsFor(folder), NEVER)));
  expect(await sql.query("SELECT what FROM ran")).toEqual(
    ["a1", "a2", "a3", "b1", "b2", "c1"].map((what) => ({ what })),
  );
  expect(await findDrift(sql, tables, new Map())).toEqual([]);
});

function migrator(migrationsDir: string, tables: readonly string[], deadAfterMs: number): ChildRun {
  return runChild("questdb_migrator.ts", { pg: questdb.pg, migrationsDir, tables, deadAfterMs });
}

test("two processes that start at once run each statement once", async () => {
  await sql.query(COUNTER);
  const folder = await folderOf(CONCURRENT);
  const children = [migrator(folder, ["one"], 15_000), migrator(folder, ["one"], 15_000)];
  const reports = await Promise.all(children.map((child) => child.first()));
  expect(reports).toHaveLength(2);
  expect(await sql.query("SELECT what FROM ran")).toEqual(
    ["a1", "a2", "a3", "b1", "b2", "c1"].map((what) => ({ what })),
  );
});

test("a process that is killed while it migrates is taken over from, and the rest is done once", async () => {
  await sql.query(sampleEvent("samples").createTableSql());
  const columns = Array.from({ length: 60 }, (_, i) => `c${String(i).padStart(2, "0")}`);
  const statements = columns.map((column) => `ALTER TABLE "samples" ADD COLUMN "${column}" DOUBLE`);
  const folder = await folderOf({ "0001_many.sql": statements.join(";\n") });
  const child = migrator(folder, ["samples"], 15_000);
  await until("the first statements to be noted", async () => {
    if (!(await readTableNames(sql)).has(HISTORY_TABLE)) return false;
    return Number(await count(HISTORY_TABLE)) >= 3;
  });
  child.kill("SIGKILL");
  expect(await child.ended).toBe(null);
  const done = Number(await count(HISTORY_TABLE));
  expect(done).toBeLessThan(60);
  await run([sampleEvent("samples")], folder, { deadAfterMs: 500 });
  expect([...(await readColumns(sql, "samples")).keys()].filter((name) => /^c\d\d$/.test(name))).toEqual(
    columns,
  );
  expect(await count(HISTORY_TABLE)).toBe(60);
});

test("an aborted migration gives its claim back: the next one does not wait", async () => {
  await sql.query(COUNTER);
  const folder = await folderOf({ "0001_a.sql": `${RAN("1")};\nALTER TABLE ran ADD COLUMN nonsense;` });
  await expect(run([], folder)).rejects.toThrow("nonsense");
  const mended = await folderOf({ "0001_a.sql": `${RAN("1")};\n${RAN("2")};` });
  const begunMs = clock.monotonicMs();
  await run([], mended);
  expect(clock.monotonicMs() - begunMs).toBeLessThan(10_000);
  const claims = [...(await readTableNames(sql))].filter((name) => name.startsWith("tickwatch_claim_"));
  expect(claims).toEqual(["tickwatch_claim_2"]);
});

// Promises of the health query: every WAL table is there, a backlog can be told from an idle table, and a table that
// QuestDB suspended is found with its reason.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { pollTables } from "../../ingest/questdb/health.ts";
import { compareVersions } from "../../ingest/questdb/version.ts";
import { isApplied, readWalProgress, waitUntilApplied } from "../../ingest/questdb/wal_progress.ts";
import { startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql, testTable } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";

const APPLY = { clock: systemClock(), timeoutMs: 20_000 };

async function post(http: string, body: string): Promise<number> {
  return (await fetch(`${http}/write?precision=u`, { method: "POST", body })).status;
}

const DDL = "(ts TIMESTAMP, x LONG) TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts)";
const TEN = Date.UTC(2026, 10, 21, 10) * 1000;

test("after a POST and its 204 the rows are queryable as soon as the progress says so", async () => {
  const { http } = inject("questdb");
  const sql = testSql();
  const table = testTable(sql, "wal");
  await sql.query(`CREATE TABLE "${table}" ${DDL}`);
  for (let round = 1; round <= 20; round++) {
    const rows = Array.from({ length: 500 }, (_, i) => `${table} x=${i}i ${TEN + round * 1000 + i}t`);
    expect(await post(http, `${rows.join("\n")}\n`)).toBe(204);
    const before = (await readWalProgress(sql)).get(table);
    expect(before?.sequencerTxn).toBe(round);
    await until("the rows", async () => isApplied(before, (await readWalProgress(sql)).get(table)));
    expect(await sql.query(`SELECT count() n FROM "${table}"`)).toEqual([{ n: round * 500 }]);
  }
});

test("health tells transactions, rows, and the rows that deduplication took, where the server tells them", async () => {
  const { http, version } = inject("questdb");
  const sql = testSql();
  const table = testTable(sql, "health");
  await sql.query(`CREATE TABLE "${table}" ${DDL}`);
  for (const x of [1, 1, 2]) await post(http, `${table} x=${x}i ${TEN}t\n${table} x=${x}i ${TEN + x}t\n`);
  await waitUntilApplied(sql, table, APPLY);
  const told = compareVersions(version, "9.3.0") >= 0;
  const health = await until("the figures", async () => {
    const found = (await pollTables(sql)).get(table);
    return found?.rowCount === null || found?.rowCount === 3 ? found : undefined;
  });
  expect(health).toMatchObject({ table, suspended: false, suspendReason: "", walTxn: 3, writerTxn: 3 });
  if (told) expect(health).toMatchObject({ rowCount: 3, pendingRows: 0, memoryPressure: 0, dedupRows: 3 });
  else expect(health).toMatchObject({ rowCount: null, pendingRows: null, dedupRows: null });
});

test("a table without WAL is not listed, and waiting for it ends at once", async () => {
  const sql = testSql();
  const table = testTable(sql, "plain");
  await sql.query(`CREATE TABLE "${table}" (x INT)`);
  expect((await pollTables(sql)).has(table)).toBe(false);
  await waitUntilApplied(sql, table, APPLY);
});

test("a table that QuestDB suspended is found with its reason, and waiting for it fails with what to do", async ({
  skip,
}) => {
  const questdb = await startQuestdbInstance();
  skip(questdb.kind === "docker", "the files of a container cannot be damaged from here");
  const sql = testSql(questdb.pg);
  await sql.query(`CREATE TABLE broken ${DDL}`);
  await post(questdb.http, `broken x=1i ${TEN}t\n`);
  await waitUntilApplied(sql, "broken", APPLY);
  const [row] = await sql.query("SELECT \"directoryName\" dir FROM tables() WHERE table_name = 'broken'");
  await questdb.stop();
  // A column's file is no file any more, as on a damaged disk: the next commit cannot be applied.
  const folder = join(questdb.root, "db", String(row?.["dir"]));
  const files = (await readdir(folder, { recursive: true })).filter((file) =>
    /^2026-11-21.*x\.d$/.test(file),
  );
  expect(files).toHaveLength(1);
  for (const file of files) {
    await rm(join(folder, file));
    await mkdir(join(folder, file));
  }
  await questdb.start();
  expect(await post(questdb.http, `broken x=2i ${TEN - 1_000_000}t\n`)).toBe(204);
  const health = await until("the suspension", async () => {
    const found = (await pollTables(sql)).get("broken");
    return found?.suspended === true ? found : undefined;
  });
  expect(health.suspendReason).not.toBe("");
  expect(health.walTxn).toBeGreaterThan(health.writerTxn);
  await expect(waitUntilApplied(sql, "broken", APPLY)).rejects.toMatchObject({
    code: "DB_SQL",
    message: expect.stringMatching(/broken is suspended.*RESUME WAL/),
  });
});

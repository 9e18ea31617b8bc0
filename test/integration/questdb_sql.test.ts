// Promises of the SQL client: values keep their exactness, errors say what to do next, a restart is survived.
import { expect, inject, onTestFinished, test } from "vitest";
import * as z from "zod";
import { openSql } from "../../ingest/questdb/sql.ts";
import { startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql, testTable } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";

test("timestamps are UTC microseconds and no digit is lost, whatever the time zone of this process", async () => {
  const before = process.env["TZ"];
  process.env["TZ"] = "America/New_York";
  onTestFinished(() => {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  });
  const sql = testSql();
  const rows = await sql.query(
    "SELECT '2026-11-21T10:00:00.123456Z'::timestamp a, '1970-01-01T00:00:00.000001Z'::timestamp b, '2026-03-08T02:30:00.000007Z'::timestamp c, '2026-11-21'::date d, null::timestamp e FROM long_sequence(1)",
  );
  expect(rows).toEqual([
    {
      a: Date.UTC(2026, 10, 21, 10) * 1000 + 123_456,
      b: 1,
      c: Date.UTC(2026, 2, 8, 2, 30) * 1000 + 7,
      d: Date.UTC(2026, 10, 21) * 1000,
      e: null,
    },
  ]);
});

test("a LONG is a number while that is exact and a bigint beyond; other values come as what they are", async () => {
  const sql = testSql();
  const rows = await sql.query(
    "SELECT 9007199254740991L a, 9007199254740993L b, -9007199254740993L c, 7 d, 1.5 e, true f, 'é\"x'::varchar g, '11111111-1111-1111-1111-111111111111'::uuid h, null::long i, null::double j, count() k FROM long_sequence(1)",
  );
  expect(rows).toEqual([
    {
      ...{ a: 9_007_199_254_740_991, b: 9_007_199_254_740_993n, c: -9_007_199_254_740_993n, d: 7, e: 1.5 },
      ...{ f: true, g: 'é"x', h: "11111111-1111-1111-1111-111111111111", i: null, j: null, k: 1 },
    },
  ]);
});

test("parameters reach the server as values, never as SQL", async () => {
  const sql = testSql();
  const table = testTable(sql, "params");
  await sql.query(`CREATE TABLE "${table}" (v VARCHAR, l LONG)`);
  const nasty = `'; DROP TABLE "${table}"; --`;
  await sql.query(`INSERT INTO "${table}" VALUES ($1, $2)`, [nasty, 42]);
  expect(await sql.query(`SELECT v, l FROM "${table}" WHERE v = $1 AND l = $2`, [nasty, 42])).toEqual([
    { v: nasty, l: 42 },
  ]);
});

test("a refused statement is DB_SQL with QuestDB's words and the statement, and the next one works", async () => {
  const sql = testSql();
  await expect(sql.query("SELECT * FROM no_such_table_here")).rejects.toMatchObject({
    code: "DB_SQL",
    message: expect.stringMatching(/SELECT \* FROM no_such_table_here.*table does not exist/),
  });
  expect(await sql.query("SELECT 1 one FROM long_sequence(1)")).toEqual([{ one: 1 }]);
});

test("a row that does not fit the expected shape is DB_SQL, not a wrong value further on", async () => {
  const sql = testSql();
  const schema = z.object({ n: z.string() });
  const call = sql.select(schema, "SELECT 1 n FROM long_sequence(1)");
  await expect(call).rejects.toMatchObject({
    code: "DB_SQL",
    message: expect.stringContaining("unexpected row"),
  });
});

test("a wrong password is CONFIG_INVALID and names the setting", async () => {
  const sql = testSql(inject("questdb").pg, { password: "not the password" });
  await expect(sql.query("SELECT 1")).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("questdb.password"),
  });
});

const ENDLESS = "SELECT sum(a.x * b.x) FROM long_sequence(4000000000) a, long_sequence(4000000000) b";

test("abort ends a statement at once with the signal's reason, on the server too, and frees its connection", async () => {
  const sql = testSql(undefined, { connectionsMax: 1 });
  const watcher = testSql();
  const stop = new AbortController();
  const call = sql.query(ENDLESS, [], stop.signal);
  const active = async () => {
    const rows = await watcher.query("SELECT query FROM query_activity()");
    return rows.filter((row) => row["query"] === ENDLESS).length;
  };
  const refused = expect(call).rejects.toThrow("enough");
  await until("the statement to run", async () => (await active()) === 1);
  stop.abort(new Error("enough"));
  await refused;
  await until("the server to drop the statement", async () => (await active()) === 0);
  expect(await sql.query("SELECT 1 one FROM long_sequence(1)")).toEqual([{ one: 1 }]);
});

test("a statement over its time is DB_UNAVAILABLE and says how long it was given", async () => {
  const sql = testSql(undefined, { timeoutMs: 200 });
  await expect(sql.query(ENDLESS)).rejects.toMatchObject({
    code: "DB_UNAVAILABLE",
    message: expect.stringContaining("200 ms"),
  });
});

test("nobody listening is DB_UNAVAILABLE, and a client outlives the server's restart", async () => {
  const questdb = await startQuestdbInstance();
  const sql = openSql(questdb.pg);
  onTestFinished(() => sql.close());
  const one = () => sql.query("SELECT 1 one FROM long_sequence(1)");
  expect(await one()).toEqual([{ one: 1 }]);
  await questdb.kill();
  await expect(one()).rejects.toMatchObject({ code: "DB_UNAVAILABLE" });
  await questdb.start();
  expect(await one()).toEqual([{ one: 1 }]);
});

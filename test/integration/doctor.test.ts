import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "../../ingest/doctor/check.ts";
import { EVENTS } from "../../schema/registry.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { cli, workingFolder } from "../unit/cli_fixture.ts";

// A server of its own: these tests need the tables under their real names, and break them.
let server: QuestdbInstance;
beforeAll(async () => {
  server = await startQuestdbInstance({ keep: true });
});
afterAll(() => server.remove());

function environment(): Record<string, string> {
  return {
    QUESTDB_URL: server.http,
    QUESTDB_USER: server.pg.user,
    QUESTDB_PASSWORD: server.pg.password,
    TICKWATCH_QUESTDB_PG_PORT: String(server.pg.port),
    TICKWATCH_EXCHANGES: "none",
  };
}

async function doctor(env = environment()) {
  const { code, out } = await cli(["doctor", "--json"], { cwd: workingFolder(), env });
  const results: Result[] = out.split("\n").map((line) => JSON.parse(line));
  const failed = results.filter((result) => result.level === "failure").map((result) => result.name);
  // Another program may hold the default port on the machine of the tests.
  expect(code).toBe(failed.length > 0 ? 1 : 0);
  return new Map(results.map((result) => [result.name, result]));
}

test("doctor finds a server with our settings in order, and its tables missing", async () => {
  const of = await doctor();
  expect(of.get("questdb")).toMatchObject({ level: "ok", detail: expect.stringContaining(server.version) });
  expect(of.get("questdb pgwire")).toMatchObject({ level: "ok" });
  expect(of.get("questdb settings")).toMatchObject({ level: "ok" });
  expect(of.get("questdb clock")).toMatchObject({ level: "ok" });
  expect(of.get("suspended tables")).toMatchObject({ level: "ok" });
  expect(of.get("questdb limits")?.level).toMatch(/ok|warning/);
  expect(of.get("tables")).toMatchObject({
    level: "warning",
    detail: `${EVENTS.length} of ${EVENTS.length} do not exist yet`,
    remedy: expect.stringContaining("tickwatch migrate"),
  });
  expect(of.get("rollups")).toMatchObject({ level: "warning", remedy: expect.stringContaining("migrate") });
});

test("migrate makes every table and says so, a second time it has nothing to do, and doctor is content", async () => {
  const first = await cli(["migrate"], { env: environment() });
  expect(first.code).toBe(0);
  for (const { name } of EVENTS) expect(first.out).toContain(`created ${name}`);
  const second = await cli(["migrate"], { env: environment() });
  expect(second).toMatchObject({ code: 0, out: expect.stringMatching(/^nothing to do\n/) });
  expect((await doctor()).get("tables")).toMatchObject({ level: "ok" });
});

test("an invalid rollup is named by migrate, which exits with 0, and by doctor, with the statement that makes it anew", async () => {
  const sql = testSql(server.pg);
  await cli(["migrate"], { env: environment() });
  expect((await doctor()).get("rollups")).toMatchObject({ level: "ok" });
  await sql.query('TRUNCATE TABLE "fetches"');
  const finding = await until("the invalidation", async () => {
    const found = (await doctor()).get("rollups");
    return found?.level === "warning" ? found : undefined;
  });
  expect(finding.detail).toContain("fetches_1h: rollup invalid: expected valid, is invalid: truncate");
  expect(finding.remedy).toContain('REFRESH MATERIALIZED VIEW "fetches_1h" FULL');
  const { code, out } = await cli(["migrate"], { env: environment() });
  expect({ code, out }).toMatchObject({
    code: 0,
    out: expect.stringContaining("fetches_1h: rollup invalid"),
  });
  for (const name of ["fetches_1m", "fetches_1h"])
    await sql.query(`REFRESH MATERIALIZED VIEW "${name}" FULL`);
  await until("both to be valid", async () => (await doctor()).get("rollups")?.level === "ok");
});

test("a missing column is named by migrate, which exits with 4, and by doctor, with the statement that adds it", async () => {
  const sql = testSql(server.pg);
  await cli(["migrate"], { env: environment() });
  await sql.query('ALTER TABLE "fills" DROP COLUMN "fee"');
  const remedy = 'ALTER TABLE "fills" ADD COLUMN "fee" DOUBLE';
  const { code, out } = await cli(["migrate"], { env: environment() });
  expect(code).toBe(4);
  expect(out).toContain("loses rows: fills.fee: column missing");
  expect(out).toContain(remedy);
  expect((await doctor()).get("tables")).toMatchObject({ level: "failure", remedy });
  await sql.query(remedy);
  expect((await doctor()).get("tables")).toMatchObject({ level: "ok" });
});

test("a wrong password is a failure with the setting to correct, and what needs the login is not repeated", async () => {
  const env = { ...environment(), QUESTDB_PASSWORD: "not-the-password" };
  const of = await doctor(env);
  expect(of.get("questdb pgwire")).toMatchObject({
    level: "failure",
    remedy: expect.stringContaining("QUESTDB_PASSWORD"),
  });
  expect(of.has("tables")).toBe(false);
  expect(JSON.stringify([...of])).not.toContain("not-the-password");
  expect((await cli(["migrate"], { env })).code).toBe(2);
});

test("another port for PGWire is a failure of that line alone", async () => {
  const of = await doctor({ ...environment(), TICKWATCH_QUESTDB_PG_PORT: "1" });
  expect(of.get("questdb")).toMatchObject({ level: "ok" });
  expect(of.get("questdb pgwire")).toMatchObject({
    level: "failure",
    remedy: expect.stringContaining("questdb.pgPort"),
  });
});

// Protects: the command finds every acknowledged row accounted for while the service runs, after kill -9 of it and of
// QuestDB in the midst of load, and after an ordered stop; and it fails when a row is taken away.
import { dirname } from "node:path";
import { expect, test } from "vitest";
import type { TableAccount, VerifyReport } from "../../ingest/verify/report.ts";
import { startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql } from "../support/questdb_sql.ts";
import { type Load, startLoad } from "../support/service_load.ts";
import { servicePlace } from "../support/service_process.ts";
import { delivered } from "../support/service_proof.ts";
import { cli } from "../unit/cli_fixture.ts";

test("verify adds up through kill -9 of service and QuestDB, and ends with 1 when a row was taken away", {
  timeout: 240_000,
}, async () => {
  const questdb = await startQuestdbInstance();
  const sql = testSql(questdb.pg);
  const place = await servicePlace({ questdb, config: { spool: { graceS: 0 } } });
  const first = await place.run();
  await first.ready();
  const load = startLoad({ http: place.http, mark: place.instance, seed: 7 });
  await load.acknowledges(2_000);

  async function account(...flags: readonly string[]) {
    const cwd = dirname(place.dataDir);
    const { code, out, err } = await cli(["verify", "-c", "tickwatch.json", "--json", ...flags], { cwd });
    if (out === "") throw new Error(err);
    const report: VerifyReport = JSON.parse(out);
    return { code, err, sum: sumOf(report, load), tables: report.tables };
  }

  const running = await account();
  expect(running, running.err).toMatchObject({ code: 0, sum: { missing: 0, doubled: 0 } });
  expect(running.sum.accepted).toBeGreaterThanOrEqual(2_000);

  await questdb.kill();
  await load.acknowledges(1_000);
  first.kill("SIGKILL");
  await first.ended;
  const cwd = dirname(place.dataDir);
  expect((await cli(["verify", "-c", "tickwatch.json"], { cwd })).code).toBe(5);

  await questdb.start();
  const dead = await account("--keys");
  expect(dead, dead.err).toMatchObject({ code: 0, sum: { missing: 0, doubled: 0 } });
  expect(dead.sum.pending).toBeGreaterThanOrEqual(1_000);

  const second = await place.run();
  await second.ready();
  await load.acknowledges(1_000);
  await load.stop();
  await delivered(sql, place.http);
  second.kill("SIGTERM");
  expect(await second.ended).toEqual({ code: 0, signal: null });
  const stopped = await account();
  expect(stopped).toMatchObject({ code: 0, sum: { missing: 0, pending: 0, replaced: 0, foreign: 0 } });
  expect(stopped.sum.stored).toBe(stopped.sum.accepted);
  expect(stopped.sum.accepted).toBeGreaterThanOrEqual(load.acknowledged.size);

  await sql.query("CREATE TABLE kept AS (SELECT * FROM orders LIMIT 1, 1000000000)");
  await sql.query("TRUNCATE TABLE orders");
  await sql.query("INSERT INTO orders SELECT * FROM kept");
  const robbed = await account();
  expect(robbed).toMatchObject({ code: 1, sum: { missing: 1, foreign: 0 } });
  expect(robbed.tables.find(({ missing }) => missing > 0)).toMatchObject({ table: "orders" });
});

/** Of the tables that the load writes to. */
function sumOf({ tables }: VerifyReport, { acknowledged }: Load) {
  expect(acknowledged.size).toBeGreaterThan(0);
  const loaded = tables.filter(({ table }) => table === "signals" || table === "orders");
  const sum = (figure: "accepted" | "stored" | "replaced" | "pending" | "missing" | "doubled" | "foreign") =>
    loaded.reduce((total, account: TableAccount) => total + account[figure], 0);
  return {
    ...{ accepted: sum("accepted"), stored: sum("stored"), replaced: sum("replaced") },
    ...{ pending: sum("pending"), missing: sum("missing"), doubled: sum("doubled"), foreign: sum("foreign") },
  };
}

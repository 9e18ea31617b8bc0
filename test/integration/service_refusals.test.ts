// Protects what is there from a start that must not happen: another service's spool, another program's port, tables that
// would lose rows. Each refusal says what to do, has its own exit code, and leaves nothing behind.
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { readRunFile } from "../../ingest/run_file.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql } from "../support/questdb_sql.ts";
import { startLoad } from "../support/service_load.ts";
import { servicePlace } from "../support/service_process.ts";
import { delivered, provesEveryRowOnce } from "../support/service_proof.ts";

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb.remove());

const LONG_MS = 180_000;

test("a second service on the same data folder refuses with exit code 6 and names the first, which goes on undisturbed", {
  timeout: LONG_MS,
}, async () => {
  const place = await servicePlace({ questdb });
  const first = await place.run();
  const info = await first.ready();
  const second = await place.run();
  expect(await second.ended).toEqual({ code: 6, signal: null });
  expect(second.stderr()).toContain(`belongs to process ${first.pid}, running since `);
  expect(second.stderr()).toContain("stop it first, or use another dataDir");
  expect(second.stdout()).toBe("");
  expect(await readRunFile(place.dataDir)).toEqual(info);
  expect((await fetch(`${place.http}/readyz`)).status).toBe(200);
  expect((await place.family.members()).map((member) => member.pid)).toEqual([first.pid]);
  first.kill("SIGTERM");
  expect(await first.ended).toEqual({ code: 0, signal: null });
});

test("a port in use is named with its user and the remedy, exit code 3, and neither the service nor its QuestDB goes on", {
  timeout: LONG_MS,
}, async () => {
  const place = await servicePlace();
  const busy = createServer();
  onTestFinished(() => new Promise<void>((resolve) => busy.close(() => resolve())));
  await new Promise<void>((resolve) => busy.listen(place.httpPort, "127.0.0.1", resolve));
  const service = await place.run();
  expect(await service.ended).toEqual({ code: 3, signal: null });
  expect(service.stderr()).toContain("starting QuestDB");
  expect(service.stderr()).toContain(`port ${place.httpPort} on 127.0.0.1 is in use by `);
  expect(service.stderr()).toContain(`(process ${process.pid})`);
  expect(service.stderr()).toContain("choose another port with TICKWATCH_HTTP_PORT or http.port");
  expect(service.stdout()).toBe("");
  expect(await place.family.members()).toEqual([]);
  expect(existsSync(join(place.dataDir, "run.json"))).toBe(false);
});

test("tables that would lose rows are refused with exit code 4 and changed by nobody; with the remedy that is shown it starts", {
  timeout: LONG_MS,
}, async () => {
  const sql = testSql(questdb.pg);
  const place = await servicePlace({ questdb });
  const before = await place.run();
  await before.ready();
  const load = startLoad({ http: place.http, mark: place.instance, seed: 3 });
  await load.acknowledges(100);
  await load.stop();
  before.kill("SIGTERM");
  expect(await before.ended).toEqual({ code: 0, signal: null });
  await delivered(sql);

  await sql.query(`ALTER TABLE "signals" DROP COLUMN "strength"`);
  await delivered(sql);
  const shape = "SELECT * FROM table_columns('signals')";
  const columns = await sql.query(shape);
  const refused = await place.run();
  expect(await refused.ended).toEqual({ code: 4, signal: null });
  const remedy = `ALTER TABLE "signals" ADD COLUMN "strength" DOUBLE`;
  expect(refused.stderr()).toContain(
    "One difference between the tables in QuestDB and the schema would lose or double rows:",
  );
  expect(refused.stderr()).toContain("signals.strength: column missing: expected DOUBLE, is missing");
  expect(refused.stderr()).toContain(`remedy: ${remedy}\n`);
  expect(await place.family.members()).toEqual([]);
  expect(await sql.query(shape)).toEqual(columns);
  await provesEveryRowOnce(sql, load);

  await sql.query(remedy);
  await delivered(sql);
  const mended = await place.run();
  await mended.ready();
  mended.kill("SIGTERM");
  expect(await mended.ended).toEqual({ code: 0, signal: null });
  await provesEveryRowOnce(sql, load);
});

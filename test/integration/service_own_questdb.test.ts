// Protects rows and their service from what may happen to the QuestDB that the service has started itself, or to the
// service beside it.
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadCredentials } from "../../ingest/questdb/credentials.ts";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { type RunInfo, readRunFile } from "../../ingest/run_file.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { startLoad } from "../support/service_load.ts";
import { type ServicePlace, servicePlace } from "../support/service_process.ts";
import { delivered, provesEveryRowOnce } from "../support/service_proof.ts";

async function sqlOf({ dataDir }: ServicePlace, { questdb }: RunInfo): Promise<Sql> {
  const { user, password } = await loadCredentials(join(dataDir, "questdb"));
  const [host = "", port] = questdb.pg.split(":");
  return testSql({ host, port: Number(port), database: "qdb", user, password });
}

async function pidsOf({ family }: ServicePlace): Promise<readonly number[]> {
  return (await family.members()).map((member) => member.pid);
}

test("a started QuestDB that is killed is back by itself: run.json has its new process, rows taken meanwhile arrive, the restart is told", {
  timeout: 180_000,
}, async () => {
  const place = await servicePlace();
  const service = await place.run();
  const info = await service.ready();
  const killed = info.questdb.pid;
  if (killed === null) throw new Error("run.json has no process of QuestDB");
  const load = startLoad({ http: place.http, mark: place.instance, seed: 8 });
  await load.acknowledges(1_000);
  process.kill(killed, "SIGKILL");
  await load.acknowledges(1_000);
  const now = await until(
    "run.json to have the new process",
    async () => {
      const read = await readRunFile(place.dataDir);
      return read?.questdb.pid !== killed && read;
    },
    60_000,
  );
  expect(now).toEqual({ ...info, questdb: { ...info.questdb, pid: expect.any(Number) } });
  expect(await pidsOf(place)).toContain(now.questdb.pid);
  await load.acknowledges(500);
  await load.stop();
  expect([...load.answers.keys()]).toEqual([202]);

  const sql = await sqlOf(place, info);
  await delivered(sql, place.http);
  await provesEveryRowOnce(sql, load);
  const told = await until("the restart to be told", async () => {
    const query =
      "SELECT code, message FROM daemon_errors WHERE instance = $1 AND code = 'QUESTDB_RESTARTED'";
    const rows = await sql.query(query, [place.instance]);
    return rows.length > 0 && rows;
  });
  expect(told).toEqual([
    { code: "QUESTDB_RESTARTED", message: expect.stringMatching(/ended unexpectedly; back after \d+ ms/) },
  ]);
  service.kill("SIGTERM");
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(await pidsOf(place)).toEqual([]);
});

test("a started QuestDB that a killed service leaves behind is taken over by the next run, with its rows, and ended with it", {
  timeout: 180_000,
}, async () => {
  const place = await servicePlace();
  const killed = await place.run();
  const { questdb } = await killed.ready();
  const load = startLoad({ http: place.http, mark: place.instance, seed: 9 });
  await load.acknowledges(1_000);
  killed.kill("SIGKILL");
  await killed.ended;
  expect(await pidsOf(place)).toEqual([questdb.pid]);
  const service = await place.run();
  const info = await service.ready();
  expect(info.questdb).toEqual(questdb);
  expect(service.stderr()).toContain("taken over from an earlier run that did not stop it");
  await load.acknowledges(500);
  await load.stop();
  const sql = await sqlOf(place, info);
  await delivered(sql, place.http);
  await provesEveryRowOnce(sql, load);
  service.kill("SIGTERM");
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(await pidsOf(place)).toEqual([]);
});

test("SIGTERM while QuestDB is starting ends both with exit code 143", { timeout: 180_000 }, async () => {
  const place = await servicePlace();
  const service = await place.run();
  await until("QuestDB to be launched", () => isLaunched(place), 60_000);
  service.kill("SIGTERM");
  expect(await service.ended).toEqual({ code: 143, signal: null });
  expect(service.stderr()).toContain("stopped before it had started");
  expect(await pidsOf(place)).toEqual([]);
  expect(await readRunFile(place.dataDir)).toBeUndefined();
});

async function isLaunched({ family }: ServicePlace): Promise<boolean> {
  return (await family.members()).some(({ command }) => command.includes("io.questdb.ServerMain"));
}

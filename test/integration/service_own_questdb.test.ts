// Protects rows and their service from the end of the QuestDB that the service has started itself.
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadCredentials } from "../../ingest/questdb/credentials.ts";
import { readRunFile } from "../../ingest/run_file.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { startLoad } from "../support/service_load.ts";
import { servicePlace } from "../support/service_process.ts";
import { delivered, provesEveryRowOnce } from "../support/service_proof.ts";

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
  expect((await place.family.members()).map((member) => member.pid)).toContain(now.questdb.pid);
  await load.acknowledges(500);
  await load.stop();
  expect([...load.answers.keys()]).toEqual([202]);

  const { user, password } = await loadCredentials(join(place.dataDir, "questdb"));
  const [host = "", port] = info.questdb.pg.split(":");
  const sql = testSql({ host, port: Number(port), database: "qdb", user, password });
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
  expect(await place.family.members()).toEqual([]);
});

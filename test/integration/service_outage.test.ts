// Protects the service from its QuestDB: away while it runs, away when it starts, away until the spool is full. Rows are
// taken as long as there is room, the user is told in words, and in the end QuestDB has every acknowledged row once.
import { expect, test } from "vitest";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { readRunFile } from "../../ingest/run_file.ts";
import { EVENTS } from "../../schema/registry.ts";
import { startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { startLoad } from "../support/service_load.ts";
import { type ServicePlace, servicePlace } from "../support/service_process.ts";
import { delivered, provesEveryRowOnce } from "../support/service_proof.ts";

const LONG_MS = 180_000;
const SEED = 7;

interface Readiness {
  readonly status: number;
  readonly ready: boolean;
  readonly problems: readonly string[];
  readonly questdb: { readonly up: boolean };
}

async function readiness({ http }: ServicePlace): Promise<Readiness> {
  const answer = await fetch(`${http}/readyz`);
  return { ...JSON.parse(await answer.text()), status: answer.status };
}

/** Resolves when the service says exactly this about itself. */
function untilProblems(place: ServicePlace, problems: readonly string[]): Promise<Readiness> {
  return until(
    `the problems to be ${JSON.stringify(problems)}`,
    async () => {
      const now = await readiness(place);
      return JSON.stringify(now.problems) === JSON.stringify(problems) && now;
    },
    60_000,
  );
}

/** Rows of daemon_errors that say that QuestDB was away. */
function outagesTold(sql: Sql, { instance }: ServicePlace) {
  const query =
    "SELECT component, severity FROM daemon_errors WHERE instance = $1 AND code = 'DB_UNAVAILABLE'";
  return sql.query(query, [instance]);
}

const AWAY = "QuestDB does not answer: rows wait in the spool";

test("QuestDB is killed under load and comes back: rows are taken all the time, the outage is told, every row is there once", {
  timeout: LONG_MS,
}, async () => {
  const questdb = await startQuestdbInstance();
  const sql = testSql(questdb.pg);
  const place = await servicePlace({ questdb });
  const service = await place.run();
  await service.ready();
  const load = startLoad({ http: place.http, mark: place.instance, seed: SEED });
  await load.acknowledges(2_000);
  await questdb.kill();
  expect(await untilProblems(place, [AWAY])).toMatchObject({
    status: 200,
    ready: true,
    questdb: { up: false },
  });
  await load.acknowledges(5_000);
  expect(await readiness(place)).toMatchObject({ status: 200, problems: [AWAY] });
  await questdb.start();
  expect(await untilProblems(place, [])).toMatchObject({ status: 200, ready: true, questdb: { up: true } });
  await load.acknowledges(500);
  await load.stop();
  expect([...load.answers.keys()]).toEqual([202]);
  await delivered(sql, place.http);
  await provesEveryRowOnce(sql, load);

  expect(await outagesTold(sql, place)).toEqual([{ component: "questdb", severity: "error" }]);
  const lines = service.stderr().split("\n");
  expect(lines.filter((line) => line.includes("QuestDB does not take rows"))).toHaveLength(1);
  expect(lines.filter((line) => line.includes("QuestDB takes rows again"))).toHaveLength(1);
});

test("with a QuestDB that is away at the start rows are taken at once, and tables and rows are there when it comes", {
  timeout: LONG_MS,
}, async () => {
  const questdb = await startQuestdbInstance();
  await questdb.stop();
  const place = await servicePlace({ questdb });
  const service = await place.run();
  const info = await service.ready();
  expect(info.questdb).toMatchObject({ http: questdb.http, version: null, pid: null });
  expect(await readiness(place)).toMatchObject({
    ...{ status: 200, ready: true, questdb: { up: false } },
    problems: ["QuestDB has not answered yet: rows wait in the spool"],
  });
  const load = startLoad({ http: place.http, mark: place.instance, seed: SEED });
  await load.acknowledges(1_000);
  await questdb.start();
  await untilProblems(place, []);
  await load.acknowledges(500);
  await load.stop();
  expect([...load.answers.keys()]).toEqual([202]);
  const sql = testSql(questdb.pg);
  await delivered(sql, place.http);
  await provesEveryRowOnce(sql, load);
  expect(await outagesTold(sql, place)).toEqual([{ component: "questdb", severity: "error" }]);
  expect(service.stderr()).toContain("no QuestDB answers at");
  const tables = (await sql.query<{ table_name: string }>("SELECT table_name FROM tables()")).map(
    (row) => row.table_name,
  );
  expect(tables).toEqual(expect.arrayContaining(EVENTS.map((event) => event.name)));
  const now = await until("run.json to tell the version", async () => {
    const read = await readRunFile(place.dataDir);
    return read?.questdb.version != null && read;
  });
  expect(now).toEqual({ ...info, questdb: { ...info.questdb, version: questdb.version } });
});

test("a full spool answers 429 with Retry-After and takes rows again once QuestDB has some; the refused ones are not there", {
  timeout: LONG_MS,
}, async () => {
  const questdb = await startQuestdbInstance();
  const sql = testSql(questdb.pg);
  const spool = { bytesMax: 400_000, segmentBytes: 65_536, whenFull: "reject" };
  const place = await servicePlace({ questdb, config: { spool } });
  const service = await place.run();
  await service.ready();
  await questdb.kill();
  const load = startLoad({ http: place.http, mark: place.instance, seed: SEED });
  await until("a refusal", () => load.answers.has(429), 60_000);
  expect(await readiness(place)).toMatchObject({
    ...{ status: 503, ready: false },
    problems: expect.arrayContaining(["the spool has reached spool.bytesMax: rows are refused"]),
  });
  const refused = await fetch(`${place.http}/v1/events/signals`, {
    method: "POST",
    body: JSON.stringify(refusedRow(place.instance)),
    headers: { "content-type": "application/json" },
  });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);

  await questdb.start();
  await load.acknowledges(2_000);
  await load.stop();
  expect([...load.answers.keys()].sort()).toEqual([202, 429]);
  await delivered(sql, place.http);
  await provesEveryRowOnce(sql, load);
  const marked = "SELECT count() AS n FROM signals WHERE strategy = $1";
  expect(await sql.query(marked, [`${place.instance}-refused`])).toEqual([{ n: 0 }]);
  expect(await untilProblems(place, [])).toMatchObject({ status: 200, ready: true });
});

function refusedRow(instance: string) {
  const strategy = `${instance}-refused`;
  return {
    ts: Date.now() * 1000,
    strategy,
    exchange: "okx",
    symbol: "BTC/USDT:USDT",
    indicator: "rsi",
    signal: "buy",
  };
}

// Protects the promise behind a 202: what the service has acknowledged is in QuestDB in the end, once, however often and
// whenever the service is killed.
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { startLoad } from "../support/service_load.ts";
import { servicePlace } from "../support/service_process.ts";
import { delivered, provesEveryRowOnce } from "../support/service_proof.ts";

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb.remove());

const ROUNDS = 5;
const ROWS_MAX = 3_000;

test(`rows acknowledged before kill -9, ${ROUNDS} times at random moments under load, are all in QuestDB once, and each crash is told`, {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 1e9));
  onTestFailed(() => console.error(`TEST_SEED=${seed} repeats the moments and the load`));
  const random = new RandomStream(seed, "kills");
  const sql = testSql(questdb.pg);
  const place = await servicePlace({ questdb });
  const load = startLoad({ http: place.http, mark: place.instance, seed });
  for (let round = 0; round < ROUNDS; round++) {
    const service = await place.run();
    // Counted from the launch on: a small number falls into the start, when old rows are delivered beside new ones.
    await load.acknowledges(1 + Math.floor(random.next() * ROWS_MAX));
    service.kill("SIGKILL");
    expect(await service.ended).toEqual({ code: null, signal: "SIGKILL" });
  }
  const beforeUs = Date.now() * 1000;
  const last = await place.run();
  await last.ready();
  await load.acknowledges(500);
  await load.stop();
  expect(load.answers.get(0), "no request met a killed service").toBeGreaterThan(0);
  await delivered(sql, place.http);
  await provesEveryRowOnce(sql, load);

  const crash = await until("the last crash to be told", async () => {
    const rows = await sql.query<{ ts: number; reason: string }>(
      "SELECT ts, reason FROM daemon_events WHERE instance = $1 AND event = 'crashed' ORDER BY ts",
      [place.instance],
    );
    return rows.at(-1);
  });
  expect(crash.ts).toBeGreaterThan(beforeUs);
  expect(crash.reason).toContain("did not stop in order");
  last.kill("SIGTERM");
  expect(await last.ended).toEqual({ code: 0, signal: null });
});

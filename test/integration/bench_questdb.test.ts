// A benchmark must not report rows that are not there: the counting, on a real server.
import { request } from "undici";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { type BenchQuestdb, openBenchQuestdb } from "../../bench/harness/bench_questdb.ts";
import { Markers } from "../../bench/harness/markers.ts";
import { MARKS, markRows, stamp } from "../../bench/workload/mark_event.ts";
import { systemClock } from "../../ingest/clock.ts";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";

const clock = systemClock();

let questdb: BenchQuestdb;

beforeAll(async () => {
  const { http, pg } = inject("questdb");
  const env = {
    ...process.env,
    ...{ QUESTDB_URL: http, QUESTDB_USER: pg.user, QUESTDB_PASSWORD: pg.password },
    TICKWATCH_QUESTDB_PG_PORT: String(pg.port),
  };
  questdb = await openBenchQuestdb(env, () => undefined, new AbortController().signal);
});

beforeEach(() => questdb.emptyTable(MARKS));

afterAll(async () => {
  await questdb.sql.query(`DROP TABLE IF EXISTS "${MARKS.name}"`);
  await questdb.close();
});

async function write(http: string, count: number, firstUs: number): Promise<void> {
  const rows = markRows(count, 1);
  stamp(rows, firstUs);
  const [encode, out] = [createEncoder("native", MARKS), new ByteBuffer()];
  for (const row of rows) encode({ ...row }, out, new Int32Array(2), 0);
  const body = out.bytes.subarray(0, out.length);
  const { statusCode } = await request(`${http}/write?precision=u`, { method: "POST", body });
  expect(statusCode).toBe(204);
}

test("rows that are missing, or too many, are an error; exactly those that were written are not", async () => {
  await write(questdb.address.http, 20, clock.nowUs() - 1_000_000);
  await expect(questdb.allQueryable(MARKS.name, 21, 300)).rejects.toThrow(/21 rows .* \(queries see 20\)/);
  await expect(questdb.allQueryable(MARKS.name, 20, 10_000)).resolves.toBeGreaterThan(1e15);
  await expect(questdb.allQueryable(MARKS.name, 19, 300)).rejects.toThrow("only 19 were written");
  await questdb.emptyTable(MARKS);
  expect(await questdb.count(MARKS.name)).toBe(0);
});

test("a row is timed when a query sees that very row, and one that does not come fails the run", async () => {
  const tsUs = clock.nowUs();
  const markers = (giveUpMs: number) => new Markers({ sql: questdb.sql, clock, everyMs: 5, giveUpMs });
  const seen = markers(10_000).seen({ table: MARKS.name, tsUs, acceptedUs: tsUs });
  await write(questdb.address.http, 1, tsUs);
  expect(await seen).toBeGreaterThan(0);
  const lost = markers(100);
  lost.watch({ table: MARKS.name, tsUs: tsUs + 1, acceptedUs: tsUs });
  await expect(lost.settled()).rejects.toThrow("was not queryable");
});

// Protects the writer's promise on a real QuestDB: every accepted row is there, once, with its values, whatever happens
// to the database; a row it will not take is found again and costs no other.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deadLetterFiles, parseDeadLetter } from "../../ingest/intake/dead_letter.ts";
import type { Frame } from "../../ingest/spool/frame.ts";
import type { AnyRow } from "../../schema/define.ts";
import { EVENTS, findEvent } from "../../schema/registry.ts";
import { microsToIso } from "../../schema/timestamp_text.ts";
import { arbitraryRow } from "../support/arbitrary_rows.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";
import { openTestPipeline, type TestPipeline } from "../support/test_pipeline.ts";

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb.remove());

/** Wall clock in µs; each call later than the one before, so that rows of different tests never meet. */
let lastUs = 0;
function nowUs(): number {
  lastUs = Math.max(lastUs + 1, Date.now() * 1000);
  return lastUs;
}

function signalRow(ts: number, strategy: string) {
  return {
    ts,
    strategy,
    exchange: "okx",
    symbol: "BTC/USDT:USDT",
    event_id: `e${ts}`,
    indicator: "rsi",
    signal: "buy",
    strength: 0.5,
  };
}

async function stored(t: TestPipeline, strategy: string): Promise<number[]> {
  const rows = await t.database.sql.query<{ ts: number }>(
    "SELECT ts FROM signals WHERE strategy = $1 ORDER BY ts",
    [strategy],
  );
  return rows.map((row) => row.ts);
}

async function deadLetters(t: TestPipeline) {
  const texts = await Promise.all(
    (await deadLetterFiles(t.pipeline.deadLetterDir)).map((name) =>
      readFile(join(t.pipeline.deadLetterDir, name), "utf8"),
    ),
  );
  return texts
    .join("")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => parseDeadLetter(line));
}

describe.each(["native", "official"] as const)("encoder %s", (encoder) => {
  test.each(EVENTS.map((event) => event.name))(
    "%s: generated rows are stored with equal values",
    async (name) => {
      const event = findEvent(name);
      if (event === undefined) throw new Error(name);
      const t = await openTestPipeline(questdb, { writer: { encoder } });
      const first = nowUs();
      const rows = fc.sample(arbitraryRow(event), 40).map((row): AnyRow => ({ ...row, ts: nowUs() }));
      const { accepted, rejected } = await t.pipeline.intake.accept(name, rows);
      expect(rejected).toEqual([]);
      expect(accepted).toBe(40);
      const query = `SELECT * FROM "${name}" WHERE ts >= '${microsToIso(first)}' AND ts <= '${microsToIso(lastUs)}' ORDER BY ts`;
      const found = await until("the rows", async () => {
        const answer = await t.database.sql.query(query);
        return answer.length === 40 && answer;
      });
      for (const [index, row] of rows.entries()) {
        const parsed = event.parse(row);
        if (!parsed.ok) throw new Error(parsed.message);
        expect(Object.fromEntries(Object.entries(found[index] ?? {}).map(comparable))).toEqual(
          expectedOf(event.wire, parsed.row),
        );
      }
    },
  );
});

function expectedOf(wire: readonly { name: string; type: string }[], row: AnyRow): Record<string, unknown> {
  const entries = [["ts", row.ts] as const, ...wire.map(({ name }) => [name, row[name] ?? null] as const)];
  return Object.fromEntries(entries.map(comparable));
}

/** UUIDs compare without case; a bigint is a number too large for one, and minus zero is zero to a database. */
function comparable([name, value]: readonly [string, unknown]): [string, unknown] {
  if (typeof value === "bigint") return [name, Number(value)];
  if (Object.is(value, -0)) return [name, 0];
  if (name === "fetch_id") return [name, String(value).toLowerCase()];
  return [name, value];
}

test("rows acknowledged while QuestDB is dead are there once it is back, once each, and the outage is told once", async () => {
  const t = await openTestPipeline(questdb);
  const times: number[] = [];
  const send = async (count: number) => {
    const rows = Array.from({ length: count }, () => signalRow(nowUs(), "outage"));
    times.push(...rows.map((row) => row.ts));
    expect((await t.pipeline.intake.accept("signals", rows)).accepted).toBe(count);
  };
  await send(100);
  await questdb.kill();
  for (let i = 0; i < 20; i++) await send(50);
  await until("the outage to be noticed", () => t.pipeline.delivery?.server.isUp === false);
  expect(t.pipeline.spool.pendingOf("signals")?.rows).toBeGreaterThanOrEqual(1000);
  await questdb.start();
  await send(10);
  await until("everything to be delivered", () => t.pipeline.spool.pending().length === 0);
  expect(
    await until(
      "all rows",
      async () => (await stored(t, "outage")).length === times.length && stored(t, "outage"),
    ),
  ).toEqual(times);
  expect(t.pipeline.ledger.counts("signals")).toMatchObject({
    accepted: times.length,
    written: times.length,
    deadLettered: 0,
  });
  // What had been acknowledged before the kill was sent again, and absorbed.
  expect(await t.metrics.total("tickwatch_rows_resent_total", { table: "signals" })).toBeGreaterThanOrEqual(
    100,
  );
});

/** A frame with rows that our parser would never let through. */
function frameOfLines(lines: readonly string[], firstTs: number): Frame {
  const rows = lines.map((line) => Buffer.from(line));
  const rowOffsets = new Uint32Array(rows.length);
  rows.reduce((at, row, index) => {
    rowOffsets[index] = at;
    return at + row.length;
  }, 0);
  const payload = Buffer.concat(rows);
  return {
    table: "signals",
    fingerprint: 0,
    rowCount: rows.length,
    rowOffsets,
    payload,
    minTs: firstTs,
    maxTs: firstTs,
    acceptedUs: firstTs,
  };
}

test.each([
  [
    "a column that does not exist",
    (ts: number) => `signals,strategy=poison,exchange=x,symbol=y,signal=buy nope=1i ${ts}t\n`,
  ],
  [
    "a value of the wrong type",
    (ts: number) => `signals,strategy=poison,exchange=x,symbol=y,signal=buy strength="text" ${ts}t\n`,
  ],
  ["bytes that are no row", () => "\u0001\u0002 garbage\n"],
])("poison rows (%s) in every position are dead-lettered, the others are stored", async (_, poison) => {
  const t = await openTestPipeline(questdb);
  const good: number[] = [];
  let bad = 0;
  for (const mask of [0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11000, 0b10101, 0b11111]) {
    const first = nowUs();
    const lines = Array.from({ length: 5 }, (_unused, position) => {
      const ts = nowUs();
      if (mask & (1 << position)) {
        bad += 1;
        return poison(ts);
      }
      good.push(ts);
      return `signals,strategy=poison_${first},exchange=x,symbol=y,indicator=z,signal=buy event_id="${ts}" ${ts}t\n`;
    });
    await t.pipeline.spool.append([frameOfLines(lines, first)]);
    t.pipeline.delivery?.notify("signals");
    await until(`mask ${mask} to be settled`, () => t.pipeline.spool.pending().length === 0);
  }
  expect(t.pipeline.ledger.counts("signals")).toMatchObject({ written: good.length, deadLettered: bad });
  const letters = await deadLetters(t);
  expect(letters).toHaveLength(bad);
  for (const letter of letters) {
    expect(letter).toMatchObject({ stage: "questdb", table: "signals", reason: "row_refused" });
    expect(letter?.message).not.toBe("");
    expect(letter?.bytes).toBeDefined();
  }
  const found = await until("the good rows", async () => {
    const rows = await t.database.sql.query<{ ts: number }>(
      "SELECT ts FROM signals WHERE strategy LIKE 'poison_%' ORDER BY ts",
    );
    const times = rows.map((row) => row.ts).filter((ts) => good.includes(ts));
    return times.length === good.length && times;
  });
  expect(found).toEqual(good);
});

test("a dropped table keeps its rows waiting, others go on, and nothing is lost once it is there again", async () => {
  const t = await openTestPipeline(questdb);
  const accountMark = () => ({ ts: nowUs(), account: "dropped", exchange: "okx", balance: 1 });
  await t.database.sql.query('DROP TABLE "account_marks"');
  const marks = [accountMark(), accountMark(), accountMark()];
  await t.pipeline.intake.accept("account_marks", marks);
  const lane = await until("the trouble to be seen", () => t.pipeline.delivery?.troubles()[0]);
  expect(lane.trouble).toMatchObject({ kind: "table_not_ready" });
  expect(lane.trouble?.message).toContain("account_marks");
  const other = signalRow(nowUs(), "beside_dropped");
  await t.pipeline.intake.accept("signals", [other]);
  await until("the other table to go on", async () => (await stored(t, "beside_dropped")).length === 1);
  expect(t.pipeline.ledger.counts("account_marks").deadLettered).toBe(0);
  await t.database.sql.query(findEvent("account_marks")?.createTableSql() ?? "");
  await until("the rows of the dropped table", async () => (await t.count("account_marks")) === 3, 60_000);
});

test("the same rows handed over twice are stored once", async () => {
  const t = await openTestPipeline(questdb);
  const rows = Array.from({ length: 50 }, () => signalRow(nowUs(), "twice"));
  await t.pipeline.intake.accept("signals", rows);
  await t.pipeline.intake.accept("signals", rows);
  await until("delivery", () => t.pipeline.spool.pending().length === 0);
  await until("all rows", async () => (await stored(t, "twice")).length === 50);
  expect(t.pipeline.ledger.counts("signals").written).toBe(100);
});

test("rows that wait when the writer stops are delivered by the next one on the same folder", async () => {
  const t = await openTestPipeline(questdb, { writer: { lingerMinMs: 60_000, lingerMaxMs: 60_000 } });
  await questdb.kill();
  const rows = Array.from({ length: 30 }, () => signalRow(nowUs(), "restart"));
  await t.pipeline.intake.accept("signals", rows);
  expect(await t.pipeline.stop(1_000)).toBe(30);
  await questdb.start();
  const next = await openTestPipeline(questdb, { dataDir: t.dataDir });
  await until("all rows", async () => (await stored(next, "restart")).length === 30);
});

test("the latency from accepting to queryable is measured and never zero", async () => {
  const t = await openTestPipeline(questdb);
  await t.pipeline.intake.accept("signals", [signalRow(nowUs(), "latency")]);
  const measured = await until("a measurement", () => t.pipeline.probe?.takePercentiles("signals"));
  expect(measured.p50Ms).toBeGreaterThan(0);
  expect(await t.metrics.text()).toContain('tickwatch_queryable_seconds_count{table="signals"} 1');
});

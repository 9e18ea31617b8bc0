// Protects: verify accounts for every accepted row of a real QuestDB, and finds the one that is not there.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { deadLetterFiles } from "../../ingest/intake/dead_letter.ts";
import { readCursor } from "../../ingest/spool/cursor.ts";
import { openFolder } from "../../ingest/spool/storage.ts";
import type { TableAccount } from "../../ingest/verify/report.ts";
import { type VerifyOptions, verify } from "../../ingest/verify/verify.ts";
import { fetches } from "../../schema/events/fetches.ts";
import { signals } from "../../schema/events/signals.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";
import { openTestPipeline, type TestPipeline } from "../support/test_pipeline.ts";

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb.remove());

let t: TestPipeline;
beforeEach(async () => {
  t = await openTestPipeline(questdb);
  await t.database.sql.query("TRUNCATE TABLE signals");
});

const NOW_US = Math.floor(Date.now() / 3_600_000) * 3_600_000_000;

/** Rows of two hours, five minutes apart. */
function row(number: number, more: Record<string, unknown> = {}) {
  return {
    ts: NOW_US - (number % 24) * 300_000_000 - number,
    ...{ strategy: `s${number % 3}`, exchange: "okx", symbol: "BTC/USDT:USDT", event_id: `é ${number}` },
    ...{ indicator: "rsi", signal: "buy", price: number, ...more },
  };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

async function accept(rows: readonly unknown[], delivered = true): Promise<void> {
  const { rejected } = await t.pipeline.intake.accept("signals", rows);
  expect(rejected).toEqual([]);
  if (delivered) await settled();
}

/** Everything is delivered, and the cursor on disk knows. */
async function settled(): Promise<void> {
  const folder = await openFolder(t.pipeline.spoolDir);
  await until("delivery", async () => {
    const last = Math.max(...[...(await readCursor(folder)).values()].map(({ acked }) => acked));
    return last === t.pipeline.spool.lastSeq;
  });
}

async function verified(
  options: Partial<VerifyOptions> = {},
): Promise<TableAccount & { readonly ok: boolean }> {
  const { ok, tables } = await verify({
    ...{ sql: t.database.sql, clock: systemClock(), events: [signals] },
    ...{ spoolDir: t.pipeline.spoolDir, deadLetterDir: t.pipeline.deadLetterDir },
    ledgerDir: join(t.dataDir, "ledger"),
    ...{ allKeys: false, strict: false, examplesMax: 3, onProgress: () => undefined },
    ...options,
  });
  const account = tables.find(({ table }) => table === "signals");
  if (account === undefined) throw new Error("no account of signals");
  return { ok, ...account };
}

const NOTHING = { replaced: 0, deadLettered: 0, pending: 0, missing: 0, doubled: 0, foreign: 0 };

test("rows that were sent twice are one row and one replaced, by count and by keys", async () => {
  await accept(numbers(0, 500).map((number) => row(number)));
  await accept(numbers(400, 420).map((number) => row(number, { price: -1 })));
  const sums = { ...NOTHING, accepted: 520, stored: 500, replaced: 20 };
  for (const allKeys of [false, true])
    expect(await verified({ allKeys })).toMatchObject({ ok: true, verdict: "adds up", ...sums });
});

test("rows that wait are pending, also when the spool's cursor does not know yet that they are stored", async () => {
  t.pipeline.delivery?.stop();
  await accept(
    numbers(0, 100).map((number) => row(number)),
    false,
  );
  expect(await verified()).toMatchObject({ ok: true, ...NOTHING, accepted: 100, stored: 0, pending: 100 });
  const values = "'s0', 'okx', 'BTC/USDT:USDT', 'é 0', 'rsi', 'buy'";
  const columns = "strategy, exchange, symbol, event_id, indicator, signal";
  await t.database.sql.query(`INSERT INTO signals (ts, ${columns}) VALUES (${NOW_US}, ${values})`);
  expect(await verified()).toMatchObject({ ok: true, ...NOTHING, accepted: 100, stored: 1, pending: 99 });
});

/** Makes the table again without the rows that do not fulfil the condition. */
async function keepOnly(condition: string): Promise<void> {
  const { sql } = t.database;
  await until("the rows to be seen", async () => (await t.count("signals")) > 0);
  await sql.query(`CREATE TABLE kept AS (SELECT * FROM signals WHERE ${condition})`);
  await sql.query("TRUNCATE TABLE signals");
  await sql.query("INSERT INTO signals SELECT * FROM kept");
  await sql.query("DROP TABLE kept");
}

test("one row that was taken away is found, named with its values, and only in its time", async () => {
  await accept(numbers(0, 300).map((number) => row(number)));
  await keepOnly("event_id <> 'é 77'");
  const found = await verified();
  expect(found).toMatchObject({
    ...{ ok: false, verdict: "missing rows", ...NOTHING, accepted: 300, stored: 299, missing: 1 },
    stillInSpool: 1,
  });
  expect(found.examples).toEqual([
    expect.objectContaining({ what: "missing", row: expect.objectContaining({ event_id: "é 77" }) }),
  ]);
  const minuteUs = Math.floor(row(77).ts / 6e7) * 6e7;
  expect(await verified({ fromUs: minuteUs, toUs: minuteUs + 6e7 })).toMatchObject({ ok: false, missing: 1 });
  expect(await verified({ toUs: minuteUs })).toMatchObject({ ok: true, missing: 0 });
  expect(await verified({ fromUs: minuteUs + 6e7 })).toMatchObject({ ok: true, missing: 0 });
});

test("a row that is there twice is found, although the table has DEDUP now", async () => {
  const { sql } = t.database;
  await accept(numbers(0, 50).map((number) => row(number)));
  await until("the rows to be seen", async () => (await t.count("signals")) === 50);
  await sql.query("ALTER TABLE signals DEDUP DISABLE");
  await sql.query("INSERT INTO signals SELECT * FROM signals WHERE event_id = 'é 7'");
  await until("the double", async () => (await t.count("signals")) === 51);
  await sql.query("ALTER TABLE signals DEDUP ENABLE UPSERT KEYS(ts, strategy, exchange, symbol, event_id)");
  const found = await verified();
  expect(found).toMatchObject({
    ...{ ok: false, verdict: "doubled rows", ...NOTHING, accepted: 50, stored: 50, doubled: 1 },
  });
  expect(found.examples[0]?.row).toMatchObject({ event_id: "é 7" });
});

test("rows of others are told apart, hide no lost one from the comparison of keys, and are a failure when asked", async () => {
  await accept(numbers(0, 100).map((number) => row(number)));
  await until("the rows to be seen", async () => (await t.count("signals")) === 100);
  const { sql } = t.database;
  await sql.query(
    `INSERT INTO signals SELECT ts, strategy, exchange, symbol, event_id || ' of others', indicator, signal, strength, price
     FROM signals WHERE event_id = 'é 7'`,
  );
  await until("the other row", async () => (await t.count("signals")) === 101);
  const sums = { ...NOTHING, accepted: 100, stored: 100, foreign: 1 };
  expect(await verified()).toMatchObject({ ok: true, verdict: "adds up", ...sums });
  const strictly = await verified({ strict: true });
  expect(strictly).toMatchObject({ ok: false, verdict: "foreign rows", ...sums });
  expect(strictly.examples[0]?.row).toMatchObject({ event_id: "é 7 of others" });
  // As many rows as keys in that minute: only the keys tell.
  await keepOnly("event_id <> 'é 7'");
  expect(await verified()).toMatchObject({ ok: true });
  expect(await verified({ allKeys: true })).toMatchObject({
    ...{ ok: false, verdict: "missing rows", missing: 1, foreign: 1, stored: 99 },
  });
});

test("dead letters are accounted for, and count as stored once they were mended and replayed", async () => {
  await accept(numbers(0, 10).map((number) => row(number)));
  // QuestDB refuses it for a column that it does not have.
  const ts = NOW_US - 5;
  const line = `signals,strategy=s0,exchange=okx,symbol=X,indicator=rsi,signal=buy event_id="bad",nope=1i ${ts}t\n`;
  const payload = Buffer.from(line);
  await t.pipeline.spool.append([
    {
      ...{ table: "signals", fingerprint: 0, rowCount: 1, rowOffsets: new Uint32Array([0]), payload },
      ...{ minTs: ts, maxTs: ts, acceptedUs: ts },
    },
  ]);
  t.pipeline.delivery?.notify("signals");
  await until("the row to be given up", () => t.pipeline.spool.pending().length === 0);
  expect(await verified()).toMatchObject({ ok: true, ...NOTHING, accepted: 11, stored: 10, deadLettered: 1 });
  const [name = ""] = await deadLetterFiles(t.pipeline.deadLetterDir);
  const path = join(t.pipeline.deadLetterDir, name);
  const letter = JSON.parse(await readFile(path, "utf8"));
  delete letter.row.nope;
  await writeFile(path, `${JSON.stringify(letter)}\n`);
  expect(await t.pipeline.replayDeadLetters({})).toEqual({ accepted: 1, rejected: 0, kept: 0 });
  await settled();
  const sums = { ...NOTHING, accepted: 12, stored: 11, replaced: 1 };
  expect(await verified()).toMatchObject({ ok: true, ...sums });
});

test("dead letters that were deleted to make room still account for their rows", async () => {
  t = await openTestPipeline(questdb, { deadLetterBytesMax: 8 * 400 });
  const lines = numbers(0, 40).map((number) => {
    const keys = `strategy=s,exchange=okx,symbol=X,indicator=rsi,signal=buy event_id="${number}"`;
    return Buffer.from(`signals,${keys},nope=1i ${NOW_US - number}t\n`);
  });
  for (const payload of lines) {
    const times = { minTs: NOW_US - 40, maxTs: NOW_US, acceptedUs: NOW_US };
    const frame = { table: "signals", fingerprint: 0, rowCount: 1, rowOffsets: new Uint32Array(1), payload };
    await t.pipeline.spool.append([{ ...frame, ...times }]);
  }
  t.pipeline.delivery?.notify("signals");
  await settled();
  const left = await Promise.all(
    (await deadLetterFiles(t.pipeline.deadLetterDir)).map((name) =>
      readFile(join(t.pipeline.deadLetterDir, name), "utf8"),
    ),
  );
  expect(left.join("").split("\n").length).toBeLessThan(30);
  // What was deleted last is in no block yet.
  await t.pipeline.stop(1_000);
  expect(await verified()).toMatchObject({ ok: true, ...NOTHING, accepted: 40, deadLettered: 40 });
});

test("rows from before the ledger are not judged, and it says from when on it is complete", async () => {
  await accept(numbers(0, 30).map((number) => row(number)));
  await t.pipeline.stop(2_000);
  await rm(join(t.dataDir, "ledger"), { recursive: true });
  t = await openTestPipeline(questdb, { dataDir: t.dataDir });
  await accept(numbers(30, 40).map((number) => row(number)));
  const found = await verified();
  expect(found).toMatchObject({ ok: true, ...NOTHING, accepted: 10, stored: 10, older: 30 });
  expect(Date.parse(found.completeFrom ?? "")).toBeGreaterThan(NOW_US / 1000);
  await keepOnly("event_id NOT IN ('é 5', 'é 35')");
  expect(await verified()).toMatchObject({
    ok: false,
    ...NOTHING,
    accepted: 10,
    stored: 9,
    missing: 1,
    older: 29,
  });
});

test("rows beyond the TTL are gone by design and not judged", async () => {
  const { sql } = t.database;
  const dayUs = 86_400_000_000;
  await accept(numbers(0, 20).map((number) => row(number, { ts: row(number).ts - 3 * dayUs })));
  await accept(numbers(20, 30).map((number) => row(number)));
  await until("the rows to be seen", async () => (await t.count("signals")) === 30);
  await sql.query("ALTER TABLE signals SET TTL 2 DAYS");
  expect(await verified()).toMatchObject({ ok: true, ...NOTHING, accepted: 10, stored: 10, expired: 20 });
  await sql.query("ALTER TABLE signals SET TTL 90 DAYS");
});

test("while rows stream in, verify finds every one of them accounted for", { timeout: 120_000 }, async () => {
  let stopping = false;
  let next = 0;
  const producing = (async () => {
    while (!stopping) {
      const from = next;
      next += 20;
      await t.pipeline.intake.accept(
        "signals",
        numbers(from, next).map((number) => row(number, { ts: Date.now() * 1000 + (number % 1000) })),
      );
    }
  })();
  onTestFinished(() => {
    stopping = true;
    return producing;
  });
  await until("the first rows", async () => (await t.count("signals")) > 1_000);
  for (let round = 0; round < 4; round++) {
    const found = await verified({ allKeys: round % 2 === 1 });
    expect(found).toMatchObject({ ok: true, missing: 0, doubled: 0, foreign: 0 });
    expect(found.accepted).toBeGreaterThan(1_000);
    expect(found.accepted).toBeLessThan(next);
  }
  stopping = true;
  await producing;
  await settled();
  expect(await verified()).toMatchObject({ ok: true, ...NOTHING, accepted: next, stored: next });
});

test("UUIDs and symbols with every kind of character have the same key in QuestDB", async () => {
  const texts = ["a b", "c,d", "e=f", "g\\h", "é€😀", "\u007f", "line\nfeed"];
  const rows = texts.map((symbol, index) => ({
    ...{ ts: NOW_US - index, exchange: symbol, dataset: "d", method: "m", status: "ok" },
    ...{ fetch_id: `3F2504E0-4F89-41d3-9a0c-0305e82c330${index}`, duration_ms: 1, row_count: 1 },
  }));
  const { accepted } = await t.pipeline.intake.accept("fetches", rows);
  expect(accepted).toBe(texts.length);
  await until("delivery", () => t.pipeline.spool.pending().length === 0);
  const { ok, tables } = await verify({
    ...{ sql: t.database.sql, clock: systemClock(), events: [fetches] },
    ...{ spoolDir: t.pipeline.spoolDir, deadLetterDir: t.pipeline.deadLetterDir },
    ledgerDir: join(t.dataDir, "ledger"),
    ...{ allKeys: true, strict: true, examplesMax: 3, onProgress: () => undefined },
  });
  expect({ ok, tables }).toMatchObject({ ok: true, tables: [{ accepted: 7, stored: 7, foreign: 0 }] });
});

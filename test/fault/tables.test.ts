// Protects good rows from trouble with their table and with rows beside them: a table that is dropped or changed keeps
// its rows waiting, a row that cannot be stored is the only one that is given up, once, and others keep their order.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { deadLetterFiles, parseDeadLetter } from "../../ingest/intake/dead_letter.ts";
import { findEvent } from "../../schema/registry.ts";
import { readJournal } from "../support/fault_journal.ts";
import { expectKept, nameOf } from "../support/fault_oracle.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault_proxy.ts";
import { openStage } from "../support/fault_stage.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";
import { delivered } from "../support/service_proof.ts";
import { openTestPipeline, type TestPipeline } from "../support/test_pipeline.ts";

let questdb: QuestdbInstance;
let proxy: FaultProxy;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
  proxy = await startFaultProxy(questdb.http);
});
afterAll(async () => {
  await proxy?.close();
  await questdb?.remove();
});

const behindProxy = () => ({ http: proxy.url, pg: questdb.pg });

let lastUs = 0;
function nowUs(): number {
  lastUs = Math.max(lastUs + 1, Date.now() * 1000);
  return lastUs;
}

const signal = (strategy: string, eventId: string) => ({
  ...{ ts: nowUs(), strategy, exchange: "okx", symbol: "BTC/USDT:USDT" },
  ...{ event_id: eventId, indicator: "rsi", signal: "buy" },
});

async function givenUp(t: TestPipeline): Promise<unknown[]> {
  const { deadLetterDir } = t.pipeline;
  const names = await deadLetterFiles(deadLetterDir);
  const texts = await Promise.all(names.map((name) => readFile(join(deadLetterDir, name), "utf8")));
  const lines = texts.flatMap((text) => text.split("\n").slice(0, -1));
  return lines.map((line) => Object(parseDeadLetter(line)?.row)["event_id"]);
}

async function stored(t: TestPipeline, strategy: string): Promise<unknown[]> {
  const rows = await t.database.sql.query("SELECT event_id FROM signals WHERE strategy = $1 ORDER BY ts", [
    strategy,
  ]);
  return rows.map((row) => row["event_id"]);
}

const untilDelivered = (t: TestPipeline, timeoutMs = 60_000) =>
  until("everything to be delivered", () => t.pipeline.spool.pending().length === 0, timeoutMs);

test("a table that is dropped under load and made again has every row that was acknowledged after the drop", async () => {
  const stage = await openStage({ questdb, config: { spool: { graceS: 60 } } });
  onTestFinished(() => stage.close());
  await stage.start();
  const load = await stage.load();
  await load.acknowledges(1_000);
  await stage.sql.query("DROP TABLE orders");
  const { acknowledged } = await readJournal(load.journal);
  await load.acknowledges(2_000);
  await stage.sql.query(findEvent("orders")?.createTableSql() ?? "");
  await load.acknowledges(500);
  const verdict = await stage.verdictAtRest(load);
  const gone = acknowledged
    .filter(({ table }) => table === "orders")
    .flatMap(({ from, to, ...of }) =>
      Array.from({ length: to - from + 1 }, (_, index) => nameOf({ ...of, number: from + index })),
    );
  expectKept(verdict, new Set(gone));
  expect(await stage.deadLetters()).toEqual([]);
});

test("a table that is dropped and made again while nobody writes to it has every later row", async () => {
  const t = await openTestPipeline(questdb, { writer: { connections: 2 } });
  const expected: string[] = [];
  const send = async (account: string) => {
    await t.pipeline.intake.accept("account_marks", [{ ts: nowUs(), account, exchange: "okx", balance: 1 }]);
    await untilDelivered(t);
  };
  for (let round = 0; round < 2; round++) {
    await send(`before ${round}`);
    await delivered(t.database.sql);
    await t.database.sql.query("DROP TABLE account_marks");
    await t.database.sql.query(findEvent("account_marks")?.createTableSql() ?? "");
    for (const when of ["first", "second"]) {
      const account = `${when} after ${round}`;
      // Confirmed by QuestDB and, the first one, stored nowhere at first.
      await send(account);
      expected.push(account);
    }
    await until("the rows of the table that was made again", async () => {
      const rows = await t.database.sql.query("SELECT account FROM account_marks");
      const there = new Set(rows.map((row) => row["account"]));
      return expected.every((account) => there.has(account));
    });
  }
  expect(t.pipeline.ledger.counts("account_marks")).toMatchObject({ written: 6, deadLettered: 0 });
});

test.each([
  ["made again at once", true],
  ["missing then", false],
])(
  "a stop in order right after a table was dropped (%s) hides no row from the next start",
  async (_, atOnce) => {
    const first = await openTestPipeline(questdb);
    const mark = (account: string) => ({ ts: nowUs(), account, exchange: "okx", balance: 1 });
    await first.pipeline.intake.accept("account_marks", [mark("before")]);
    await untilDelivered(first);
    await delivered(first.database.sql);
    await first.database.sql.query("DROP TABLE account_marks");
    const create = findEvent("account_marks")?.createTableSql() ?? "";
    if (atOnce) await first.database.sql.query(create);
    await first.pipeline.intake.accept("account_marks", [mark("behind")]);
    if (atOnce) await untilDelivered(first);
    else await until("the trouble to be seen", () => first.pipeline.delivery?.troubles()[0]);
    await first.pipeline.stop(2_000);
    const second = await openTestPipeline(questdb, { dataDir: first.dataDir });
    await untilDelivered(second);
    await until("the row", async () => {
      const rows = await second.database.sql.query("SELECT account FROM account_marks");
      return rows.some((row) => row["account"] === "behind");
    });
  },
);

test("a stop in order while QuestDB is away hides from the next start nothing that has to be sent again", async () => {
  const first = await openTestPipeline(behindProxy());
  onTestFinished(() => proxy.set({ kind: "none" }));
  await first.pipeline.intake.accept("signals", [signal("away", "one"), signal("away", "two")]);
  await untilDelivered(first);
  await proxy.set({ kind: "refuse" });
  await first.pipeline.intake.accept("signals", [signal("away", "three")]);
  await until("the outage to be seen", () => first.pipeline.delivery?.server.isUp === false);
  expect(await first.pipeline.stop(500)).toBe(1);
  await proxy.set({ kind: "none" });
  const second = await openTestPipeline(behindProxy(), { dataDir: first.dataDir });
  await untilDelivered(second);
  const resent = await second.metrics.total("tickwatch_rows_resent_total", { table: "signals" });
  expect(resent + second.pipeline.ledger.counts("signals").written).toBe(3);
  await until("the rows", async () => (await stored(second, "away")).length === 3);
});

test("a row that a table swallowed when it was dropped waits for the table, however long it is missing", async () => {
  // Longer than the grace time, after which nothing is sent again.
  const t = await openTestPipeline(questdb, { spool: { graceS: 3 } });
  const mark = (account: string) => ({ ts: nowUs(), account, exchange: "okx", balance: 1 });
  await t.pipeline.intake.accept("account_marks", [mark("before")]);
  await untilDelivered(t);
  await delivered(t.database.sql);
  await t.database.sql.query("DROP TABLE account_marks");
  await t.pipeline.intake.accept("account_marks", [mark("swallowed")]);
  await until("the trouble to be seen", () => t.pipeline.delivery?.troubles()[0]);
  const sinceMs = performance.now();
  await until("the grace time to pass", () => performance.now() - sinceMs > 4_000);
  await t.database.sql.query(findEvent("account_marks")?.createTableSql() ?? "");
  await until("the row", async () => {
    const rows = await t.database.sql.query("SELECT account FROM account_marks");
    return rows.some((row) => row["account"] === "swallowed");
  });
});

test("rows are not given up to a connection that does not know a column which was added since", async () => {
  const t = await openTestPipeline(questdb, { writer: { connections: 1 } });
  let rows = 0;
  const send = async () => {
    rows += 1;
    const row = { ...signal("columns", `row ${rows}`), strength: rows };
    await t.pipeline.intake.accept("signals", [row]);
  };
  await send();
  await untilDelivered(t);
  await t.database.sql.query("ALTER TABLE signals DROP COLUMN strength");
  await until("the trouble to be seen", async () => {
    // QuestDB takes one more request, without the column.
    await send();
    return t.pipeline.delivery?.troubles()[0];
  });
  await t.database.sql.query("ALTER TABLE signals ADD COLUMN strength DOUBLE");
  await send();
  await untilDelivered(t);
  expect(await givenUp(t)).toEqual([]);
  await until("the rows", async () => (await stored(t, "columns")).length === rows);
});

test("a column that is dropped under load keeps its table's rows waiting until it is back", async () => {
  const stage = await openStage({ questdb, config: { spool: { graceS: 60 } } });
  onTestFinished(() => stage.close());
  await stage.start();
  const load = await stage.load();
  await load.acknowledges(1_000);
  await stage.sql.query("ALTER TABLE orders DROP COLUMN amount");
  const { acknowledged } = await readJournal(load.journal);
  await load.acknowledges(1_000);
  await stage.sql.query("ALTER TABLE orders ADD COLUMN amount DOUBLE");
  await load.acknowledges(500);
  const verdict = await stage.verdictAtRest(load);
  // What was stored before has lost its amount with the column.
  const before = new Set(acknowledged.map(({ table, producer }) => `${table}/${producer}`));
  expect({ ...verdict, wrong: [] }).toMatchObject({ lost: [], doubled: [], unsent: [], reordered: [] });
  expect(verdict.wrong.every((name) => before.has(name.slice(0, name.lastIndexOf("/"))))).toBe(true);
  expect(await stage.deadLetters()).toEqual([]);
});

test("a table that is mended between the refusal and the look at it costs no row", async () => {
  const t = await openTestPipeline(questdb, {
    seen: (database) => ({
      ...database,
      // Whoever drops a table and makes it again does it at the worst moment: here.
      async tableProblem(table) {
        await database.sql.query(findEvent("account_marks")?.createTableSql() ?? "");
        return database.tableProblem(table);
      },
    }),
  });
  await t.database.sql.query('DROP TABLE "account_marks"');
  const marks = [1, 2, 3].map((balance) => ({ ts: nowUs(), account: "mended", exchange: "okx", balance }));
  await t.pipeline.intake.accept("account_marks", marks);
  await untilDelivered(t);
  expect(t.pipeline.ledger.counts("account_marks")).toMatchObject({ written: 3, deadLettered: 0 });
  await until("the rows", async () => (await t.count("account_marks")) === 3);
});

test("rows that the server stumbles over are given up wherever they are, others are not", async () => {
  const t = await openTestPipeline(behindProxy());
  await proxy.set({ kind: "stumble", text: "stumbling", status: 500 });
  onTestFinished(() => proxy.set({ kind: "none" }));
  const bad = new Set([0, 1, 2, 7, 11, 12, 18]);
  const ids = Array.from({ length: 20 }, (_, index) => `${bad.has(index) ? "stumbling" : "fine"} ${index}`);
  await t.pipeline.intake.accept(
    "signals",
    ids.map((id) => signal("stumble", id)),
  );
  await untilDelivered(t, 100_000);
  const isBad = (id: string) => id.startsWith("stumbling");
  expect(await givenUp(t)).toEqual(ids.filter(isBad));
  await until("the others", async () => (await stored(t, "stumble")).length === ids.length - bad.size);
  expect(await stored(t, "stumble")).toEqual(ids.filter((id) => !isBad(id)));
});

test("a row that the server stumbles over is found in every position", async () => {
  const t = await openTestPipeline(behindProxy());
  // Of a request that is refused as too large it is known at once that smaller ones may pass.
  await proxy.set({ kind: "stumble", text: "stumbling", status: 413 });
  onTestFinished(() => proxy.set({ kind: "none" }));
  const rows = 6;
  const bad: string[] = [];
  for (let position = 0; position < rows; position++) {
    const ids = Array.from(
      { length: rows },
      (_, at) => `${at === position ? "stumbling" : "fine"} ${position}.${at}`,
    );
    // Without a row behind it the last one would wait for one to be compared with.
    ids.push(`fine ${position}.behind`);
    bad.push(`stumbling ${position}.${position}`);
    await t.pipeline.intake.accept(
      "signals",
      ids.map((id) => signal("positions", id)),
    );
    await untilDelivered(t);
    expect(await givenUp(t)).toEqual(bad);
  }
  await until("the others", async () => (await stored(t, "positions")).length === rows * rows);
  expect((await stored(t, "positions")).filter((id) => String(id).startsWith("stumbling"))).toEqual([]);
});

test("a row that was given up is not given up again when its neighbours are sent again after an outage", async () => {
  const t = await openTestPipeline(behindProxy());
  await t.database.sql.query("SELECT 1");
  await proxy.set({ kind: "stumble", text: "stumbling", status: 413 });
  onTestFinished(() => proxy.set({ kind: "none" }));
  const ids = ["fine 1", "stumbling 2", "fine 3", "fine 4"];
  await t.pipeline.intake.accept(
    "signals",
    ids.map((id) => signal("again", id)),
  );
  await untilDelivered(t);
  expect(await givenUp(t)).toEqual(["stumbling 2"]);
  await proxy.set({ kind: "refuse" });
  await t.pipeline.intake.accept("signals", [signal("again", "fine 5")]);
  await until("the outage to be seen", () => t.pipeline.delivery?.server.isUp === false);
  await proxy.set({ kind: "stumble", text: "stumbling", status: 413 });
  await untilDelivered(t);
  expect(await givenUp(t)).toEqual(["stumbling 2"]);
  expect(t.pipeline.ledger.counts("signals")).toMatchObject({ written: 4, deadLettered: 1 });
});

test("a request that reaches the server late, after its repetition, does not bring an older value back", async () => {
  // Without a grace time, in which everything is sent again in order anyway.
  const t = await openTestPipeline(behindProxy(), {
    writer: { requestTimeoutMs: 400 },
    spool: { graceS: 0 },
  });
  onTestFinished(() => proxy.set({ kind: "none" }));
  const ts = nowUs();
  const gap = (version: number) => ({
    ...{ ts, exchange: "late", symbol: "BTC/USDT:USDT", dataset: "x", gap_end: ts + version },
    ...{ duration_s: version, missing_rows: version, status: "open" },
  });
  await proxy.set({ kind: "late" });
  await t.pipeline.intake.accept("data_gaps", [gap(1)]);
  await proxy.hit();
  await t.pipeline.intake.accept("data_gaps", [gap(2)]);
  await until("the time-out", () => t.pipeline.delivery?.server.isUp === false);
  await proxy.set({ kind: "none" });
  await untilDelivered(t);
  const last = "SELECT missing_rows FROM data_gaps WHERE exchange = 'late'";
  await delivered(t.database.sql);
  expect(await t.database.sql.query(last)).toEqual([{ missing_rows: 2 }]);
});

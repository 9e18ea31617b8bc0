// Protects: an acknowledgement means durable, for exactly the rows of the caller; pressure and stopping are answered.
import { expect, test } from "vitest";
import { NOON_US } from "../support/manual_clock.ts";
import { drainTable, payloads } from "../support/spool_fixture.ts";
import { openTestIntake } from "../support/test_intake.ts";

const row = (n: number) => ({ ts: NOON_US + n, exchange: "okx", symbol: "BTC/USDT:USDT", open_interest: n });

test("when accept resolves the rows are synced", async () => {
  const t = await openTestIntake();
  await t.intake.accept("open_interest", [row(1), row(2)]);
  expect(t.storage.journal.at(-1)).toMatch(/^sync .*segment$/);
  expect(t.spool.pendingOf("open_interest")?.rows).toBe(2);
});

test("callers at the same moment share one sync", async () => {
  const t = await openTestIntake();
  await t.intake.accept("open_interest", [row(0)]);
  t.storage.journal.length = 0;
  await Promise.all(Array.from({ length: 50 }, (_, n) => t.intake.accept("open_interest", [row(n)])));
  expect(t.storage.journal.filter((operation) => operation.startsWith("sync")).length).toBeLessThanOrEqual(2);
  expect(t.spool.pendingOf("open_interest")?.rows).toBe(51);
});

test("order per table is the order of the calls", async () => {
  const t = await openTestIntake();
  await Promise.all(Array.from({ length: 20 }, (_, n) => t.intake.accept("open_interest", [row(n)])));
  const text = payloads(await drainTable(t.spool, "open_interest")).join("");
  const times = [...text.matchAll(/ (\d{16})t\n/g)].map((match) => Number(match[1]));
  expect(times).toEqual(Array.from({ length: 20 }, (_, n) => NOON_US + n));
});

test("a disk that refuses the write is told to exactly the callers concerned, and the next ones succeed", async () => {
  const t = await openTestIntake();
  await t.intake.accept("open_interest", [row(0)]);
  t.storage.failWritesWith = "ENOSPC";
  await expect(t.intake.accept("open_interest", [row(1)])).rejects.toMatchObject({ code: "SPOOL_FULL" });
  t.storage.failWritesWith = "EIO";
  await expect(t.intake.accept("open_interest", [row(2)])).rejects.toMatchObject({ code: "SPOOL_FAILED" });
  t.storage.failWritesWith = undefined;
  await t.intake.accept("open_interest", [row(3)]);
  expect(t.spool.pendingOf("open_interest")?.rows).toBe(2);
  expect(t.ledger.counts("open_interest").accepted).toBe(2);
});

test("at its byte cap the spool refuses rows with SPOOL_FULL and takes them again later", async () => {
  const t = await openTestIntake({ bytesMax: 100_000 });
  const fill = async () => {
    for (let n = 0; n < 100; n++)
      await t.intake.accept(
        "open_interest",
        Array.from({ length: 50 }, (_, i) => row(n * 50 + i)),
      );
  };
  await expect(fill()).rejects.toMatchObject({ code: "SPOOL_FULL" });
  await drainTable(t.spool, "open_interest");
  await t.spool.saveCursor();
  expect((await t.intake.accept("open_interest", [row(1)])).accepted).toBe(1);
});

test("after stop nothing is taken, and what was under way is durable", async () => {
  const t = await openTestIntake();
  const underWay = t.intake.accept("open_interest", [row(1)]);
  await t.intake.stop();
  expect((await underWay).accepted).toBe(1);
  await expect(t.intake.accept("open_interest", [row(2)])).rejects.toMatchObject({ code: "STOPPING" });
  expect(t.spool.pendingOf("open_interest")?.rows).toBe(1);
});

test("a large push is taken in several turns of the event loop, so that others are not starved", async () => {
  const t = await openTestIntake();
  let turns = 0;
  let done = false;
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await t.intake.accept(
    "open_interest",
    Array.from({ length: 20_000 }, (_, n) => row(n)),
  );
  done = true;
  expect(turns).toBeGreaterThan(3);
});

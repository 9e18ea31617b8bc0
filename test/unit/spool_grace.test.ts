// Protects: what QuestDB acknowledged lately can be sent again after an outage, and is not kept longer than promised.
import { expect, test } from "vitest";
import { MemoryStorage } from "../support/memory_storage.ts";
import { drainTable, frameOf, openTestSpool, payloads } from "../support/spool_fixture.ts";

const numbers = (frames: readonly { payload: Buffer }[]) =>
  frames.map((frame) => Number(/n=(\d+)/.exec(frame.payload.toString())?.[1]));

async function graceSpool(options = {}) {
  const storage = new MemoryStorage();
  const time = { ms: 0 };
  const settings = { segmentBytes: 300, graceMs: 120_000, monotonicMs: () => time.ms, ...options };
  const spool = await openTestSpool(storage, settings);
  return { storage, time, spool, settings };
}

const segmentsOf = async (storage: MemoryStorage) =>
  (await storage.list()).filter((name) => name.endsWith(".segment"));

test("after a rewind exactly what was delivered within the grace time is sent again, in order, before newer frames", async () => {
  const { spool, time } = await graceSpool();
  for (const [at, first] of [
    [0, 0],
    [60_000, 5],
    [150_000, 10],
  ] as const) {
    time.ms = at;
    for (let n = first; n < first + 5; n++) await spool.append([frameOf("a", n)]);
    await drainTable(spool, "a");
  }
  await spool.append([frameOf("a", 15)]);
  time.ms = 170_000;
  spool.rewind("a");
  expect(spool.pendingOf("a")?.rows).toBe(2);
  expect(numbers(await drainTable(spool, "a"))).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  expect(spool.pendingOf("a")).toBeUndefined();
});

test("segments of delivered frames are deleted when their grace time is over, not before", async () => {
  const { spool, time, storage } = await graceSpool();
  for (let n = 0; n < 10; n++) await spool.append([frameOf("a", n)]);
  const all = (await segmentsOf(storage)).length;
  await drainTable(spool, "a");
  time.ms = 119_000;
  await spool.saveCursor();
  expect(await segmentsOf(storage)).toHaveLength(all);
  time.ms = 121_500;
  await spool.saveCursor();
  expect(await segmentsOf(storage)).toHaveLength(1);
});

test("delivered segments give way, oldest first, when they exceed their cap", async () => {
  const { spool, storage } = await graceSpool({ graceBytesMax: 1_000 });
  for (let n = 0; n < 30; n++) await spool.append([frameOf("a", n)]);
  await drainTable(spool, "a");
  await spool.saveCursor();
  expect(spool.bytes).toBeLessThanOrEqual(1_000 + 400);
  spool.rewind("a");
  const again = numbers(await drainTable(spool, "a"));
  expect(again.length).toBeGreaterThan(0);
  expect(again).toEqual(Array.from({ length: again.length }, (_, i) => 30 - again.length + i));
  expect((await segmentsOf(storage)).length).toBeGreaterThan(1);
});

test("a spool full of delivered frames makes room at once", async () => {
  const { spool } = await graceSpool({ bytesMax: 1_500 });
  let n = 0;
  while (!spool.isFull) await spool.append([frameOf("a", n++)]);
  await drainTable(spool, "a");
  await spool.saveCursor();
  expect(spool.isFull).toBe(false);
});

test("after a crash the grace time's frames are sent again, after an ordered stop they are not", async () => {
  const { spool, storage, settings } = await graceSpool();
  for (let n = 0; n < 5; n++) await spool.append([frameOf("a", n)]);
  await drainTable(spool, "a");
  await spool.append([frameOf("a", 5)]);
  await spool.saveCursor();
  const crashed = await openTestSpool(storage.afterCut("all"), settings);
  expect(crashed.pendingOf("a")?.rows).toBe(2);
  expect(numbers(await drainTable(crashed, "a"))).toEqual([0, 1, 2, 3, 4, 5]);
  await spool.close();
  const stopped = await openTestSpool(storage.afterCut("all"), settings);
  expect(numbers(await drainTable(stopped, "a"))).toEqual([5]);
});

test("a rewind of a table that has nothing in grace does nothing", async () => {
  const { spool } = await graceSpool({ graceMs: 0 });
  await spool.append([frameOf("a", 1)]);
  await drainTable(spool, "a");
  spool.rewind("a");
  spool.rewind("never_seen");
  expect(spool.pending()).toEqual([]);
  await spool.append([frameOf("a", 2)]);
  expect(payloads(await drainTable(spool, "a"))).toEqual([frameOf("a", 2).payload.toString()]);
});

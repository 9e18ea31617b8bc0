// Protects: order per table, bounded memory, answers to a full or failing disk, and recovery from every kind of damage.
import { expect, test } from "vitest";
import { MemoryStorage } from "../support/memory_storage.ts";
import { drainTable, frameOf, openTestSpool, payloads } from "../support/spool_fixture.ts";

const SEGMENT = "0000000000000001.segment";

async function spoolWith(frames: number, options = {}) {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage, { segmentBytes: 1 << 20, ...options });
  for (let n = 0; n < frames; n++) await spool.append([frameOf("a", n)]);
  return { storage, spool };
}

const expected = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => frameOf("a", from + i).payload.toString());

test("frames beyond the memory window come back from disk in order, with new ones behind them", async () => {
  const { spool } = await spoolWith(100, { memoryBytes: 1_500, segmentBytes: 2_000 });
  const head = await spool.peek("a", { rows: 7, bytes: 1 << 20 });
  expect(payloads(head.map((q) => q.frame))).toEqual(expected(0, 3));
  await spool.append([frameOf("a", 100)]);
  expect(payloads(await drainTable(spool, "a"))).toEqual(expected(0, 101));
  expect(spool.pending()).toEqual([]);
  await spool.append([frameOf("a", 101)]);
  expect(payloads(await drainTable(spool, "a"))).toEqual(expected(101, 102));
});

test("pending counts are exact through spilling, partial delivery and a restart", async () => {
  const { spool, storage } = await spoolWith(20, { memoryBytes: 1_500, segmentBytes: 900 });
  expect(spool.pendingOf("a")).toMatchObject({ rows: 40, oldestUs: 1_000 });
  for (let i = 0; i < 7; i++) {
    const [head] = await spool.peek("a", { rows: 1, bytes: 1 });
    if (head) spool.ack("a", head.seq);
  }
  expect(spool.pendingOf("a")?.rows).toBe(26);
  await spool.close();
  const again = await openTestSpool(storage.afterCut("all"));
  expect(again.pendingOf("a")?.rows).toBe(26);
  expect(payloads(await drainTable(again, "a"))).toEqual(expected(7, 20));
  expect(again.pendingOf("a")).toBeUndefined();
});

test("seq numbers go on after everything was delivered and deleted", async () => {
  const { spool, storage } = await spoolWith(5);
  await drainTable(spool, "a");
  await spool.close();
  expect(await storage.list()).toEqual(["cursor"]);
  const again = await openTestSpool(storage.afterCut("all"));
  await again.append([frameOf("a", 5)]);
  const [head] = await again.peek("a", { rows: 1, bytes: 1 });
  expect(head?.seq).toBe(6);
});

test("at its byte cap the spool refuses, and takes again once delivery has made room", async () => {
  const storage = new MemoryStorage();
  const small = await openTestSpool(storage, { bytesMax: 1_500, segmentBytes: 500 });
  let taken = 0;
  while (!small.isFull) await small.append([frameOf("a", taken++)]);
  await expect(small.append([frameOf("a", 99)])).rejects.toMatchObject({ code: "SPOOL_FULL" });
  expect(payloads(await drainTable(small, "a"))).toEqual(expected(0, taken));
  await small.saveCursor();
  expect(small.isFull).toBe(false);
  await small.append([frameOf("a", taken)]);
  expect(payloads(await drainTable(small, "a"))).toEqual(expected(taken, taken + 1));
});

test("a full disk refuses the append with SPOOL_FULL, loses nothing and needs no restart", async () => {
  const { spool, storage } = await spoolWith(3);
  storage.failWritesWith = "ENOSPC";
  await expect(spool.append([frameOf("a", 50)])).rejects.toMatchObject({ code: "SPOOL_FULL" });
  storage.failWritesWith = undefined;
  await spool.append([frameOf("a", 3)]);
  await spool.close();
  const again = await openTestSpool(storage.afterCut("all"));
  expect(payloads(await drainTable(again, "a"))).toEqual(expected(0, 4));
});

test("after a failed sync nothing is acknowledged and the next frames go into a new segment", async () => {
  const { spool, storage } = await spoolWith(2);
  storage.failSyncsWith = "EIO";
  await expect(spool.append([frameOf("a", 50)])).rejects.toMatchObject({ code: "SPOOL_FAILED" });
  storage.failSyncsWith = undefined;
  await spool.append([frameOf("a", 2)]);
  expect((await storage.list()).filter((name) => name.endsWith(".segment"))).toHaveLength(2);
  expect(payloads(await drainTable(spool, "a"))).toEqual(expected(0, 3));
});

test("a torn tail is cut, and everything before it is kept", async () => {
  const { storage } = await spoolWith(4);
  const whole = storage.content(SEGMENT);
  for (const cut of [1, 10, 63, 64, 90]) {
    const torn = storage.afterCut("all");
    torn.replace(SEGMENT, Buffer.from(whole.subarray(0, whole.length - cut)));
    const spool = await openTestSpool(torn);
    expect(spool.recovery.tornBytes, `cut ${cut}`).toBeGreaterThan(0);
    expect(payloads(await drainTable(spool, "a")), `cut ${cut}`).toEqual(expected(0, 3));
  }
});

test("a flipped bit costs its own record only, and is reported", async () => {
  const { storage } = await spoolWith(4);
  const whole = storage.content(SEGMENT);
  const recordBytes = (whole.length - 32) / 4;
  for (let at = 32 + recordBytes; at < 32 + 2 * recordBytes; at += 3) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    const damaged = storage.afterCut("all");
    damaged.replace(SEGMENT, flipped);
    const reports: unknown[] = [];
    const spool = await openTestSpool(damaged, { onDamage: (report) => reports.push(report) });
    expect(payloads(await drainTable(spool, "a")), `byte ${at}`).toEqual([
      ...expected(0, 1),
      ...expected(2, 4),
    ]);
    expect(reports, `byte ${at}`).toHaveLength(1);
  }
});

test("each of several damaged records side by side is reported with its rows", async () => {
  for (const sealed of [false, true]) {
    const { spool, storage } = await spoolWith(5);
    const recordBytes = (storage.content(SEGMENT).length - 32) / 5;
    if (sealed) await spool.close();
    const bytes = Buffer.from(storage.content(SEGMENT));
    for (const record of [1, 2, sealed ? 4 : 3]) {
      const at = 32 + record * recordBytes + 80;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    }
    const damaged = storage.afterCut("all");
    damaged.replace(SEGMENT, bytes);
    const reports: (number | undefined)[] = [];
    const again = await openTestSpool(damaged, { onDamage: ({ rows }) => reports.push(rows) });
    await drainTable(again, "a");
    expect(reports).toEqual([2, 2, 2]);
  }
});

test("a damaged last record of an unsealed segment is cut off and told, because it may have been acknowledged", async () => {
  const { storage } = await spoolWith(3);
  const bytes = Buffer.from(storage.content(SEGMENT));
  bytes[bytes.length - 1] = 0;
  const damaged = storage.afterCut("all");
  damaged.replace(SEGMENT, bytes);
  const spool = await openTestSpool(damaged);
  expect(spool.recovery).toMatchObject({ doubtfulRows: 2, damaged: [] });
  expect(payloads(await drainTable(spool, "a"))).toEqual(expected(0, 2));
});

test("a flipped bit in a sealed segment is found when it is read, reported, and does not stop the rest", async () => {
  const { spool, storage } = await spoolWith(4);
  await spool.close();
  const bytes = Buffer.from(storage.content(SEGMENT));
  bytes[120] = (bytes[120] ?? 0) ^ 1;
  storage.replace(SEGMENT, bytes);
  const reports: unknown[] = [];
  const again = await openTestSpool(storage, { onDamage: (report) => reports.push(report) });
  expect(payloads(await drainTable(again, "a"))).toEqual(expected(1, 4));
  expect(reports).toHaveLength(1);
  expect(again.pending()).toEqual([]);
});

test("a damaged footer only costs the reading of its segment", async () => {
  const { spool, storage } = await spoolWith(4);
  await spool.close();
  const bytes = Buffer.from(storage.content(SEGMENT));
  bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
  storage.replace(SEGMENT, bytes);
  const again = await openTestSpool(storage);
  expect(payloads(await drainTable(again, "a"))).toEqual(expected(0, 4));
});

test("a segment with a damaged header is set aside, the others are used", async () => {
  const { spool, storage } = await spoolWith(6, { segmentBytes: 200 });
  await spool.close();
  const bytes = Buffer.from(storage.content(SEGMENT));
  bytes[2] = 0;
  storage.replace(SEGMENT, bytes);
  const again = await openTestSpool(storage);
  expect(again.recovery.setAside).toEqual([`${SEGMENT}.damaged`]);
  const rest = payloads(await drainTable(again, "a"));
  expect(rest.length).toBeGreaterThan(0);
  expect(rest).toEqual(expected(6 - rest.length, 6));
});

test("with both cursor slots damaged everything is delivered again rather than skipped", async () => {
  const { spool, storage } = await spoolWith(4);
  const [head] = await spool.peek("a", { rows: 2, bytes: 1 });
  if (head) spool.ack("a", head.seq);
  await spool.close();
  storage.replace("cursor", Buffer.alloc(131_072, 0xff));
  const again = await openTestSpool(storage);
  expect(payloads(await drainTable(again, "a"))).toEqual(expected(0, 4));
});

test("with one cursor slot damaged the older one holds", async () => {
  const { spool, storage } = await spoolWith(4);
  for (let i = 0; i < 2; i++) {
    const [head] = await spool.peek("a", { rows: 2, bytes: 1 });
    if (head) spool.ack("a", head.seq);
    await spool.saveCursor();
  }
  const cursor = Buffer.from(storage.content("cursor"));
  cursor.fill(0xff, 0, 100); // generation 2 is in slot 0
  const damaged = storage.afterCut("all");
  damaged.replace("cursor", cursor);
  const again = await openTestSpool(damaged);
  expect(payloads(await drainTable(again, "a"))).toEqual(expected(1, 4));
});

test("frames read from disk stay whole until they are let go, whatever is read and written meanwhile", async () => {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage, { segmentBytes: 600, memoryBytes: 0 });
  const append = async (n: number) => spool.append([frameOf("a", n), frameOf("b", n)]);
  for (let n = 0; n < 40; n++) await append(n);
  const held = await spool.peek("a", { rows: 4, bytes: 1 << 20 });
  const whole = payloads(held.map(({ frame }) => frame));
  expect(whole).toEqual(expected(0, 2));
  for (let n = 0; n < 40; n++) {
    const [head] = await spool.peek("b", { rows: 1, bytes: 1 });
    expect(head?.frame.payload.toString()).toBe(frameOf("b", n).payload.toString());
    spool.ack("b", head?.seq ?? 0);
    await append(40 + n);
    await spool.saveCursor();
  }
  expect(payloads(held.map(({ frame }) => frame))).toEqual(whole);
  spool.letGo("a");
  expect(payloads(await drainTable(spool, "a"))).toEqual(expected(0, 80));
});

test("the segment that is written to is read on from where reading ended", async () => {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage, { segmentBytes: 1 << 20, memoryBytes: 0 });
  for (let n = 0; n < 50; n++) {
    await spool.append([frameOf("a", n)]);
    const [head] = await spool.peek("a", { rows: 1, bytes: 1 });
    expect(head?.frame.payload.toString()).toBe(frameOf("a", n).payload.toString());
    spool.ack("a", head?.seq ?? 0);
  }
  const segment = storage.content(SEGMENT).length;
  expect(storage.bytesRead).toBeGreaterThan(segment - 100);
  expect(storage.bytesRead).toBeLessThan(2 * segment);
});

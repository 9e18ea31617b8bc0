// Protects rows of a table that has little in each of many segments: they are read without the rest of the segments, and
// come out as they were stored, whatever has become of the bytes around them.
import { expect, test } from "vitest";
import type { Spool } from "../../ingest/spool/spool.ts";
import { MemoryStorage } from "../support/memory_storage.ts";
import { drainTable, frameOf, openTestSpool, payloads } from "../support/spool_fixture.ts";

const ALL = { rows: 1_000, bytes: 1 << 20 };
const SEGMENTS = 9;

const fewOf = (from: number, to: number) =>
  payloads(Array.from({ length: to - from }, (_, n) => frameOf("few", from + n, 1)));

/** Every segment holds one frame of `few` between larger ones of `many`. */
async function mixedSpool(): Promise<{ readonly storage: MemoryStorage; readonly spool: Spool }> {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage, { segmentBytes: 400, memoryBytes: 0 });
  for (let n = 0; n < SEGMENTS; n++)
    await spool.append([frameOf("many", n, 9), frameOf("few", n, 1), frameOf("many", n, 9)]);
  return { storage, spool };
}

async function segmentNames(storage: MemoryStorage): Promise<string[]> {
  return (await storage.list()).filter((name) => name.endsWith(".segment")).sort();
}

test("rows of many segments are one request, up to the segment that is written to", async () => {
  const { spool, storage } = await mixedSpool();
  expect(await segmentNames(storage)).toHaveLength(SEGMENTS);
  const frames = (await spool.peek("few", ALL)).map(({ frame }) => frame);
  expect(payloads(frames)).toEqual(fewOf(0, SEGMENTS - 1));
  expect(await spool.peek("few", { rows: 3, bytes: 1 << 20 })).toHaveLength(3);
  // A table with much in a segment is read a segment at a time.
  expect(await spool.peek("many", ALL)).toHaveLength(2);
  expect(payloads(await drainTable(spool, "few"))).toEqual(fewOf(0, SEGMENTS));
  expect(spool.pendingOf("few")).toBeUndefined();
});

test("what was delivered is not read again, and what is sent again is", async () => {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage, { segmentBytes: 400, memoryBytes: 0, graceMs: 60_000 });
  for (let n = 0; n < SEGMENTS; n++) await spool.append([frameOf("many", n, 18), frameOf("few", n, 1)]);
  const [, , third] = await spool.peek("few", ALL);
  spool.ack("few", third?.seq ?? 0);
  expect(payloads((await spool.peek("few", ALL)).map(({ frame }) => frame))).toEqual(fewOf(3, SEGMENTS - 1));
  spool.rewind("few");
  expect(payloads(await drainTable(spool, "few"))).toEqual(fewOf(0, SEGMENTS));
});

test("any damaged byte costs the record that it is in at most, and a lost one is reported", async () => {
  const { storage, spool } = await mixedSpool();
  await spool.close();
  const [, , third = ""] = await segmentNames(storage);
  const whole = storage.content(third);
  const files = new Map<string, Buffer>();
  for (const name of await storage.list()) files.set(name, Buffer.from(storage.content(name)));
  let lostOnce = 0;
  for (let at = 32; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x41;
    const damaged = new MemoryStorage(new Map(files).set(third, bytes));
    const reports: unknown[] = [];
    const again = await openTestSpool(damaged, { onDamage: (report) => reports.push(report) });
    const found = payloads(await drainTable(again, "few"));
    const lost = fewOf(0, SEGMENTS).filter((row) => !found.includes(row));
    if (lost.length > 0) {
      lostOnce += 1;
      expect(lost, `byte ${at}`).toEqual(fewOf(2, 3));
      expect(reports.length, `byte ${at}`).toBeGreaterThan(0);
    }
    expect(found, `byte ${at}`).toEqual(fewOf(0, SEGMENTS).filter((row) => !lost.includes(row)));
    expect(again.pendingOf("few")).toBeUndefined();
  }
  // Its record has a name, an offset and a line behind its header.
  expect(lostOnce).toBeGreaterThan(60);
});

// Protects: the ledger's bound, what it does on a disk that refuses it, and that it says from when on it is complete.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameBuilder } from "../../ingest/encode/frame_builder.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";
import { decodeBlock, encodeBlock, type KeyGroup } from "../../ingest/ledger/block.ts";
import { removeKeyLedger } from "../../ingest/ledger/key_ledger.ts";
import { minuteOf } from "../../ingest/ledger/minute_keys.ts";
import { OpenKeys, tableKeys } from "../../ingest/ledger/open_keys.ts";
import { openLedgerReader } from "../../ingest/ledger/read_ledger.ts";
import type { Storage } from "../../ingest/spool/storage.ts";
import { openInterest } from "../../schema/events/open_interest.ts";
import { keysOf, knownKeys, openWitnessedSpool } from "../support/ledger_fixture.ts";
import { MemoryStorage } from "../support/memory_storage.ts";
import { drainTable, frameOf } from "../support/spool_fixture.ts";

const group = fc.record({
  table: fc.constantFrom("pnl", "orders", "a_table"),
  kind: fc.constant(0),
  minute: fc.nat({ max: 2 ** 31 }),
  keys: fc.array(fc.integer(), { maxLength: 20 }).map((numbers) => new Int32Array([...numbers, ...numbers])),
});

test("a block comes back as it was written, and no other bytes come back as one", () => {
  const FINGERPRINTS: Readonly<Record<string, number>> = { pnl: 1, orders: 2 ** 32 - 1, a_table: 0 };
  fc.assert(
    fc.property(fc.array(group, { maxLength: 6 }), fc.nat(), fc.nat({ max: 255 }), (parts, place, bit) => {
      const groups: KeyGroup[] = parts.map((part) => ({
        ...part,
        fingerprint: FINGERPRINTS[part.table] ?? 0,
      }));
      const header = { fromSeq: 7, toSeq: 2 ** 40, horizonUs: 1_795_255_200_000_000 };
      const bytes = encodeBlock(header, groups);
      expect(decodeBlock(Buffer.concat([Buffer.alloc(3), bytes]), 3)).toEqual({
        ...{ ...header, groups, end: 3 + bytes.length },
      });
      expect(decodeBlock(bytes.subarray(0, -1), 0)).toBeUndefined();
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (bit === 0 ? 1 : bit);
      // Of the flags nothing is said yet; they are covered by the CRC like everything else.
      expect(decodeBlock(bytes, 0)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test("the rows of a frame are counted for the minute of their own ts", () => {
  const builder = new FrameBuilder(openInterest.name, 1, createEncoder("native", openInterest));
  const minute = 29_920_920;
  for (const ts of [minute * 6e7, minute * 6e7 + 59_999_999, (minute + 1) * 6e7, minute * 6e7 - 1]) {
    builder.add({ ts, exchange: "okx", symbol: "BTC", open_interest: 1 }, 0, 1_000);
  }
  const frame = builder.seal();
  if (frame === undefined) throw new Error("no frame");
  const open = new OpenKeys(new Map([[openInterest.name, tableKeys(openInterest)]]));
  open.add(frame);
  const groups = open.take().map(({ minute: of, keys }) => [of, keys.length / 2]);
  expect(groups).toEqual([
    [minute, 2],
    [minute + 1, 1],
    [minute - 1, 1],
  ]);
  expect(minuteOf(0)).toBe(0);
});

/** Appends so many frames of `a`, delivers them, and lets the spool forget. */
async function run(storage: Storage, ledgerStorage: Storage, frames: number, bytesMax = 1 << 20) {
  const witnessed = await openWitnessedSpool(storage, { storage: ledgerStorage, bytesMax, futureMaxS: 0 });
  const { spool, ledger } = witnessed;
  for (let n = 0; n < frames; n++) {
    await spool.append([frameOf("a", n, 1_000)]);
    await drainTable(spool, "a");
    await spool.saveCursor();
  }
  return {
    ...witnessed,
    async stop() {
      await spool.close();
      await ledger.close();
    },
  };
}

async function extentOf(storage: Storage) {
  const { toSeq, completeFromUs, close } = await openLedgerReader(storage);
  await close();
  return { toSeq, completeFromUs };
}

test("beyond its bound the ledger forgets the oldest rows, and says from when on it is complete", async () => {
  const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
  const { ledger, gaps, stop } = await run(disk, ledgerDisk, 60, 200_000);
  expect(ledger.bytes).toBeLessThanOrEqual(200_000);
  expect(ledger.bytes).toBeGreaterThan(100_000);
  await stop();
  expect(await extentOf(ledgerDisk)).toEqual({ toSeq: 60, completeFromUs: 5_000 });
  expect(gaps).toEqual([]);
});

test("a ledger without rows before it is complete from the beginning; one that comes later, from its start on", async () => {
  const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
  await (await run(disk, ledgerDisk, 3)).stop();
  expect(await extentOf(ledgerDisk)).toEqual({ toSeq: 3, completeFromUs: 0 });
  await removeKeyLedger(ledgerDisk);
  expect(await ledgerDisk.list()).toEqual([]);
  const { spool, gaps, stop } = await run(disk, ledgerDisk, 1);
  const { keys } = await knownKeys(ledgerDisk, spool);
  expect([...keys.keys()]).toEqual(keysOf(frameOf("a", 0, 1_000)));
  await stop();
  expect(await extentOf(ledgerDisk)).toEqual({ toSeq: 4, completeFromUs: 5_000 });
  expect(gaps).toEqual([]);
});

test("rows that were stored and deleted without the ledger are a gap, and it says so", async () => {
  const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
  await (await run(disk, ledgerDisk, 2)).stop();
  await (await run(disk, new MemoryStorage(), 2)).stop();
  const { gaps, stop } = await run(disk, ledgerDisk, 1);
  await stop();
  expect(gaps).toEqual(["behind"]);
  expect(await extentOf(ledgerDisk)).toEqual({ toSeq: 5, completeFromUs: 5_000 });
});

test("a disk that is full costs the ledger its history, and never holds a segment back", async () => {
  const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
  const { spool, ledger, gaps, stop } = await run(disk, ledgerDisk, 3);
  ledgerDisk.failWritesWith = "ENOSPC";
  await spool.append([frameOf("a", 9, 1_000)]);
  await drainTable(spool, "a");
  const before = spool.bytes;
  await spool.append([frameOf("a", 10)]);
  await drainTable(spool, "a");
  await spool.saveCursor();
  expect(spool.bytes).toBeLessThan(before);
  expect(gaps).toEqual(["unwritable"]);
  expect(ledger.bytes).toBe(0);
  ledgerDisk.failWritesWith = undefined;
  await spool.append([frameOf("a", 11)]);
  await stop();
  const extent = await extentOf(ledgerDisk);
  expect(extent.completeFromUs).toBe(5_000);
});

test("a ledger that cannot be written holds segments back for a minute, not for ever; nothing is lost if it can again", async () => {
  for (const recovers of [true, false]) {
    const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
    let nowMs = 0;
    const options = { storage: ledgerDisk, monotonicMs: () => nowMs };
    const { spool, ledger, gaps } = await openWitnessedSpool(disk, options);
    ledgerDisk.failWritesWith = "EIO";
    await spool.append([frameOf("a", 1, 1_000)]);
    await drainTable(spool, "a");
    await spool.append([frameOf("b", 2)]);
    await spool.saveCursor();
    const heldBytes = spool.bytes;
    nowMs += 59_000;
    await spool.saveCursor();
    expect(spool.bytes).toBe(heldBytes);
    if (recovers) ledgerDisk.failWritesWith = undefined;
    nowMs += 2_000;
    await spool.saveCursor();
    expect(spool.bytes).toBeLessThan(heldBytes);
    expect(gaps).toEqual(recovers ? [] : ["unwritable"]);
    const { keys } = await knownKeys(ledgerDisk, spool);
    expect(keys.size).toBe(recovers ? 1_002 : 2);
    ledgerDisk.failWritesWith = undefined;
    await spool.close();
    await ledger.close();
  }
});

test("a spool that lost what the ledger has seen gives new records higher numbers", async () => {
  const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
  await (await run(disk, ledgerDisk, 3)).stop();
  // Durability "os" and a power cut: the segments are gone, the ledger had been written out.
  const { spool, ledger, gaps } = await openWitnessedSpool(new MemoryStorage(), { storage: ledgerDisk });
  await spool.append([frameOf("a", 50)]);
  expect(ledger.seq).toBe(4);
  const { keys } = await knownKeys(ledgerDisk, spool);
  expect(keys.size).toBe(3_002);
  expect(gaps).toEqual([]);
  await spool.close();
  await ledger.close();
});

test("a ledger file whose header the disk changed is removed, and what follows from it is said", async () => {
  const [disk, ledgerDisk] = [new MemoryStorage(), new MemoryStorage()];
  await (await run(disk, ledgerDisk, 3)).stop();
  const [name = ""] = await ledgerDisk.list();
  const content = Buffer.from(ledgerDisk.content(name));
  content[10] = (content[10] ?? 0) ^ 1;
  ledgerDisk.replace(name, content);
  await (await run(disk, ledgerDisk, 1)).stop();
  expect(await extentOf(ledgerDisk)).toEqual({ toSeq: 4, completeFromUs: 5_000 });
});

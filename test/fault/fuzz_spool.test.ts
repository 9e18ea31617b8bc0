// Protects the start of the service, and the rows in its spool, from files that are not what was written: whatever a disk
// made of them, the spool opens, hands out nothing but what was stored, and goes on.
import { expect, test } from "vitest";
import type { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { crc32c } from "../../ingest/spool/crc32c.ts";
import type { Frame } from "../../ingest/spool/frame.ts";
import { decodeRecordHeader, RECORD_HEADER_BYTES, recordBytes } from "../../ingest/spool/record.ts";
import { SEGMENT_HEADER_BYTES } from "../../ingest/spool/segment.ts";
import type { Spool } from "../../ingest/spool/spool.ts";
import { fuzz, mustBe } from "../support/fault_fuzz.ts";
import { below, changed, type Mutator, pick } from "../support/fault_mutator.ts";
import { MemoryStorage } from "../support/memory_storage.ts";
import { drainTable, frameOf, openTestSpool } from "../support/spool_fixture.ts";

const TABLES = ["a", "b", "some_table"];

type Files = ReadonlyMap<string, Buffer>;

/** Spools in several states: sealed and not, partly delivered, with and without a cursor that was saved in order. */
async function goldenSpools(): Promise<readonly Files[]> {
  const spools: Files[] = [];
  for (const { frames, acks, close, segmentBytes = 600, few = [] } of [
    { frames: 1, acks: 0, close: false },
    { frames: 9, acks: 2, close: false },
    { frames: 9, acks: 4, close: true },
    { frames: 14, acks: 14, close: true },
    // A table with little in each segment is read in a way of its own.
    { frames: 9, acks: 2, close: true, segmentBytes: 900, few: ["few"] },
  ]) {
    const storage = new MemoryStorage();
    const spool = await openTestSpool(storage, { graceMs: 1_000, segmentBytes });
    for (let n = 0; n < frames; n++) {
      const many = TABLES.map((table) => frameOf(table, n, 4 * few.length + 1 + (n % 4)));
      await spool.append([...many, ...few.map((table) => frameOf(table, n, 1))]);
    }
    for (let n = 0; n < acks; n++) {
      const [head] = await spool.peek("a", { rows: 1, bytes: 1 });
      if (head !== undefined) spool.ack("a", head.seq);
      if (n % 2 === 0) await spool.saveCursor();
    }
    if (close) await spool.close();
    const names = await storage.list();
    spools.push(new Map(names.map((name) => [name, storage.content(name)])));
  }
  return spools;
}

/** Everything of a frame that must be as it was stored. */
function textOf(frame: Frame): string {
  const { table, fingerprint, rowCount, rowOffsets, payload, minTs, maxTs, acceptedUs } = frame;
  return JSON.stringify([
    table,
    fingerprint,
    rowCount,
    [...rowOffsets],
    payload.toString("latin1"),
    minTs,
    maxTs,
    acceptedUs,
  ]);
}

/** Some files of the spool changed, one at least. */
function damaged(files: Files, mutator: Mutator, random: RandomStream): Map<string, Buffer> {
  const names = [...files.keys()];
  const certain = pick(names, random);
  return new Map(
    [...files].map(([name, bytes]) => {
      if (name !== certain && random.next() < 0.7) return [name, bytes];
      // The middle of a slot is empty: changes go where something is.
      if (name === "cursor") return [name, damagedCursor(bytes, mutator, random)];
      return [name, changed(bytes, mutator, random)];
    }),
  );
}

function damagedCursor(bytes: Buffer, mutator: Mutator, random: RandomStream): Buffer {
  const slot = below(random, 2) * 65_536;
  const head = changed(bytes.subarray(slot, slot + 120), mutator, random);
  const tail = bytes.subarray(slot + (random.next() < 0.9 ? head.length : below(random, 65_536)));
  return Buffer.concat([bytes.subarray(0, slot), head, tail]).subarray(0, 140_000);
}

/** Gives changed structures a sum that is right: what only a mistake in a program would write. */
function signed(files: Map<string, Buffer>): void {
  for (const [name, bytes] of files) {
    if (name === "cursor") {
      for (let slot = 0; slot + 65_536 <= bytes.length; slot += 65_536) sign(bytes, slot, slot + 65_532);
      continue;
    }
    if (bytes.length >= SEGMENT_HEADER_BYTES) sign(bytes, 0, SEGMENT_HEADER_BYTES - 4);
    for (
      let at = bytes.indexOf("TWRC");
      at >= 0 && at + RECORD_HEADER_BYTES <= bytes.length;
      at = bytes.indexOf("TWRC", at + 1)
    ) {
      sign(bytes, at, at + 60);
      const header = decodeRecordHeader(bytes, at);
      const end = at + (header === undefined ? bytes.length : recordBytes(header));
      if (end > bytes.length) continue;
      bytes.writeUInt32LE(crc32c(bytes.subarray(at + RECORD_HEADER_BYTES, end)), at + 28);
      sign(bytes, at, at + 60);
    }
    const footer = bytes.lastIndexOf("TWFT");
    if (footer < 0 || bytes.length - footer < 16) continue;
    bytes.writeUInt32LE(bytes.length - footer, bytes.length - 8);
    sign(bytes, footer, bytes.length - 4);
  }
}

function sign(bytes: Buffer, from: number, to: number): void {
  bytes.writeUInt32LE(crc32c(bytes.subarray(from, to)), to);
}

async function handedOut(spool: Spool): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (const { table } of spool.pending()) frames.push(...(await drainTable(spool, table)));
  return frames;
}

const WORDS = [
  "TWSEG\0",
  "TWRC",
  "TWFT",
  "TWCU",
  Buffer.alloc(4, 0xff),
  Buffer.alloc(64),
  "\x01\x00",
  "\xff\xff",
];

test("mutated files cost what they change and nothing else: what comes out was stored, and more can be", {
  timeout: 3_600_000,
}, async () => {
  const goldens = await goldenSpools();
  const known = new Set<string>();
  for (const files of goldens) {
    const storage = new MemoryStorage(new Map([...files].filter(([name]) => name !== "cursor")));
    for (const frame of await handedOut(await openTestSpool(storage))) known.add(textOf(frame));
  }
  expect(known.size).toBeGreaterThan(30);
  const corpus = goldens.flatMap((files) =>
    [...files].filter(([name]) => name !== "cursor").map(([, bytes]) => bytes),
  );
  const mutator: Mutator = { corpus, words: WORDS };

  await fuzz("spool files", 1, async ({ random, show }) => {
    const files = damaged(pick(goldens, random) ?? new Map(), mutator, random);
    const isSigned = random.next() < 0.15;
    for (const [name, bytes] of files) files.set(name, Buffer.from(bytes));
    if (isSigned) signed(files);
    for (const [name, bytes] of files) show(name, bytes);
    const storage = new MemoryStorage(files);
    const spool = await openTestSpool(storage, { graceMs: 1_000 });
    const frames = await handedOut(spool);
    if (!isSigned)
      mustBe(
        frames.map(textOf).filter((text) => !known.has(text)),
        [],
      );
    const next = frameOf("later", 1);
    await spool.append([next]);
    mustBe((await drainTable(spool, "later")).map(textOf), [textOf(next)]);
    await spool.saveCursor();
    if (random.next() > 0.1) return;
    // Once more, after a kill: nothing is found that was not before.
    const again = await openTestSpool(storage.afterCut("none"), { graceMs: 1_000 });
    const seen = new Set([...frames, next].map(textOf));
    mustBe(
      (await handedOut(again)).map(textOf).filter((text) => !seen.has(text)),
      [],
    );
  });
});

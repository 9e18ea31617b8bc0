// Protects spools on disks out there: a file of an earlier build is read to the same rows, and what is written today is
// what was written then, byte by byte. Whoever changes the format on purpose gives it a new version, keeps the old
// fixtures for the reader, and adds new ones: vitest writes those that are missing.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeLine } from "../../ingest/encode/decode.ts";
import { crc32c } from "../../ingest/spool/crc32c.ts";
import { rowBytes } from "../../ingest/spool/frame.ts";
import type { Spool } from "../../ingest/spool/spool.ts";
import { fillGoldenSpool, GOLDEN_ROWS, goldenFrames, openGoldenSpool } from "../support/golden_spool.ts";
import { bytesOfHex, hexText } from "../support/hex_text.ts";
import { MemoryStorage } from "../support/memory_storage.ts";
import { drainTable } from "../support/spool_fixture.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/spool");
const SEGMENT = "0000000000000001.segment";
const SLOT_BYTES = 65_536;

/** Every fixture: what it is, and how it follows from the files of today's writer. */
const FIXTURES = {
  sealed: {
    words: "A sealed segment: header, three records of two tables, footer.",
    bytes: (files: Files) => files.segment,
  },
  unsealed: {
    words: "The same without its footer, as a kill leaves it.",
    bytes: ({ segment }: Files) => withoutFooter(segment),
  },
  torn_body: {
    words: "The last record is cut short in its rows.",
    bytes: ({ segment }: Files) => withoutFooter(segment).subarray(0, -9),
  },
  torn_head: {
    words: "The last record is cut short in its header.",
    bytes: ({ segment }: Files) => withoutFooter(segment).subarray(0, lastRecordAt(segment) + 33),
  },
  torn_zeros: {
    words: "Behind the records the disk has zeros that were never written.",
    bytes: ({ segment }: Files) => Buffer.concat([withoutFooter(segment), Buffer.alloc(4_000)]),
  },
  flipped_body: {
    words: "One bit of the second record's row is another.",
    bytes: ({ segment }: Files) => flipped(withoutFooter(segment), segment.indexOf("binance")),
  },
  flipped_header: {
    words: "One bit of the second record's row count is another.",
    bytes: ({ segment }: Files) => flipped(withoutFooter(segment), secondRecordAt(segment) + 20),
  },
  flipped_footer: {
    words: "One bit of the footer is another: the segment is read instead.",
    bytes: ({ segment }: Files) => flipped(segment, segment.length - 20),
  },
  lying_footer: {
    words: "The footer has a right sum and a wrong length: no disk does that, a mistake in a program might.",
    bytes: ({ segment }: Files) => lyingFooter(segment),
  },
  cursor: {
    words:
      "Both slots of a cursor: generation 2 of an ordered stop in the first, generation 1, saved while running, in the other.",
    bytes: (files: Files) => files.cursor,
  },
  cursor_torn: {
    words: "The newer slot is half written: the older one holds.",
    bytes: ({ cursor }: Files) =>
      Buffer.concat([cursor.subarray(0, 40), Buffer.alloc(SLOT_BYTES - 40), cursor.subarray(SLOT_BYTES)]),
  },
} as const;

type FixtureName = keyof typeof FIXTURES;

interface Files {
  readonly segment: Buffer;
  readonly cursor: Buffer;
}

async function writtenToday(): Promise<Files> {
  const storage = new MemoryStorage();
  await fillGoldenSpool(storage);
  return { segment: storage.content(SEGMENT), cursor: storage.content("cursor") };
}

async function fixture(name: FixtureName): Promise<Buffer> {
  return bytesOfHex(await readFile(join(FOLDER, `${name}.hex`), "utf8"));
}

function withoutFooter(segment: Buffer): Buffer {
  return segment.subarray(0, segment.length - segment.readUInt32LE(segment.length - 8));
}

function secondRecordAt(segment: Buffer): number {
  return segment.indexOf("TWRC", segment.indexOf("TWRC") + 1);
}

function lastRecordAt(segment: Buffer): number {
  return segment.lastIndexOf("TWRC");
}

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (bytes[at] ?? 0) ^ 0x04;
  return changed;
}

function lyingFooter(segment: Buffer): Buffer {
  const changed = Buffer.from(segment);
  const footer = segment.lastIndexOf("TWFT");
  changed.writeUInt16LE(60_000, footer + 8);
  changed.writeUInt32LE(crc32c(changed.subarray(footer, changed.length - 4)), changed.length - 4);
  return changed;
}

/** Opens a spool with this segment, this cursor, or both. */
function opened({ segment, cursor }: Partial<Files>): Promise<Spool> {
  const files = new Map<string, Buffer>();
  if (segment !== undefined) files.set(SEGMENT, segment);
  if (cursor !== undefined) files.set("cursor", cursor);
  return openGoldenSpool(new MemoryStorage(files));
}

/** All undelivered rows, by frame, in the order of acceptance. */
async function rowsOf(spool: Spool): Promise<unknown[]> {
  const frames = await Promise.all(["orders", "connectivity"].map((table) => drainTable(spool, table)));
  return frames
    .flat()
    .sort((a, b) => a.acceptedUs - b.acceptedUs)
    .map((frame) =>
      Array.from({ length: frame.rowCount }, (_, index) => {
        const decoded = decodeLine(rowBytes(frame, index));
        return decoded?.table === frame.table ? decoded.row : undefined;
      }),
    );
}

const NAMES = Object.keys(FIXTURES) as FixtureName[];

test.each(NAMES)("%s: today's writer writes the bytes of the fixture", async (name) => {
  const { words, bytes } = FIXTURES[name];
  const text = hexText(words, bytes(await writtenToday()));
  await expect(text).toMatchFileSnapshot(join(FOLDER, `${name}.hex`));
});

test("a byte that is another is seen", async () => {
  const text = await readFile(join(FOLDER, "sealed.hex"), "utf8");
  const bytes = await fixture("sealed");
  expect(hexText(FIXTURES.sealed.words, bytes)).toBe(text);
  for (const at of [0, 100, bytes.length - 1]) {
    expect(hexText(FIXTURES.sealed.words, flipped(bytes, at))).not.toBe(text);
  }
});

describe("today's reader", () => {
  const [first = [], second = [], third = []] = GOLDEN_ROWS;
  test.each<[FixtureName, readonly unknown[], object]>([
    ["sealed", GOLDEN_ROWS, { tornBytes: 0, damaged: [], nextSeq: 4, nextSegmentId: 2 }],
    ["unsealed", GOLDEN_ROWS, { tornBytes: 0, damaged: [], nextSeq: 4 }],
    ["torn_body", [first, second], { doubtfulRows: 0, damaged: [], nextSeq: 3 }],
    ["torn_head", [first, second], { tornBytes: 33, doubtfulRows: 0, damaged: [] }],
    ["torn_zeros", GOLDEN_ROWS, { tornBytes: 4_000, doubtfulRows: 0, damaged: [] }],
    ["flipped_body", [first, third], { tornBytes: 0, damaged: [{ segment: SEGMENT, rows: 1 }] }],
    ["flipped_header", [first, third], { tornBytes: 0, damaged: [{ segment: SEGMENT, rows: undefined }] }],
    ["flipped_footer", GOLDEN_ROWS, { damaged: [] }],
    ["lying_footer", GOLDEN_ROWS, { damaged: [] }],
  ])("%s: reads the segment to its rows", async (name, rows, recovery) => {
    const spool = await opened({ segment: await fixture(name) });
    expect(spool.recovery).toMatchObject(recovery);
    expect(await rowsOf(spool)).toEqual(rows);
  });

  test("a frame comes back with everything that is known about it", async () => {
    const spool = await opened({ segment: await fixture("sealed") });
    const [frame] = await drainTable(spool, "orders");
    expect(frame).toEqual(goldenFrames()[0]);
  });

  test.each<[FixtureName, readonly unknown[], readonly unknown[]]>([
    // In order: nothing is sent again. While running: what is in its grace time is.
    ["cursor", [third], [third]],
    ["cursor_torn", [first, second, third], [second, third]],
  ])(
    "%s: knows from the cursor what is delivered, and what is sent again",
    async (name, due, undelivered) => {
      const files = { segment: await fixture("sealed"), cursor: await fixture(name) };
      const spool = await opened(files);
      const isNew = (table: string, seq: number) => seq > spool.deliveredSeq(table);
      expect([isNew("orders", 1), isNew("connectivity", 2), isNew("orders", 3)]).toEqual([
        false,
        undelivered.includes(second),
        true,
      ]);
      expect(await rowsOf(spool)).toEqual(due);
    },
  );
});

// Protects: memory of frames that is used again never changes a row that is still needed, and none of it gets lost.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FRAME_BUFFER_BYTES, FrameBuffers } from "../../ingest/encode/frame_buffers.ts";
import type { QueuedFrame } from "../../ingest/spool/table_queue.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { openTestIntake, type TestIntake } from "../support/test_intake.ts";

const TABLES = ["open_interest", "funding_rates"] as const;
type Table = (typeof TABLES)[number];

/** Whatever is given back is overwritten at once: who still reads it reads nonsense. */
class OverwrittenBuffers extends FrameBuffers {
  override give(buffer: Buffer): void {
    Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length).fill(0xff);
    super.give(buffer);
  }
}

const key = { exchange: "okx", symbol: "BTC/USDT:USDT" };
const INPUT: Readonly<Record<Table, (n: number) => unknown>> = {
  open_interest: (n: number) => ({ ts: NOON_US - 1e9 + n, ...key, open_interest: n }),
  funding_rates: (n: number) => ({ ts: NOON_US - 1e9 + n, ...key, funding_rate: n }),
};

/** The numbers of the rows in a frame. */
function numbersIn(frames: readonly QueuedFrame[]): number[] {
  const text = frames.map(({ frame }) => frame.payload.toString("latin1")).join("");
  return [...text.matchAll(/ (\d{16})t\n/g)].map((match) => Number(match[1]) - NOON_US + 1e9);
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Numbered rows into the writer, and the numbers of those that are to come out. */
class Tables {
  readonly #test: TestIntake;
  readonly #due = new Map<Table, number[]>(TABLES.map((table) => [table, []]));
  #next = 0;

  constructor(test: TestIntake) {
    this.#test = test;
  }

  async push(table: Table, rows: number): Promise<void> {
    const from = this.#next;
    this.#next += rows;
    await this.#test.intake.accept(table, range(from, from + rows).map(INPUT[table]));
    this.#due.get(table)?.push(...range(from, from + rows));
  }

  /** The next request of a table; `meanwhile` happens before its rows are read and acknowledged. */
  async deliver(table: Table, meanwhile: () => Promise<void>): Promise<void> {
    const frames = await this.#test.spool.peek(table, { rows: 9_000, bytes: 1 << 20 });
    await meanwhile();
    const numbers = numbersIn(frames);
    expect(numbers).toEqual(this.#due.get(table)?.splice(0, numbers.length));
    const last = frames.at(-1);
    if (last !== undefined) this.#test.spool.ack(table, last.seq);
  }

  get isEmpty(): boolean {
    return this.#test.spool.pending().length === 0;
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant("push" as const),
    table: fc.constantFrom(...TABLES),
    rows: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12_000 })),
  }),
  fc.record({ kind: fc.constant("deliver" as const), table: fc.constantFrom(...TABLES) }),
  fc.record({ kind: fc.constant("refused" as const), table: fc.constantFrom(...TABLES) }),
  fc.record({ kind: fc.constant("rewind" as const), table: fc.constantFrom(...TABLES) }),
);

test("every row is delivered as it was accepted, in order, while all memory given back is overwritten", {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 15 }),
      fc.integer({ min: 0, max: 3 << 20 }),
      async (steps, memoryBytes) => {
        const memory = new OverwrittenBuffers();
        const t = await openTestIntake({ memory, memoryBytes, segmentBytes: 2 << 20 });
        const tables = new Tables(t);
        for (const { table, ...next } of steps) {
          if (next.kind === "push") await tables.push(table, next.rows);
          else if (next.kind === "rewind") t.spool.rewind(table);
          else if (next.kind === "deliver") await tables.deliver(table, () => tables.push(table, 3_000));
          else {
            t.storage.failWritesWith = "ENOSPC";
            await expect(t.intake.accept(table, [INPUT[table](0)])).rejects.toThrow();
            t.storage.failWritesWith = undefined;
          }
        }
        while (!tables.isEmpty)
          for (const table of TABLES) await tables.deliver(table, () => Promise.resolve());
        // Neither a frame that was delivered nor one that is being built keeps any.
        expect(memory.lent).toBe(0);
      },
    ),
    { numRuns: 25 },
  );
});

test("memory is given back before it is sent again from disk", async () => {
  const memory = new OverwrittenBuffers();
  const t = await openTestIntake({ memory, memoryBytes: 8 << 20, segmentBytes: 2 << 20, graceMs: 60_000 });
  await t.intake.accept("open_interest", range(0, 9_000).map(INPUT.open_interest));
  const [first] = await t.spool.peek("open_interest", { rows: 1, bytes: 1 });
  expect(first).toBeDefined();
  t.spool.ack("open_interest", first?.seq ?? 0);
  t.spool.rewind("open_interest");
  expect(memory.lent).toBe(0);
  const again = await t.spool.peek("open_interest", { rows: 9_000, bytes: 8 << 20 });
  expect(numbersIn(again)).toEqual(range(0, 9_000));
});

test("memory is lent to one at a time, and foreign memory is left alone", () => {
  const memory = new FrameBuffers();
  const buffers = Array.from({ length: 200 }, () => memory.take(100_000));
  const lent = memory.lent;
  expect(lent).toBeGreaterThan(100);
  expect(lent).toBeLessThan(200);
  for (const [index, buffer] of buffers.entries()) buffer.fill(index);
  for (const [index, buffer] of buffers.entries()) expect(buffer.every((byte) => byte === index)).toBe(true);
  for (const buffer of buffers) {
    memory.give(buffer.subarray(5, 10));
    memory.give(buffer);
  }
  memory.give(Buffer.allocUnsafeSlow(FRAME_BUFFER_BYTES));
  memory.give(memory.take(100));
  expect(memory.lent).toBe(0);
  expect(new Set(Array.from({ length: lent }, () => memory.take(100_000).byteOffset)).size).toBe(lent);
});

test("memory that nobody needs is let go, and that of a frame is not", () => {
  const memory = new FrameBuffers();
  const first = memory.take(100_000);
  const slab = first.buffer;
  for (let time = 0; time < 3; time++) memory.trim();
  expect(memory.take(100_000).buffer).toBe(slab);
  memory.give(first);
  memory.give(Buffer.from(slab, FRAME_BUFFER_BYTES, 1));
  expect(memory.lent).toBe(0);
  memory.trim();
  const again = memory.take(100_000);
  expect(again.buffer).toBe(slab);
  memory.give(again);
  memory.trim();
  memory.trim();
  expect(memory.take(100_000).buffer).not.toBe(slab);
});

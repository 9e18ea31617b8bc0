// Protects: two requests of a table go at once only when no row of one can replace a row of the other.
import { expect, test } from "vitest";
import { batchOf } from "../../ingest/deliver/batch.ts";
import { pairOf } from "../../ingest/deliver/pair.ts";
import type { Frame } from "../../ingest/spool/frame.ts";

const LIMITS = { rows: 50_000, bytes: 16_000_000 };

function frame(rowCount: number, minTs: number, maxTs: number, bytes = rowCount): Frame {
  const rowOffsets = new Uint32Array(rowCount);
  const payload = Buffer.alloc(bytes);
  return { table: "t", fingerprint: 1, rowCount, rowOffsets, payload, minTs, maxTs, acceptedUs: minTs };
}

/** Rows of both halves. */
function cut(frames: readonly Frame[], limits = LIMITS): readonly number[] | undefined {
  const pair = pairOf(batchOf(frames), limits);
  return pair && [pair.first.rows, pair.second.rows];
}

test("a batch is cut before its middle when times rise from frame to frame", () => {
  const frames = Array.from({ length: 8 }, (_, n) => frame(10_000, 100 * n, 100 * n + 99));
  expect(cut(frames)).toEqual([30_000, 50_000]);
  const pair = pairOf(batchOf(frames), LIMITS);
  expect(pair?.first.parts).toEqual(frames.slice(0, 3));
  expect(pair?.second.parts).toEqual(frames.slice(3));
  expect(pair?.second.oldestAcceptedUs).toBe(300);
});

test("never where a time stands on both sides, however far apart the frames are", () => {
  const rising = Array.from({ length: 6 }, (_, n) => frame(10_000, 100 * n, 100 * n + 99));
  const touching = rising.map((one, n) => (n === 2 ? { ...one, minTs: 199 } : one));
  expect(cut(touching)).toEqual([30_000, 30_000]);
  expect(cut(rising.map((one, n) => (n === 5 ? { ...one, minTs: 0 } : one)))).toBeUndefined();
  expect(cut(rising.map((one, n) => (n === 0 ? { ...one, maxTs: 599 } : one)))).toBeUndefined();
  expect(cut([...rising].reverse())).toBeUndefined();
});

test("both halves are worth a request and fit into one", () => {
  const rising = (rows: readonly number[], bytes?: number) =>
    rows.map((count, n) => frame(count, 100 * n, 100 * n + 99, bytes));
  expect(cut(rising([9_999, 9_999]))).toBeUndefined();
  expect(cut(rising([45_000, 45_000, 5_000]))).toEqual([45_000, 50_000]);
  expect(cut(rising([45_000, 45_000, 6_000]))).toBeUndefined();
  expect(cut(rising([12_000, 20_000, 20_000]))).toEqual([12_000, 40_000]);
  expect(cut(rising([20_000, 20_000], 9_000_000), { ...LIMITS, bytes: 8_999_999 })).toBeUndefined();
  expect(cut([])).toBeUndefined();
});

// Protects: the commit budget, turns between backlogs, and live rows beside them.
import { expect, test } from "vitest";
import { type Moment, scheduleOf } from "../../ingest/deliver/schedule.ts";
import { TableLane } from "../../ingest/deliver/table_lane.ts";

interface Shape {
  readonly sinceMs?: number;
  readonly rows?: number;
  readonly sending?: boolean;
  readonly attempts?: number;
  readonly notBeforeMs?: number;
  readonly idleMs?: number;
}

const FULL_ROWS = 100;
const NOW_MS = 100_000;

/** Names of the due tables in their order, and how long until the next one. */
function scheduled(shapes: Readonly<Record<string, Shape>>, moment: Partial<Moment> = {}) {
  const rows = new Map(Object.entries(shapes).map(([table, shape]) => [table, shape.rows ?? 1]));
  const lanes = Object.entries(shapes).map(([table, shape]) => {
    const lane = new TableLane(table);
    lane.waitingSinceMs = shape.sinceMs;
    lane.lastAppendMs = NOW_MS - (shape.idleMs ?? 0);
    lane.isSending = shape.sending ?? false;
    lane.attempts = shape.attempts ?? 0;
    lane.notBeforeMs = shape.notBeforeMs ?? 0;
    return lane;
  });
  const { due, nextMs } = scheduleOf(lanes, {
    ...{ nowMs: NOW_MS, notBeforeMs: 0, draining: false },
    linger: { commitsPerSecond: 100, minMs: 10, maxMs: 800 },
    isFull: (lane) => (rows.get(lane.table) ?? 0) >= FULL_ROWS,
    ...moment,
  });
  return { due: due.map(({ table }) => table), inMs: nextMs - NOW_MS };
}

test("rows wait for the linger of as many tables as are active, and then go in the order of their arrival", () => {
  const active = { b: { sinceMs: NOW_MS - 31 }, a: { sinceMs: NOW_MS - 40 }, c: { sinceMs: NOW_MS - 5 } };
  expect(scheduled(active)).toEqual({ due: ["a", "b"], inMs: 25 });
  const resting = { ...active, d: { idleMs: 10_001 }, e: { idleMs: 9_000 } };
  expect(scheduled(resting)).toEqual({ due: ["a"], inMs: 9 });
});

test("a full request goes at once, but after live rows of other tables that are due", () => {
  const shapes = {
    backlog: { sinceMs: NOW_MS - 5_000, rows: FULL_ROWS },
    fresh: { sinceMs: NOW_MS, rows: FULL_ROWS },
    live: { sinceMs: NOW_MS - 31 },
  };
  expect(scheduled(shapes)).toEqual({ due: ["live", "backlog", "fresh"], inMs: Number.POSITIVE_INFINITY });
});

test("a table with a request under way waits for its end, one that failed does not linger", () => {
  const shapes = { busy: { sinceMs: 0, sending: true }, failed: { sinceMs: NOW_MS, attempts: 1 } };
  expect(scheduled(shapes)).toEqual({ due: ["failed"], inMs: Number.POSITIVE_INFINITY });
});

test("nobody is sent to before its time, or before the server's", () => {
  const shapes = { a: { sinceMs: 0, notBeforeMs: NOW_MS + 70 }, b: { sinceMs: 0 } };
  expect(scheduled(shapes)).toEqual({ due: ["b"], inMs: 70 });
  expect(scheduled(shapes, { notBeforeMs: NOW_MS + 90 })).toEqual({ due: [], inMs: 90 });
});

test("at a stop nothing lingers", () => {
  expect(scheduled({ a: { sinceMs: NOW_MS } }, { draining: true }).due).toEqual(["a"]);
});

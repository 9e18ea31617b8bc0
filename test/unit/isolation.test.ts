// Protects: no good row is ever given up, every bad one is found, and a server in trouble costs no row at all.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterRefusal,
  afterSilence,
  afterSuccess,
  type Isolation,
  NO_ISOLATION,
} from "../../ingest/deliver/isolation.ts";
import type { Failure } from "../../ingest/deliver/outcome.ts";

/** How a server answers a request of these rows. */
type Server = (rows: readonly number[]) => Failure | undefined;

/** Plays the delivery of `rows` against a server until all are settled or it only waits. */
function deliver(rows: readonly number[], server: Server) {
  const stored: number[] = [];
  const deadLettered: number[] = [];
  let queue = [...rows];
  let state: Isolation = NO_ISOLATION;
  let requests = 0;
  let waits = 0;
  while (queue.length > 0 && waits < 200 && requests < 20_000) {
    requests += 1;
    const skip = state.mode === "witness" ? Math.min(state.offset, queue.length - 1) : 0;
    const batch = queue.slice(skip, skip + Math.min(state.limitRows, queue.length));
    const failure = server(batch);
    const step =
      failure === undefined
        ? afterSuccess(state)
        : afterRefusal(state, failure, batch.length, queue.length - 1);
    if (failure === undefined && step.action === "advance") {
      stored.push(...batch);
      queue = queue.slice(batch.length);
    }
    if (step.action === "dead_letter") {
      deadLettered.push(...queue.slice(0, 1));
      queue = queue.slice(1);
    }
    if (step.action === "wait") waits += 1;
    state = step.next;
  }
  return { stored, deadLettered, left: queue, requests, waits };
}

const namesTheLine =
  (bad: ReadonlySet<number>): Server =>
  (rows) => {
    const index = rows.findIndex((row) => bad.has(row));
    return index === -1 ? undefined : { kind: "row_refused", line: index + 1, message: "bad" };
  };

const answers500 =
  (bad: ReadonlySet<number>): Server =>
  (rows) =>
    rows.some((row) => bad.has(row)) ? { kind: "server_error", status: 500, message: "oops" } : undefined;

const rowsAndBad = fc
  .integer({ min: 1, max: 300 })
  .chain((count) =>
    fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat({ max: count - 1 }), { maxLength: 12 })),
  );

test("with the line named, exactly the bad rows are given up, wherever they are", () => {
  fc.assert(
    fc.property(rowsAndBad, ([count, bad]) => {
      const rows = Array.from({ length: count }, (_, i) => i);
      const result = deliver(rows, namesTheLine(new Set(bad)));
      expect(result.deadLettered).toEqual([...bad].sort((a, b) => a - b));
      expect(result.stored).toEqual(rows.filter((row) => !bad.includes(row)));
    }),
  );
});

test("with nothing named, a bad row with a good one behind it is found and the good ones are stored", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), (count, pick) => {
      const bad = pick % (count - 1);
      const rows = Array.from({ length: count }, (_, i) => i);
      const result = deliver(rows, answers500(new Set([bad])));
      expect(result.deadLettered).toEqual([bad]);
      expect(result.stored).toEqual(rows.filter((row) => row !== bad));
    }),
  );
});

test("a server that refuses everything costs no row, however long it goes on", () => {
  const rows = Array.from({ length: 100 }, (_, i) => i);
  const result = deliver(rows, () => ({ kind: "server_error", status: 500, message: "disk full" }));
  expect(result.deadLettered).toEqual([]);
  expect(result.left).toEqual(rows);
});

test("a server that comes back between two requests costs no row, whenever it does", () => {
  const rows = Array.from({ length: 20 }, (_, i) => i);
  for (let refusedRequests = 0; refusedRequests < 60; refusedRequests++) {
    let left = refusedRequests;
    const result = deliver(rows, () =>
      left-- > 0 ? { kind: "server_error", status: 500, message: "starting" } : undefined,
    );
    expect(result, `back after ${refusedRequests} requests`).toMatchObject({
      deadLettered: [],
      stored: rows,
    });
  }
});

test("something that answers 413 to everything costs no row, whenever it stops", () => {
  const rows = Array.from({ length: 20 }, (_, i) => i);
  for (let refusedRequests = 0; refusedRequests < 60; refusedRequests++) {
    let left = refusedRequests;
    const result = deliver(rows, () =>
      left-- > 0 ? { kind: "request_refused", status: 413, message: "too large" } : undefined,
    );
    expect(result, `back after ${refusedRequests} requests`).toMatchObject({
      deadLettered: [],
      stored: rows,
    });
  }
});

test("bad rows side by side are found too, when a good one is somewhere behind them", () => {
  const rows = Array.from({ length: 40 }, (_, i) => i);
  const result = deliver(rows, answers500(new Set([3, 4, 5, 6, 7])));
  expect(result.deadLettered).toEqual([3, 4, 5, 6, 7]);
  expect(result.stored).toEqual(rows.filter((row) => row < 3 || row > 7));
});

test("after an attempt without an answer no more than its rows are sent, then fewer and fewer, then slowly more", () => {
  const first = afterSilence(NO_ISOLATION, 1000);
  expect(first.limitRows).toBe(1000);
  const second = afterSilence(first, 1000);
  expect(second.limitRows).toBe(500);
  expect(afterSilence(afterSilence(second, 500), 250).limitRows).toBe(125);
  const better = afterSuccess(second).next;
  expect(better.limitRows).toBeGreaterThan(500);
  expect(better.limitRows).toBeLessThan(700);
  let state = second;
  for (let i = 0; i < 60; i++) state = afterSuccess(state).next;
  expect(state).toEqual(NO_ISOLATION);
});

test("a lone suspected row waits for another to be compared with", () => {
  const result = deliver([1], answers500(new Set([1])));
  expect(result.deadLettered).toEqual([]);
  expect(result.left).toEqual([1]);
});

test("a row that is too large by itself is given up, the others of its request are stored", () => {
  const tooLarge: Server = (rows) =>
    rows.includes(7) || rows.length > 50
      ? { kind: "request_refused", status: 413, message: "too large" }
      : undefined;
  const rows = Array.from({ length: 120 }, (_, i) => i);
  const result = deliver(rows, tooLarge);
  expect(result.deadLettered).toEqual([7]);
  expect(result.stored).toEqual(rows.filter((row) => row !== 7));
});

test("many bad rows take a few requests each, not one per row of the frame", () => {
  const bad = new Set([5, 90, 91, 92, 200]);
  const rows = Array.from({ length: 1000 }, (_, i) => i);
  expect(deliver(rows, namesTheLine(bad)).requests).toBeLessThan(40);
});

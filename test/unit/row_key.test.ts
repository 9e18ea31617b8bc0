// Protects: a row has the same key whether it is encoded, read from an encoded line or asked for by a query, and
// different rows have different keys.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { keyColumns } from "../../ingest/encode/key_hash.ts";
import { lineKeyReader } from "../../ingest/encode/line_key.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";
import { keyWriter } from "../../ingest/encode/value_key.ts";
import * as columns from "../../schema/columns.ts";
import { type AnyRow, defineEvent } from "../../schema/define.ts";
import { EVENTS, findEvent } from "../../schema/registry.ts";
import { arbitraryRow } from "../support/arbitrary_rows.ts";

const everyKey = defineEvent({
  name: "every_key",
  why: "all column types as keys, for tests",
  sampling: "never",
  keys: ["a", "flag", "number", "count", "note", "id", "at"],
  columns: {
    flag: columns.boolean(""),
    a: columns.symbol(""),
    number: columns.double(""),
    count: columns.long(""),
    b: columns.optional(columns.symbol("")),
    note: columns.varchar(""),
    other: columns.optional(columns.varchar("")),
    id: columns.uuid(""),
    at: columns.timestamp(""),
  },
});

describe.each([everyKey, ...EVENTS].map((event) => [event.name, event] as const))("%s", (_, event) => {
  const encode = createEncoder("native", event);
  const readLine = lineKeyReader(keyColumns(event));
  const writeKey = keyWriter(event);

  test("encoder, line and values give the same key, and the line its ts", () => {
    fc.assert(
      fc.property(fc.array(arbitraryRow(event), { minLength: 1, maxLength: 4 }), (rows) => {
        const out = new ByteBuffer(64);
        for (const row of rows) {
          const from = out.length;
          const [encoded, read, asked] = [new Int32Array(2), new Int32Array(2), new Int32Array(2)];
          encode(row, out, encoded, 0);
          expect(readLine(out.bytes, out.view, from, out.length, read, 0)).toBe(row.ts);
          writeKey(row, asked, 0);
          expect([...read, ...asked]).toEqual([...encoded, ...encoded]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a line that is cut short has no key", () => {
    fc.assert(
      fc.property(arbitraryRow(event), fc.double({ min: 0, max: 0.999, noNaN: true }), (row, share) => {
        const out = new ByteBuffer(64);
        encode(row, out, new Int32Array(2), 0);
        const to = Math.floor(out.length * share);
        expect(readLine(out.bytes, out.view, 0, to, new Int32Array(2), 0)).toBeNaN();
      }),
      { numRuns: 50 },
    );
  });
});

const START_US = Date.UTC(2026, 7, 1) * 1000;
const EXCHANGES = ["okx", "bybit", "gate", "bitget", "binanceusdm"];

/** Rows as they come: ids and times that differ in one digit. */
const LIKE_REAL: readonly (readonly [string, (index: number) => AnyRow])[] = [
  [
    "open_interest",
    (i) => ({
      ts: START_US + Math.floor(i / 250) * 6e7,
      exchange: EXCHANGES[i % 5],
      symbol: `C${Math.floor(i / 5) % 50}`,
    }),
  ],
  [
    "orders",
    (i) => ({ ts: START_US + (i >> 3), account: "a", exchange: "okx", order_id: `o-${i >> 2}`, seq: i & 3 }),
  ],
  [
    "fetches",
    (i) => ({
      ...{ ts: START_US, exchange: "okx", dataset: "open_interest", method: "fetchOpenInterest" },
      fetch_id: `3f2504e0-4f89-41d3-9a0c-${i.toString(16).padStart(12, "0")}`,
    }),
  ],
];

test.each(LIKE_REAL)(
  "100,000 rows of %s that differ little have as few keys in common as chance gives",
  (table, rowOf) => {
    const rows = 100_000;
    const event = findEvent(table);
    if (event === undefined) throw new Error(table);
    const writeKey = keyWriter(event);
    const keys = new Int32Array(2 * rows);
    for (let i = 0; i < rows; i++) writeKey(rowOf(i), keys, 2 * i);
    // Each half alone, where chance gives n²/2³³ = 1.2 pairs: a weak half shows long before the whole does.
    for (const half of [0, 1]) {
      const distinct = new Set(keys.filter((_, at) => at % 2 === half));
      expect(rows - distinct.size).toBeLessThan(12);
    }
  },
);

test("a UUID has one key in upper and lower case, and every other text two", () => {
  const id = "3F2504E0-4F89-41D3-9A0C-0305E82C3301";
  const keyOf = (row: Record<string, unknown>) => {
    const key = new Int32Array(2);
    keyWriter(everyKey)(
      { ts: 1, a: "x", flag: true, number: 1, count: 1, note: "", at: 1, id, ...row },
      key,
      0,
    );
    return [...key];
  };
  expect(keyOf({ id: id.toLowerCase() })).toEqual(keyOf({}));
  expect(keyOf({ a: "X" })).not.toEqual(keyOf({}));
  expect(keyOf({ note: "a" })).not.toEqual(keyOf({ note: "A" }));
});

test("a value does not count for its neighbour, and NULL in a key is like no value", () => {
  const keyOf = (exchange: string | null, symbol: string | null) => {
    const key = new Int32Array(2);
    keyWriter(findEvent("open_interest") ?? everyKey)({ ts: 1, exchange, symbol }, key, 0);
    return key.join();
  };
  const all = [keyOf("a", "b"), keyOf("b", "a"), keyOf("ab", ""), keyOf("", "ab"), keyOf(null, "ab")];
  expect(new Set(all).size).toBe(all.length);
});

test("a key column whose short values could be hashed with a changing separator is refused", () => {
  const wire = [{ name: "n", type: "LONG" as const }];
  expect(() => keyColumns({ keys: ["n"], wire })).toThrow("two letters");
});

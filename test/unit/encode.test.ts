// Protects: our bytes are the official client's bytes, and the decoder brings back what was encoded.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { decodeLine } from "../../ingest/encode/decode.ts";
import { FrameBuilder } from "../../ingest/encode/frame_builder.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";
import { rowBytes } from "../../ingest/spool/frame.ts";
import * as columns from "../../schema/columns.ts";
import { defineEvent } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import { arbitraryRow } from "../support/arbitrary_rows.ts";

const everyType = defineEvent({
  name: "every_type",
  why: "all column types, for tests",
  sampling: "never",
  keys: ["a"],
  columns: {
    flag: columns.boolean(""),
    a: columns.symbol(""),
    number: columns.double(""),
    count: columns.long(""),
    b: columns.optional(columns.symbol("")),
    note: columns.optional(columns.varchar("")),
    id: columns.optional(columns.uuid("")),
    at: columns.optional(columns.timestamp("")),
    side: columns.oneOf(["buy", "sell"], ""),
  },
});

describe.each([everyType, ...EVENTS].map((event) => [event.name, event] as const))("%s", (_, event) => {
  const native = createEncoder("native", event);
  const official = createEncoder("official", event);
  const keys = new Int32Array(4);

  test("the native encoder writes the bytes of the official client's v2 buffer", () => {
    fc.assert(
      fc.property(fc.array(arbitraryRow(event), { minLength: 1, maxLength: 5 }), (rows) => {
        const ours = new ByteBuffer(64);
        const theirs = new ByteBuffer(64);
        for (const row of rows) {
          native(row, ours, keys, 0);
          official(row, theirs, keys, 2);
          expect(keys.slice(0, 2)).toEqual(keys.slice(2));
        }
        expect(ours.written().equals(theirs.written())).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

test("symbols that come again have the same bytes and keys, however many there are", () => {
  const native = createEncoder("native", everyType);
  const official = createEncoder("official", everyType);
  const keys = new Int32Array(4);
  const texts = ["", "x,y=z \\\n", "été ", "ab", "abc", "abcd", "abcde", "long ".repeat(20)];
  for (let n = 0; n < 4_000; n++) {
    const a = `${texts[n % texts.length]}${n % 700}`;
    const row = {
      ts: 1_000_000_000 + n,
      flag: true,
      a,
      number: n,
      count: n,
      b: a.slice(0, 3) || "b",
      side: "buy",
    };
    const [ours, theirs] = [new ByteBuffer(64), new ByteBuffer(64)];
    native(row, ours, keys, 0);
    official(row, theirs, keys, 2);
    if (!ours.written().equals(theirs.written()) || keys[0] !== keys[2] || keys[1] !== keys[3])
      expect.fail(
        `row ${n}: ${ours.written().toString("latin1")} is not ${theirs.written().toString("latin1")}`,
      );
  }
});

test("what was encoded can be decoded again, value for value", () => {
  for (const event of EVENTS) {
    const encode = createEncoder("native", event);
    fc.assert(
      fc.property(arbitraryRow(event), (row) => {
        const out = new ByteBuffer();
        encode(row, out, new Int32Array(2), 0);
        const decoded = decodeLine(Buffer.from(out.written()));
        const present = Object.entries(row).filter(([, value]) => value !== null && value !== undefined);
        expect(decoded?.table).toBe(event.name);
        // The wire has no minus zero for integers.
        const expected = present.map(([name, v]) => [
          name,
          Object.is(v, -0) && event.columns[name]?.type !== "DOUBLE" ? 0 : v,
        ]);
        expect(decoded?.row).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: 50 },
    );
  }
});

test("bytes that no encoder wrote are not decoded into a row", () => {
  for (const text of [
    "",
    "pnl",
    "pnl,a=b",
    "pnl,a=b c=1",
    'pnl,a=b c="x 1t\n',
    "pnl,a=b 12\n",
    "pnl,a=b x==\u0010abc",
  ]) {
    expect(decodeLine(Buffer.from(text, "latin1"))).toBeUndefined();
  }
});

test("a frame keeps where each row begins, whatever bytes its doubles hold", () => {
  const encode = createEncoder("native", everyType);
  const builder = new FrameBuilder("every_type", everyType.fingerprint, encode);
  // A double whose bytes are all line feeds: splitting at \n would cut it to pieces.
  const evil = Buffer.alloc(8, 0x0a).readDoubleLE(0);
  const rows = [1, 2, 3].map((ts) => ({ ts, flag: true, a: "x", number: evil, count: ts, side: "buy" }));
  for (const row of rows) expect(builder.add(row, 0, 1000)).toBe(true);
  const frame = builder.seal();
  expect(frame?.rowCount).toBe(3);
  if (frame === undefined) return;
  for (const [index, row] of rows.entries()) {
    const out = new ByteBuffer();
    const key = new Int32Array(2);
    encode(row, out, key, 0);
    expect(rowBytes(frame, index).equals(out.written())).toBe(true);
    expect(frame.keys?.slice(2 * index, 2 * index + 2)).toEqual(key);
  }
});

test("a row beyond the byte limit is refused and leaves the frame as it was", () => {
  const builder = new FrameBuilder("every_type", 1, createEncoder("native", everyType));
  const row = (note: string) => ({ ts: 1, flag: true, a: "x", number: 1, count: 1, side: "buy", note });
  expect(builder.add(row("short"), 0, 200)).toBe(true);
  expect(builder.add(row("long".repeat(100)), 0, 200)).toBe(false);
  expect(builder.add(row("short"), 0, 200)).toBe(true);
  const frame = builder.seal();
  expect(frame?.rowCount).toBe(2);
  expect(frame && rowBytes(frame, 0).equals(rowBytes(frame, 1))).toBe(true);
});

// Protects: a line of JSON that goes straight to the wire is the row that JSON.parse, the event's parser and the encoder
// make of it, byte for byte; and what they refuse never gets there.
import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBuffer } from "../../ingest/encode/byte_buffer.ts";
import { jsonLines } from "../../ingest/encode/json_line.ts";
import { JsonNumber } from "../../ingest/encode/json_number.ts";
import type { Lines } from "../../ingest/encode/json_scan.ts";
import { createEncoder } from "../../ingest/encode/row_encoder.ts";
import * as columns from "../../schema/columns.ts";
import { defineEvent, type EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import { arbitraryRow } from "../support/arbitrary_rows.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { readNdjson } from "../support/read_ndjson.ts";
import { drainTable, payloads } from "../support/spool_fixture.ts";
import { openTestIntake } from "../support/test_intake.ts";

const everyType = defineEvent({
  name: "every_type",
  why: "all column types, for tests",
  sampling: "never",
  keys: ["a", "id", "flag"],
  columns: {
    flag: columns.boolean(""),
    a: columns.symbol(""),
    number: columns.double(""),
    count: columns.long(""),
    b: columns.optional(columns.symbol("")),
    note: columns.optional(columns.varchar("")),
    id: columns.uuid(""),
    at: columns.optional(columns.timestamp("")),
    side: columns.oneOf(["buy", "sell", "buyer"], ""),
  },
});

/** Texts of JSON that careless readers take for something else, or do not take. */
const odd = fc.constantFrom(
  "null",
  "true",
  "false",
  "tru",
  "falsy",
  "nul",
  "-",
  "-0",
  "0",
  "00",
  "01",
  "-01",
  "1.",
  ".5",
  "+1",
  "1e3",
  "1E+2",
  "1e",
  "1e400",
  "5e-324",
  "0.1e-5",
  "1.0",
  "0.30000000000000004",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "123456789012345678901234567890",
  "0.000000000000000000000000000001",
  "0.1234567890123456789012345",
  '""',
  '"buy"',
  '"buyer "',
  '"BUY"',
  '"a b,c=d"',
  '"é€😀"',
  '"a\\"b"',
  '"a\\\\b"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\n"',
  '"\n"',
  '"\u0001"',
  '"\u007f"',
  '"2026-11-21T12:00:00Z"',
  '"00000000-0000-0000-0000-00000000000g"',
  '"00000000-0000-0000-0000-000000000000"',
  `"${"x".repeat(257)}"`,
  `"${"é".repeat(200)}"`,
  "[]",
  "{}",
  '{"a":1}',
);

/** Forms of one number that JSON has. */
const otherForm = (text: string, form: number) => {
  const number = Number(text);
  if (form === 0 || text === "" || !Number.isFinite(number)) return text;
  return [text, number.toExponential(), `${text}.000`, number.toFixed(20), `${text}e0`][form] ?? text;
};

const shape = fc.record({
  order: fc.array(fc.nat(), { maxLength: 12 }),
  colon: fc.constantFrom(":", ": ", " :", ":  "),
  comma: fc.constantFrom(",", ", ", " ,", ",\t"),
  end: fc.constantFrom("\n", "\r\n", " \n", ",\n", "}\n"),
  numberForm: fc.nat({ max: 4 }),
  changes: fc.array(
    fc.record({ at: fc.nat(), value: odd, kind: fc.constantFrom("set", "drop", "twice", "new") }),
    {
      maxLength: 2,
    },
  ),
  flips: fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { maxLength: 1 }),
});
type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;
const plainly: Shape = {
  order: [],
  colon: ":",
  comma: ",",
  end: "\n",
  numberForm: 0,
  changes: [],
  flips: [],
};

function lineOf(row: object, { order, colon, comma, end, numberForm, changes, flips }: Shape) {
  const fields = Object.entries(row).map(([name, value]): [string, string] => {
    const text = JSON.stringify(value);
    return [JSON.stringify(name), typeof value === "number" ? otherForm(text, numberForm) : text];
  });
  for (const at of order) fields.push(...fields.splice(at % fields.length, 1));
  for (const { at, value, kind } of changes) {
    const [name = ""] = fields[at % fields.length] ?? [];
    if (kind === "drop") fields.splice(at % fields.length, 1);
    else if (kind === "set") fields[at % fields.length] = [name, value];
    else fields.push([kind === "new" ? '"unknown"' : name, value]);
  }
  const bytes = Buffer.from(`{${fields.map(([name, text]) => name + colon + text).join(comma)}}${end}`);
  for (const { at, byte } of flips) bytes[at % bytes.length] = byte;
  return bytes;
}

const linesIn = (bytes: Buffer): Lines => ({
  ...{ bytes, end: bytes.length },
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
});

describe.each([everyType, ...EVENTS].map((event) => [event.name, event] as const))("%s", (_, event) => {
  const reader = jsonLines(event);
  const encode = createEncoder("native", event);

  /** Compares both ways for each line of the text; returns how many went straight. */
  function straight(bytes: Buffer): number {
    let taken = 0;
    // The intake takes the long way with any other.
    if (!isUtf8(bytes)) return taken;
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf("\n", from) + 1;
      if (end === 0) break;
      const lines = linesIn(bytes);
      const behind = reader.read(lines, from);
      if (behind >= 0) {
        taken += 1;
        expect(behind).toBe(end);
        expectSame(event, bytes.subarray(from, end), (out, keys) => {
          reader.write(lines, out, keys, 0);
          return reader.ts();
        });
      }
      from = end;
    }
    return taken;
  }

  function expectSame(
    { parse }: EventDefinition,
    line: Buffer,
    write: (out: ByteBuffer, keys: Int32Array) => number,
  ) {
    const outcome = parse(JSON.parse(line.toString()));
    if (!outcome.ok) throw new Error(`${line.toString()} is refused: ${outcome.message}`);
    const [ours, theirs] = [new ByteBuffer(64), new ByteBuffer(64)];
    const [ourKey, theirKey] = [new Int32Array(2), new Int32Array(2)];
    expect(write(ours, ourKey)).toBe(outcome.row.ts);
    encode(outcome.row, theirs, theirKey, 0);
    expect(ours.written().toString("latin1")).toBe(theirs.written().toString("latin1"));
    expect(ourKey).toEqual(theirKey);
  }

  test("whatever goes straight is what the long way makes of it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(arbitraryRow(event), shape), { minLength: 1, maxLength: 4 }), (rows) => {
        straight(Buffer.concat(rows.map(([row, form]) => lineOf(row, form))));
      }),
      { numRuns: 300 },
    );
  });

  test("an ordinary line goes straight, with optional fields null or absent, in any order of fields", () => {
    fc.assert(
      fc.property(arbitraryRow(event), fc.array(fc.nat(), { maxLength: 12 }), (row, order) => {
        const simple = Object.entries(row).map(([name, value]) => [
          name,
          typeof value === "string" ? value.replaceAll(/["\\\p{Cc}\p{Cs}]/gu, "-") : value,
        ]);
        const present = simple.filter(([, value]) => value !== null);
        for (const fields of [simple, present]) {
          const line = lineOf(Object.fromEntries(fields), { ...plainly, order });
          expect(straight(line), line.toString()).toBe(1);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test("a number read from bytes is the number that JSON.parse reads, to the last bit", () => {
  const number = new JsonNumber();
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 0, maxLength: 24 });
  const text = fc.oneof(
    fc
      .tuple(fc.constantFrom("", "-"), digits, fc.constantFrom("", "."), digits)
      .map((parts) => parts.join("")),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.string({ unit: fc.constantFrom(..."0123456789.-+eE"), maxLength: 12 }),
    odd,
  );
  fc.assert(
    fc.property(text, (source) => {
      const bytes = Buffer.from(`${source},`);
      const behind = number.read(bytes, 0);
      if (behind < 0) {
        // Not taken: no number, or none that is finite.
        expect(isFiniteJson(source)).toBe(false);
        return;
      }
      expect(Object.is(number.value, JSON.parse(source.slice(0, behind)))).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

function isFiniteJson(text: string): boolean {
  try {
    return Number.isFinite(JSON.parse(text)) && !/^\s|\s$/.test(text);
  } catch {
    return false;
  }
}

const event = EVENTS.find(({ name }) => name === "pnl") ?? everyType;

test("NDJSON handed over as text and as values comes to the same rows and the same refusals", async () => {
  const recent = arbitraryRow(event).map((row) => ({ ...row, ts: NOON_US - (row.ts % 1e15) }));
  const line = fc.oneof(
    { weight: 10, arbitrary: recent.map((row) => lineOf(row, plainly)) },
    { weight: 3, arbitrary: fc.tuple(recent, shape).map(([row, form]) => lineOf(row, form)) },
    fc.constantFrom("\n", " \r\n", "{\n", "[1]\n", '{"ts":\n').map((text) => Buffer.from(text)),
    fc.constant(Buffer.from([0x7b, 0xff, 0x0a])),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 40 }), fc.boolean(), async (lines, cut) => {
      const whole = Buffer.concat(lines);
      const text = cut ? whole.subarray(0, -1) : whole;
      const outcomes = [];
      for (const asText of [true, false]) {
        const t = await openTestIntake({ memoryBytes: 1 << 24 });
        const result = asText
          ? await t.intake.acceptLines(event.name, text)
          : await t.intake.accept(event.name, readNdjson(text));
        outcomes.push({ ...result, payload: payloads(await drainTable(t.spool, event.name)).join("") });
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
    }),
    { numRuns: 60 },
  );
});

// Bodies to rows: the quick way gives what the plain way gives, for every body.
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { jsonRows } from "../../ingest/gateway/json_rows.ts";
import { createPace } from "../../ingest/gateway/pace.ts";
import { MalformedLine } from "../../ingest/intake/malformed.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { readNdjson } from "../support/read_ndjson.ts";
import { openTestIntake } from "../support/test_intake.ts";

const pace = () => createPace(systemClock());

/** Line by line, as the format is defined. */
function plainly(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      try {
        return JSON.parse(line);
      } catch {
        return "malformed";
      }
    });
}

const marked = (rows: readonly unknown[]) =>
  rows.map((row) => (row instanceof MalformedLine ? "malformed" : row));

const object = fc
  .dictionary(
    fc.string({ maxLength: 8 }),
    fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
  )
  .map((value) => JSON.stringify(value));
const line = fc.oneof(
  { weight: 20, arbitrary: object },
  fc.constantFrom(
    "",
    " ",
    "\t",
    "{",
    "}",
    '{"a":1',
    '"b":2}',
    '{"a":"x',
    'y"}',
    "[1]",
    "1,2",
    "{},{}",
    "null",
    '{"a":[{"b":1}',
    '{"c":2}]}',
  ),
  fc.constant('{"ü":"💥\\n"}'),
);

test("NDJSON parsed in slices equals NDJSON parsed line by line", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      async (lines, ending, closed) => {
        const text = lines.join(ending) + (closed ? ending : "");
        expect(marked(readNdjson(Buffer.from(text)))).toEqual(plainly(text));
      },
    ),
    { numRuns: 500 },
  );
});

test("NDJSON beyond one slice keeps order and finds the bad lines, wherever slices are cut", async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ i, text: "é".repeat(i % 50) }));
  for (const at of [0, 700, 701, 9_999, 19_999]) lines[at] = `{"bad": ${at}`;
  lines[5000] = JSON.stringify({ i: 5000, text: "x".repeat(200_000) });
  const text = lines.join("\n");
  const rows = readNdjson(Buffer.from(text));
  expect(marked(rows)).toEqual(plainly(text));
  expect(
    rows.filter((row) => row instanceof MalformedLine).map((row) => (row as MalformedLine).text),
  ).toEqual([0, 700, 701, 9_999, 19_999].map((at) => `{"bad": ${at}`));
});

test("two lines that are JSON only when put together are both refused", async () => {
  const rows = readNdjson(Buffer.from('{"a":1\n"b":2}\n{"c":"x\ny"}\n'));
  expect(marked(rows)).toEqual(["malformed", "malformed", "malformed", "malformed"]);
  const spread = readNdjson(Buffer.from('{"a":\n1}\n'));
  expect(marked(spread)).toEqual(["malformed", "malformed"]);
});

test("a line that is not UTF-8 is refused, not altered; its neighbours are taken", async () => {
  const body = Buffer.concat([
    Buffer.from('{"a":1}\n{"b":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}\n{"c":3}\n'),
  ]);
  const rows = readNdjson(body);
  expect(marked(rows)).toEqual([{ a: 1 }, "malformed", { c: 3 }]);
  expect(rows[1]).toMatchObject({ message: "not UTF-8 text" });
});

const element = fc.oneof(object, fc.constantFrom("1", "null", '"],["', "[]", "[1,[2]]", '"\\\\"', '"\\""'));

test("a large JSON array parsed in slices equals JSON.parse of it", async () => {
  const filler = JSON.stringify({ text: "x".repeat(1000) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(element, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(",", " ,\n "),
      async (some, comma) => {
        const elements = [...some, ...Array.from({ length: 200 }, () => filler), ...some];
        const text = `[${elements.join(comma)}]\n`;
        expect(await jsonRows(Buffer.from(text), pace())).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 50 },
  );
});

test.each([
  ["that is not closed", (list: string) => `[${list}`],
  ["that is closed by a brace", (list: string) => `[${list}}`],
  ["with a comma at its end", (list: string) => `[${list},]`],
  ["with a comma behind a very long element", (list: string) => `[${list},"${"x".repeat(70_000)}", ]`],
  ["with an element missing in the middle", (list: string) => `[${list},,${list}]`],
  ["with something behind it", (list: string) => `[${list}] {}`],
  ["with a bad element near its end", (list: string) => `[${list},{"a":}]`],
  ["with brackets that cross", (list: string) => `[${list},{"a":[1}]]`],
])("a large JSON array %s is refused as a whole", async (_, make) => {
  const list = Array.from({ length: 3000 }, (_, i) =>
    JSON.stringify({ i, text: "some text to make it longer" }),
  ).join(",");
  const text = make(list);
  expect(() => JSON.parse(text)).toThrow();
  const rows = await jsonRows(Buffer.from(text), pace());
  expect(rows).toEqual([expect.objectContaining({ text, message: expect.stringMatching(/^not JSON: /) })]);
});

const ROWS = 80_000;
const row = { ts: NOON_US, exchange: "okx", symbol: "BTC/USDT:USDT", open_interest: 1.5 };
const plain = JSON.stringify(row);
const unusual = JSON.stringify({ ...row, ts: "2026-11-21T12:00:00Z" });

test.each([
  ["NDJSON of plain lines", async () => linesTaken(plain)],
  ["NDJSON of unusual lines", async () => linesTaken(unusual)],
  ["NDJSON of empty lines", async () => linesTaken("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")],
  ["JSON", async () => void (await jsonRows(Buffer.from(`[${Array(ROWS).fill(plain).join(",")}]`), pace()))],
])("other work of the process runs while a large body is read: %s", async (_, read) => {
  let turns = 0;
  let done = false;
  const count = () => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await read();
  done = true;
  expect(turns).toBeGreaterThan(3);
});

async function linesTaken(line: string): Promise<void> {
  const t = await openTestIntake();
  const { accepted, rejected } = await t.intake.acceptLines(
    "open_interest",
    Buffer.from(`${line}\n`.repeat(ROWS)),
  );
  expect([accepted, rejected]).toEqual([line.trim() === "" ? 0 : ROWS, []]);
}

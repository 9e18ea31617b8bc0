// Protects: the quick check never lets through what the full check would refuse, and does recognize ordinary rows.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileQuickCheck } from "../../schema/quick_check.ts";
import { EVENTS } from "../../schema/registry.ts";
import { arbitraryRow } from "../support/arbitrary_rows.ts";

/** Values that a careless check would take for right ones. */
const oddValue = fc.constantFrom<unknown>(
  undefined,
  null,
  "",
  "x",
  "a\0b",
  "x".repeat(257),
  "x".repeat(70_000),
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  -(2 ** 53),
  true,
  [],
  {},
  new Date(0),
  10n,
  "00000000-0000-0000-0000-000000000000",
  "00000000-0000-0000-0000-00000000000",
  "buy",
  "BUY",
);

describe.each(EVENTS.map((event) => [event.name, event] as const))("%s", (_, event) => {
  const quick = compileQuickCheck(event.columns);
  const fields = ["ts", ...Object.keys(event.columns), "no_such_field"];

  test("whatever it takes, zod takes and leaves as it is", () => {
    const mutations = fc.array(fc.tuple(fc.constantFrom(...fields), oddValue, fc.boolean()), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(arbitraryRow(event), mutations, (row, changes) => {
        const input: Record<string, unknown> = { ...row };
        for (const [field, value, remove] of changes) {
          if (remove) delete input[field];
          else input[field] = value;
        }
        if (!quick(input)) return;
        const full = event.schema.safeParse(input);
        expect(full.success).toBe(true);
        expect(full.data).toEqual(input);
      }),
      { numRuns: 300 },
    );
  });

  test("an ordinary row is recognized, with optional fields null or absent", () => {
    fc.assert(
      fc.property(arbitraryRow(event), (row) => {
        const absent = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
        expect(quick(row)).toBe(true);
        expect(quick(absent)).toBe(true);
        expect(quick(JSON.parse(JSON.stringify(absent)))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

test.each([undefined, null, 1, "row", [], [{}], {}, () => 1])("%s is not a row", (input) => {
  for (const event of EVENTS) expect(compileQuickCheck(event.columns)(input)).toBe(false);
});

test("a derived id is filled in without touching the input, and is the same each time", () => {
  const event = EVENTS.find(({ name }) => name === "signals");
  const input = Object.freeze({
    ts: 1,
    strategy: "s",
    exchange: "e",
    symbol: "x",
    indicator: "i",
    signal: "buy",
  });
  const outcomes = [event?.parse(input), event?.parse({ ...input, price: null })];
  const ids = outcomes.map((outcome) => (outcome?.ok ? outcome.row["event_id"] : undefined));
  expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(ids[1]).toBe(ids[0]);
  expect(input).not.toHaveProperty("event_id");
});

// Generated rows of any event: every column type, unicode, escapes, extremes. For property tests.
import fc from "fast-check";
import type { Column } from "../../schema/columns.ts";
import type { AnyRow, EventDefinition } from "../../schema/define.ts";

/** Characters that the line protocol treats specially, mixed with all of unicode (whole code points). */
const text = (constraints: { minLength?: number; maxLength: number }) =>
  fc.string({
    ...constraints,
    unit: fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          " ",
          ",",
          "=",
          "\\",
          '"',
          "\n",
          "\r",
          "\t",
          "é",
          "€",
          "😀",
          "\u0000",
          "\u007f",
        ),
      },
      { weight: 5, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }) },
      { weight: 2, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
    ),
  });

/** The parser lets no U+0000 into a symbol. */
const symbolText = text({ minLength: 1, maxLength: 24 }).map((value) => value.replaceAll("\0", "0"));

const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    0,
    -0,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.EPSILON,
    0.1,
    1e21,
    123456789.125,
  ),
);

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -1000, max: 1000 }),
  fc.constantFrom(
    0,
    -0,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    999_999_999,
    1_000_000_000,
    -1_000_000_000,
  ),
);

/** A value of a column, as the parser lets it through. */
function arbitraryValue(column: Column): fc.Arbitrary<unknown> {
  switch (column.type) {
    case "SYMBOL":
      return column.values ? fc.constantFrom(...column.values) : symbolText;
    case "VARCHAR":
      return text({ maxLength: 40 });
    case "UUID":
      return fc.uuid();
    case "BOOLEAN":
      return fc.boolean();
    case "DOUBLE":
      return finite;
    case "LONG":
      return integer;
    case "TIMESTAMP":
      return fc.nat({ max: Number.MAX_SAFE_INTEGER });
  }
}

/** Checked rows of an event, optional columns sometimes absent or null. */
export function arbitraryRow(event: EventDefinition): fc.Arbitrary<AnyRow> {
  const columns = Object.entries(event.columns).map(([name, column]) => {
    const value = arbitraryValue(column);
    return [name, column.presence === "optional" ? fc.option(value, { nil: null }) : value] as const;
  });
  return fc
    .record({ ts: fc.nat({ max: 4_102_444_800_000_000 }), ...Object.fromEntries(columns) })
    .map((row) => row as unknown as AnyRow);
}

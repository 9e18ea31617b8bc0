// Column builders: the vocabulary of an event definition. A column knows its database type, how a value is checked
// and what it means; it knows nothing of bytes, files or the network.
import * as z from "zod";

/** The QuestDB types that tickwatch writes. `oneOf()` is stored as SYMBOL. */
export type ColumnType = "SYMBOL" | "DOUBLE" | "LONG" | "BOOLEAN" | "VARCHAR" | "UUID" | "TIMESTAMP";

/** `required`: must be in the input. `optional`: may be absent or null. `derived`: filled from the rest of the row when absent. */
export type Presence = "required" | "optional" | "derived";

/** One column of an event. `values` is the closed set of a `oneOf()`; `derive` is pure and sees the checked row. */
export interface Column<Value = unknown, P extends Presence = Presence> {
  readonly type: ColumnType;
  readonly presence: P;
  readonly doc: string;
  readonly check: z.ZodType<Value>;
  readonly values?: readonly string[];
  readonly derive?: (row: Readonly<Record<string, unknown>>) => string;
}

/** Longest symbol accepted, in UTF-16 units: a symbol is a repeated name, not a text. */
export const SYMBOL_LENGTH_MAX = 256;

/** Longest text of a VARCHAR column accepted, in UTF-16 units. */
export const VARCHAR_LENGTH_MAX = 65_536;

/** The usual text form of a UUID. */
export const UUID_PATTERN = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** QuestDB refuses a symbol with U+0000 in it (seen with 9.3.4); a VARCHAR takes it. */
const NUL_FREE = /^[^\0]*$/;

const symbolCheck = z.string().min(1).max(SYMBOL_LENGTH_MAX).regex(NUL_FREE);
const doubleCheck = z.number();
const longCheck = z.int();
const booleanCheck = z.boolean();
const varcharCheck = z.string().max(VARCHAR_LENGTH_MAX);
const uuidCheck = z.string().regex(UUID_PATTERN);
const timestampCheck = z.int().min(0);

/** A repeated name (exchange, strategy). Never empty: QuestDB would store an empty symbol as NULL without a word. */
export function symbol(doc: string): Column<string, "required"> {
  return { type: "SYMBOL", presence: "required", doc, check: symbolCheck };
}

/** A symbol from a closed set of values; anything else is refused. */
export function oneOf<const V extends readonly [string, ...string[]]>(
  values: V,
  doc: string,
): Column<V[number], "required"> {
  return { type: "SYMBOL", presence: "required", doc, check: z.enum(values), values };
}

/** A finite 64-bit float. NaN and infinities are refused: QuestDB would store NULL. */
export function double(doc: string): Column<number, "required"> {
  return { type: "DOUBLE", presence: "required", doc, check: doubleCheck };
}

/** An integer that a JavaScript number holds exactly (±2^53). */
export function long(doc: string): Column<number, "required"> {
  return { type: "LONG", presence: "required", doc, check: longCheck };
}

/** true or false. */
export function boolean(doc: string): Column<boolean, "required"> {
  return { type: "BOOLEAN", presence: "required", doc, check: booleanCheck };
}

/** Free text, or an id with many distinct values (a SYMBOL slows down beyond ten thousand of them). */
export function varchar(doc: string): Column<string, "required"> {
  return { type: "VARCHAR", presence: "required", doc, check: varcharCheck };
}

/** A UUID in its usual text form; 16 bytes in the database. */
export function uuid(doc: string): Column<string, "required"> {
  return { type: "UUID", presence: "required", doc, check: uuidCheck };
}

/** A point in time: integer microseconds since 1970 UTC. Parsers also take ISO 8601 with an offset. */
export function timestamp(doc: string): Column<number, "required"> {
  return { type: "TIMESTAMP", presence: "required", doc, check: timestampCheck };
}

/** The same column, but it may be absent or null; the database then holds NULL. */
export function optional<V>(column: Column<V, "required">): Column<V, "optional"> {
  return { ...column, presence: "optional" };
}

/**
 * The same column, but filled by `derive` when the input has none. `derive` must depend on the row alone, so that a
 * producer that sends the same row again gets the same value and the database sees one row.
 */
export function derived(
  column: Column<string, "required">,
  derive: (row: Readonly<Record<string, unknown>>) => string,
): Column<string, "derived"> {
  return { ...column, presence: "derived", derive };
}

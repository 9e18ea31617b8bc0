// The key of a row as 64 bits: what DEDUP tells rows apart by (key columns and ts), hashed from the bytes that stand on
// the wire. Our encoder, the reader of encoded lines and the reader of query results all end here, so that the same row
// has the same key wherever it is met. Not for adversaries: two rows of one table share a key by accident once in 2^64.
//
// The key is the sum over its columns of a hash of each one's name and value, so that their order does not matter. The
// hash is source text, because a call per column would cost the encoder more than the hash (docs/adr/0006).
import type { EventDefinition, WireColumn } from "../../schema/define.ts";

/** Set on every byte of a UUID: its letters may be upper or lower case, and the database sees no difference. */
const LOWER_CASE = 0x2020_2020;

/** One column of a key, with what its hash begins with. */
export interface KeyColumn extends WireColumn {
  readonly seed: number;
  readonly fold: number;
}

/** The columns that make the key of an event's rows beside `ts`, which is part of every key. */
export function keyColumns(event: Pick<EventDefinition, "keys" | "wire">): readonly KeyColumn[] {
  return event.wire.filter(({ name }) => event.keys.includes(name)).map(keyColumn);
}

function keyColumn({ name, type }: WireColumn): KeyColumn {
  // A short value is hashed together with what stands before it, and before a field that may be a space or a comma.
  if (type !== "SYMBOL" && name.length < 2) throw new Error(`key "${name}": a name of two letters, please`);
  return { name, type, seed: seedOf(name), fold: type === "UUID" ? LOWER_CASE : 0 };
}

/**
 * Source text that adds a column's value to the key in the variables `ka` and `kb`. The value is the bytes `from` to
 * before `to` of `view` as they stand on the wire: escaped, without quotes and suffix. The last four bytes before `to`
 * are one word even when the value is shorter: what stands before it is its name, always the same.
 */
export function valueKeySource(from: string, to: string, seed: string, fold: string): string {
  const word = (at: string) => mixSource(`view.getInt32(${at}, true) | ${fold}`);
  return [
    `{ let w = 0, a = ${seed}, z = ~${seed}, q = ${from};`,
    `for (; q + 4 < ${to}; q += 4) { ${word("q")} }`,
    word(`${to} - 4`),
    `${endSource(`${to} - ${from}`)} }`,
  ].join(" ");
}

/** The same for the timestamp, which is hashed as the number in `micros`. */
export function timeKeySource(micros: string): string {
  const seed = seedOf("ts");
  const words = [mixSource(`${micros}`), mixSource(`${micros} / 4294967296`)];
  return `{ let w = 0, a = ${seed}, z = ${~seed}; ${words.join(" ")} ${endSource("8")} }`;
}

/** Two lanes that share nothing but the word. */
function mixSource(word: string): string {
  return [
    `w = (${word}) | 0;`,
    "a = Math.imul(a ^ w, 0x9e3779b1); a = (a << 13) | (a >>> 19);",
    "z = Math.imul(z ^ w, 0x85ebca6b); z = (z << 17) | (z >>> 15);",
  ].join(" ");
}

function endSource(length: string): string {
  return [
    `a = Math.imul(a ^ (${length}) ^ (z >>> 15), 0x2c1b3c6d);`,
    "z = Math.imul(z ^ (a >>> 13), 0x297a2d39);",
    "ka = (ka + (a ^ (z >>> 16))) | 0; kb = (kb + (z ^ (a >>> 15))) | 0;",
  ].join(" ");
}

/** FNV-1a of a name. */
function seedOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash;
}

/** Changes when the columns of a key do: keys that were made of other columns cannot be compared. */
export function keyFingerprint(columns: readonly KeyColumn[]): number {
  const parts = columns.map(({ name, type }) => seedOf(`${name} ${type}`));
  return parts.reduce((sum, part) => (sum + part) | 0, 0) >>> 0;
}

// Keys of rows whose values are at hand, such as those that a query returned.
import type { EventDefinition } from "../../schema/define.ts";
import { ByteBuffer } from "./byte_buffer.ts";
import { nativeEncoder } from "./native.ts";

/** What is needed of an event to make keys of its rows. */
export type KeyedTable = Pick<EventDefinition, "name" | "keys" | "wire">;

/** Writes the key of a row, given by its key columns and `ts` as a parser or a query returns them, to `keys[at]` and `keys[at + 1]`. */
export type WriteKey = (
  row: Readonly<Record<string, unknown>> & { readonly ts: number },
  keys: Int32Array,
  at: number,
) => void;

/** The writer for a table's keys: encodes the key columns alone, as a row would be. */
export function keyWriter({ name, keys, wire }: KeyedTable): WriteKey {
  const columns = wire.filter((column) => keys.includes(column.name));
  const texts = new Set(columns.filter(({ type }) => IS_TEXT.has(type)).map((column) => column.name));
  const encode = nativeEncoder({ name, keys, wire: columns, columns: {} });
  const out = new ByteBuffer();
  return (row, into, at) => {
    out.length = 0;
    const isWhole = keys.every((key) => row[key] !== null && row[key] !== undefined);
    encode(isWhole ? row : withoutNulls(row, keys, texts), out, into, at);
  };
}

const IS_TEXT: ReadonlySet<string> = new Set(["SYMBOL", "VARCHAR", "UUID"]);

/** No row of ours has NULL in its key; whoever wrote this one gets a key that none of ours has. */
function withoutNulls(
  row: Parameters<WriteKey>[0],
  keys: readonly string[],
  texts: ReadonlySet<string>,
): Parameters<WriteKey>[0] {
  const filled = keys.map((key) => [key, row[key] ?? (texts.has(key) ? "\0null" : Number.MIN_SAFE_INTEGER)]);
  return { ...row, ...Object.fromEntries(filled) };
}

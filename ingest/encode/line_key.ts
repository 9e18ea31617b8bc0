// Keys of rows that are encoded already, read from their lines: of frames that come back from disk, and for the official
// client's buffer. The native encoder makes the same keys on its way (key_hash.ts).
import { type KeyColumn, timeKeySource, valueKeySource } from "./key_hash.ts";

/**
 * Reads the line `from` to before `to` (its line end included) of `bytes` and writes its key to `keys[at]` and
 * `keys[at + 1]`. `view` is the same memory. Returns the row's `ts` in microseconds, or NaN when the bytes are no line
 * that our encoders could have written; the key then means nothing.
 */
export type ReadLineKey = (
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
  keys: Int32Array,
  at: number,
) => number;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const SMALL_T = 0x74;
/** Tag and content of a binary double. */
const DOUBLE_BYTES = 9;

/** The reader for rows with these key columns. Keep it. */
export function lineKeyReader(columns: readonly KeyColumn[]): ReadLineKey {
  const wanted = columns.map((column) => ({ ...column, bytes: Buffer.from(column.name) }));
  const { addTime, addValue } = compileTools();

  return (bytes, view, from, to, keys, at) => {
    keys[at] = 0;
    keys[at + 1] = 0;
    let p = endOfName(bytes, from, to);
    let isField = false;
    for (;;) {
      if (p >= to || (bytes[p] !== COMMA && bytes[p] !== SPACE)) return Number.NaN;
      if (bytes[p] === SPACE) {
        if (isDigit(bytes[p + 1])) break;
        isField = true;
      }
      const name = p + 1;
      const equals = bytes.indexOf(EQUALS, name);
      if (equals < 0 || equals >= to) return Number.NaN;
      p = isField ? endOfField(bytes, equals + 1, to) : endOfName(bytes, equals + 1, to);
      const column = wanted.find((one) => isName(one.bytes, bytes, name, equals));
      if (column === undefined) continue;
      const { from: valueFrom, to: valueTo } = partThatCounts(equals + 1, p, column.type);
      addValue(view, valueFrom, valueTo, column.seed, column.fold, keys, at);
    }
    const ts = digits(bytes, p + 1, to);
    addTime(ts, keys, at);
    return ts;
  };
}

/** The key of one line and its `ts` in microseconds; undefined when our encoders could not have written it. */
export function keyOfLine(
  read: ReadLineKey,
  line: Buffer,
): { readonly ts: number; readonly keys: Int32Array } | undefined {
  const keys = new Int32Array(2);
  const view = new DataView(line.buffer, line.byteOffset, line.length);
  const ts = read(line, view, 0, line.length, keys, 0);
  return Number.isNaN(ts) ? undefined : { ts, keys };
}

interface Tools {
  readonly addValue: (
    view: DataView,
    from: number,
    to: number,
    seed: number,
    fold: number,
    keys: Int32Array,
    at: number,
  ) => void;
  readonly addTime: (micros: number, keys: Int32Array, at: number) => void;
}

function compileTools(): Tools {
  const adding = (source: string) =>
    `let ka = keys[at], kb = keys[at + 1]; ${source} keys[at] = ka; keys[at + 1] = kb;`;
  const addValue = `(view, from, to, seed, fold, keys, at) => { ${adding(valueKeySource("from", "to", "seed", "fold"))} }`;
  const addTime = `(micros, keys, at) => { ${adding(timeKeySource("micros"))} }`;
  return new Function(`"use strict"; return { addValue: ${addValue}, addTime: ${addTime} };`)();
}

/** Behind a name or a symbol: at the next comma or space that is not escaped. */
function endOfName(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  while (p < to && bytes[p] !== COMMA && bytes[p] !== SPACE) p += bytes[p] === BACKSLASH ? 2 : 1;
  return p;
}

/** Behind the value of a field, which a comma or a space follows. */
function endOfField(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] === EQUALS) return from + 1 + DOUBLE_BYTES;
  if (bytes[from] !== QUOTE) return endOfName(bytes, from, to);
  let p = from + 1;
  while (p < to && bytes[p] !== QUOTE) p += bytes[p] === BACKSLASH ? 2 : 1;
  return p + 1;
}

/** The part of a value that counts: without quotes, tag or suffix. */
function partThatCounts(
  from: number,
  to: number,
  type: KeyColumn["type"],
): { readonly from: number; readonly to: number } {
  switch (type) {
    case "SYMBOL":
    case "BOOLEAN":
      return { from, to };
    case "VARCHAR":
    case "UUID":
      return { from: from + 1, to: to - 1 };
    case "DOUBLE":
      return { from: from + 2, to };
    case "LONG":
    case "TIMESTAMP":
      return { from, to: to - 1 };
  }
}

function isName(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

/** The timestamp at the end of a line: digits, `t`, line feed. */
function digits(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  let p = from;
  for (; p < to && isDigit(bytes[p]); p++) value = value * 10 + ((bytes[p] ?? 0) - ZERO);
  return bytes[p] === SMALL_T && p + 2 === to ? value : Number.NaN;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** The `ts` of the line that ends before `to`, µs. */
export function lineTime(bytes: Uint8Array, to: number): number {
  let value = 0;
  let unit = 1;
  // Behind it stand `t` and the line feed.
  for (let p = to - 3; isDigit(bytes[p]); p--, unit *= 10) value += ((bytes[p] ?? ZERO) - ZERO) * unit;
  return value;
}

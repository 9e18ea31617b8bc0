// Our encoder: checked row → line protocol, version 2. Byte for byte what the official client writes for the same row
// (test/unit/encode.test.ts proves it over generated rows).
//
// Form of a row: table,symbol=value,… field=…,field=… 1234567890123456t\n
// DOUBLE   name==<16><8 bytes little-endian>      LONG       name=123i       BOOLEAN  name=t|f
// VARCHAR, UUID  name="text"                      TIMESTAMP  name=123t       (microseconds)
// Source: documentation of the ILP reference, and the v2 buffer of @questdb/nodejs-client 4.2.0.
//
// The code of each event is compiled once to straight lines: names and separators are constants in it, and values are
// written into the frame without anything in between (docs/adr/0006).
import type { EventDefinition, WireColumn } from "../../schema/define.ts";
import { type KeyColumn, keyColumns, timeKeySource, valueKeySource } from "./key_hash.ts";
import type { EncodeRow } from "./row_encoder.ts";
import { SymbolCache } from "./symbol_cache.ts";
import { INTEGER_BYTES_MAX, writeInteger, writeTime } from "./write_integer.ts";
import { writeQuoted, writeSymbol } from "./write_text.ts";

/** What the compiled code calls. */
const TOOLS = { writeInteger, writeTime, writeQuoted, writeSymbol, SymbolCache };

/** A UTF-16 unit takes three bytes at the most; an escaped ASCII character two. */
const BYTES_PER_UNIT_MAX = 3;

type Encodable = Pick<EventDefinition, "name" | "keys" | "wire" | "columns">;

/** How the source text of an encoder gets at the values of a row. `column` is in the event's wire order. */
export interface RowAccess {
  /** Of the function, before where it writes to. */
  readonly parameters: string;
  /** Declarations to begin with. */
  declarations(columns: readonly WireColumn[]): string;
  /** True when an optional column has a value. */
  isPresent(column: WireColumn, index: number): string;
  /** Bytes that a text takes at the most, its escapes included. */
  textBytesMax(column: WireColumn, index: number): string;
  /** Run once, before the function is made. */
  preparation(columns: readonly WireColumn[]): string;
  /** Writes a quoted text at `p`. */
  text(column: WireColumn, index: number): string;
  /** Writes a symbol at `p`; `hash` adds the bytes between `s` and `p` to the key. */
  symbol(column: WireColumn, index: number, hash: string): string;
  /** A number, or for a BOOLEAN a condition. */
  readonly number: (column: WireColumn, index: number) => string;
  readonly ts: string;
}

/** A checked row: an object. */
const OBJECT: RowAccess = {
  parameters: "row",
  declarations: (columns) => columns.map(({ name }) => `const ${name}_ = row.${name};`).join("\n  "),
  isPresent: ({ name }) => `${name}_ !== undefined && ${name}_ !== null`,
  textBytesMax: ({ name }) => `${name}_.length * ${BYTES_PER_UNIT_MAX}`,
  preparation: (columns) =>
    columns
      .filter(({ type }) => type === "SYMBOL")
      .map(({ name }) => `const ${name}_cache = new SymbolCache();`)
      .join(" "),
  text: ({ name }) => `p = writeQuoted(b, p, ${name}_);`,
  symbol: ({ name }, _, hash) =>
    [
      `const known = ${name}_cache.get(${name}_);`,
      "if (known !== undefined) {",
      // Up to three bytes too many, which what follows writes over: there is room for a number in every column.
      "const words = known.words; s = p;",
      "for (let i = 0; i < words.length; i++) { view.setInt32(s, words[i], true); s += 4; }",
      "p += known.length; ka = (ka + known.ka) | 0; kb = (kb + known.kb) | 0;",
      "} else {",
      `const ka0 = ka, kb0 = kb; s = p; p = writeSymbol(b, p, ${name}_); ${hash}`,
      `${name}_cache.add(${name}_, view, s, p, (ka - ka0) | 0, (kb - kb0) | 0);`,
      "}",
    ].join(" "),
  number: ({ name }) => `${name}_`,
  ts: "row.ts",
};

/** The encoder of one event. Names are snake_case (define.ts asserts it), so nothing foreign gets into the source. */
export function nativeEncoder(event: Encodable): EncodeRow {
  return new Function("tools", encoderSource(event, OBJECT, TOOLS))(TOOLS);
}

/** Source text that makes the encoder of rows of one form, when run with the functions it calls in `tools`. */
export function encoderSource(event: Encodable, access: RowAccess, tools: object): string {
  const columns = event.wire.map((column, index): Source => {
    const isRequired = event.columns[column.name]?.presence !== "optional";
    return { column, index, guard: isRequired ? "" : `if (${access.isPresent(column, index)}) ` };
  });
  const symbols = columns.filter(({ column }) => column.type === "SYMBOL");
  const fields = columns.filter(({ column }) => column.type !== "SYMBOL");
  const texts = columns.filter(({ column }) => isText(column));
  const keys = new Map(keyColumns(event).map((column) => [column.name, column]));
  return [
    '"use strict";',
    `const { ${Object.keys(tools).join(", ")} } = tools;`,
    access.preparation(event.wire),
    `return (${access.parameters}, out, keys, at) => {`,
    `  ${access.declarations(event.wire)}`,
    `  let room = ${fixedBytes(event)};`,
    ...texts.map((c) => `  ${c.guard}room += ${access.textBytesMax(c.column, c.index)};`),
    "  if (out.length + room > out.bytes.length) out.reserve(room);",
    "  const b = out.bytes;",
    "  const view = out.view;",
    "  let p = out.length;",
    // Where the present value begins, and the two halves of the row's key.
    "  let s = 0, ka = 0, kb = 0;",
    `  ${constant(event.name)}`,
    ...symbols.map(
      (c) =>
        `  ${c.guard}{ ${constant(`,${c.column.name}=`)} ${symbolSource(c, access, keys.get(c.column.name))} }`,
    ),
    // The first field follows a space, the others a comma.
    "  let separator = 32;",
    ...fields.map(
      (c) =>
        `  ${c.guard}{ b[p++] = separator; separator = 44; ${fieldSource(c, access, keys.get(c.column.name))} }`,
    ),
    "  b[p++] = 32;",
    `  const ts = ${access.ts};`,
    "  p = writeTime(b, p, ts);",
    `  ${timeKeySource("ts")}`,
    "  b[p++] = 116; b[p++] = 10;",
    "  out.length = p; keys[at] = ka; keys[at + 1] = kb;",
    "};",
    `//# sourceURL=${access.parameters}_to_${event.name}`,
  ].join("\n");
}

/** A column, its place, and the condition under which it is written. */
interface Source {
  readonly column: WireColumn;
  readonly index: number;
  readonly guard: string;
}

function symbolSource({ column, index }: Source, access: RowAccess, key: KeyColumn | undefined): string {
  return access.symbol(column, index, keySource(key));
}

function fieldSource({ column, index }: Source, access: RowAccess, key: KeyColumn | undefined): string {
  const { name, type } = column;
  const value = isText(column) ? "" : access.number(column, index);
  switch (type) {
    case "DOUBLE":
      return `${constant(`${name}==\u0010`)} s = p; view.setFloat64(p, ${value}, true); p += 8; ${keySource(key)}`;
    case "LONG":
      return `${constant(`${name}=`)} s = p; p = writeInteger(b, p, ${value}); ${keySource(key)} b[p++] = 105;`;
    case "TIMESTAMP":
      return `${constant(`${name}=`)} s = p; p = writeInteger(b, p, ${value}); ${keySource(key)} b[p++] = 116;`;
    case "BOOLEAN":
      return `${constant(`${name}=`)} s = p; b[p++] = ${value} ? 116 : 102; ${keySource(key)}`;
    default:
      return `${constant(`${name}=`)} s = p + 1; ${access.text(column, index)} ${keySource(key, "p - 1")}`;
  }
}

/** Adds what stands between `s` and `to` to the row's key, if it is part of it. */
function keySource(key: KeyColumn | undefined, to = "p"): string {
  return key === undefined ? "" : valueKeySource("s", to, String(key.seed), String(key.fold));
}

/** Bytes of a text that is known now, as assignments. */
function constant(text: string): string {
  return [...Buffer.from(text)].map((byte) => `b[p++] = ${byte};`).join(" ");
}

function isText({ type }: WireColumn): boolean {
  return type === "SYMBOL" || type === "VARCHAR" || type === "UUID";
}

/** Everything of a row but the texts' own characters, at the most. */
function fixedBytes(event: Encodable): number {
  const columns = event.wire.map(({ name }) => name.length + 4 + INTEGER_BYTES_MAX);
  return columns.reduce((sum, bytes) => sum + bytes, event.name.length + INTEGER_BYTES_MAX + 4);
}

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
import { INTEGER_BYTES_MAX, writeInteger, writeTime } from "./write_integer.ts";
import { writeQuoted, writeSymbol } from "./write_text.ts";

/** What the compiled code calls. */
const TOOLS = { writeInteger, writeTime, writeQuoted, writeSymbol };

/** A UTF-16 unit takes three bytes at the most; an escaped ASCII character two. */
const BYTES_PER_UNIT_MAX = 3;

type Encodable = Pick<EventDefinition, "name" | "keys" | "wire" | "columns">;

/** The encoder of one event. Names are snake_case (define.ts asserts it), so nothing foreign gets into the source. */
export function nativeEncoder(event: Encodable): EncodeRow {
  return new Function("tools", sourceOf(event))(TOOLS);
}

function sourceOf(event: Encodable): string {
  const symbols = event.wire.filter((column) => column.type === "SYMBOL");
  const fields = event.wire.filter((column) => column.type !== "SYMBOL");
  const texts = event.wire.filter((column) => isText(column));
  const isRequired = ({ name }: WireColumn) => event.columns[name]?.presence !== "optional";
  const keys = new Map(keyColumns(event).map((column) => [column.name, column]));
  return [
    '"use strict";',
    "const { writeInteger, writeTime, writeQuoted, writeSymbol } = tools;",
    "return (row, out, keys, at) => {",
    ...event.wire.map(({ name }) => `  const ${name}_ = row.${name};`),
    `  let room = ${fixedBytes(event)};`,
    ...texts.map((c) => `  ${guard(c, isRequired(c))}room += ${c.name}_.length * ${BYTES_PER_UNIT_MAX};`),
    "  if (out.length + room > out.bytes.length) out.reserve(room);",
    "  const b = out.bytes;",
    "  const view = out.view;",
    "  let p = out.length;",
    // Where the present value begins, and the two halves of the row's key.
    "  let s = 0, ka = 0, kb = 0;",
    `  ${constant(event.name)}`,
    ...symbols.map(
      (c) =>
        `  ${guard(c, isRequired(c))}{ ${constant(`,${c.name}=`)} ${symbolSource(c, keys.get(c.name))} }`,
    ),
    // The first field follows a space, the others a comma.
    "  let separator = 32;",
    ...fields.map(
      (c) =>
        `  ${guard(c, isRequired(c))}{ b[p++] = separator; separator = 44; ${fieldSource(c, keys.get(c.name))} }`,
    ),
    "  b[p++] = 32;",
    "  const ts = row.ts;",
    "  p = writeTime(b, p, ts);",
    `  ${timeKeySource("ts")}`,
    "  b[p++] = 116; b[p++] = 10;",
    "  out.length = p; keys[at] = ka; keys[at + 1] = kb;",
    "};",
  ].join("\n");
}

function symbolSource({ name }: WireColumn, key: KeyColumn | undefined): string {
  return `s = p; p = writeSymbol(b, p, ${name}_); ${keySource(key)}`;
}

function fieldSource({ name, type }: WireColumn, key: KeyColumn | undefined): string {
  const value = `${name}_`;
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
      return `${constant(`${name}=`)} s = p + 1; p = writeQuoted(b, p, ${value}); ${keySource(key, "p - 1")}`;
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

function guard({ name }: WireColumn, isRequired: boolean): string {
  return isRequired ? "" : `if (${name}_ !== undefined && ${name}_ !== null) `;
}

function isText({ type }: WireColumn): boolean {
  return type === "SYMBOL" || type === "VARCHAR" || type === "UUID";
}

/** Everything of a row but the texts' own characters, at the most. */
function fixedBytes(event: Encodable): number {
  const columns = event.wire.map(({ name }) => name.length + 4 + INTEGER_BYTES_MAX);
  return columns.reduce((sum, bytes) => sum + bytes, event.name.length + INTEGER_BYTES_MAX + 4);
}

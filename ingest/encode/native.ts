// Our encoder: checked row → line protocol, version 2. Byte for byte what the official client writes for the same row
// (test/unit/encode.test.ts proves it over generated rows).
//
// Form of a row: table,symbol=value,… field=…,field=… 1234567890123456t\n
// DOUBLE   name==<16><8 bytes little-endian>      LONG       name=123i       BOOLEAN  name=t|f
// VARCHAR, UUID  name="text"                      TIMESTAMP  name=123t       (microseconds)
// Escapes: in names and symbols \ before space , = \n \r \; in quoted text \ before " \n \r \.
// Source: documentation of the ILP reference, and the v2 buffer of @questdb/nodejs-client 4.2.0.
import type { AnyRow, EventDefinition, WireColumn } from "../../schema/define.ts";
import type { ByteBuffer } from "./byte_buffer.ts";
import type { EncodeRow } from "./row_encoder.ts";
import { writeInteger } from "./write_integer.ts";
import { writeQuoted, writeSymbol } from "./write_text.ts";

const LF = 0x0a;
const SPACE = 0x20;
const EQUALS = 0x3d;
const DOUBLE_TAG = 16;
const LETTER_F = 0x66;
const LETTER_I = 0x69;
const LETTER_T = 0x74;

/** Longest integer: 16 digits and a sign. */
const INTEGER_BYTES_MAX = 17;

const float64 = new Float64Array(1);
const float64Bytes = new Uint8Array(float64.buffer);

/** One column, with its name and the separator before it already in bytes. */
interface Step {
  readonly column: WireColumn;
  /** `,name=` */
  readonly prefix: Buffer;
}

/** The encoder of one event; its names are turned into bytes once, here. */
export function nativeEncoder(event: EventDefinition): EncodeRow {
  const table = Buffer.from(event.name);
  const steps = event.wire.map((column): Step => ({ column, prefix: Buffer.from(`,${column.name}=`) }));
  const symbols = steps.filter((step) => step.column.type === "SYMBOL");
  const fields = steps.filter((step) => step.column.type !== "SYMBOL");

  return (row: AnyRow, out: ByteBuffer) => {
    out.reserve(table.length);
    writeBytes(out, table);
    for (const step of symbols) {
      const value = row[step.column.name];
      if (typeof value !== "string") continue;
      out.reserve(step.prefix.length);
      writeBytes(out, step.prefix);
      writeSymbol(out, value);
    }
    const fieldsStart = out.length;
    for (const step of fields) {
      const value = row[step.column.name];
      if (value !== undefined && value !== null) writeField(out, step, value);
    }
    // The first field follows a space, not a comma.
    if (out.length > fieldsStart) out.bytes[fieldsStart] = SPACE;
    writeEnd(out, row.ts);
  };
}

function writeField(out: ByteBuffer, { column, prefix }: Step, value: unknown): void {
  out.reserve(prefix.length + INTEGER_BYTES_MAX + 1);
  writeBytes(out, prefix);
  if (typeof value === "string") {
    writeQuoted(out, value);
  } else if (typeof value === "boolean") {
    out.bytes[out.length++] = value ? LETTER_T : LETTER_F;
  } else if (typeof value !== "number") {
    throw new TypeError(`${column.name}: cannot encode a ${typeof value}`);
  } else if (column.type === "DOUBLE") {
    writeDouble(out, value);
  } else {
    writeInteger(out, value);
    out.bytes[out.length++] = column.type === "LONG" ? LETTER_I : LETTER_T;
  }
}

function writeDouble(out: ByteBuffer, value: number): void {
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = EQUALS;
  bytes[at++] = DOUBLE_TAG;
  float64[0] = value;
  for (let i = 0; i < 8; i++) bytes[at++] = float64Bytes[i] ?? 0;
  out.length = at;
}

function writeEnd(out: ByteBuffer, ts: number): void {
  out.reserve(INTEGER_BYTES_MAX + 3);
  out.bytes[out.length++] = SPACE;
  writeInteger(out, ts);
  out.bytes[out.length++] = LETTER_T;
  out.bytes[out.length++] = LF;
}

/** Copies a few bytes; a loop beats Buffer.copy below some dozens. */
function writeBytes(out: ByteBuffer, source: Uint8Array): void {
  const { bytes } = out;
  let at = out.length;
  for (let i = 0; i < source.length; i++) bytes[at++] = source[i] ?? 0;
  out.length = at;
}

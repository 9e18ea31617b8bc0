// Integers as decimal digits, written straight into the buffer. Room must be reserved before.
import type { ByteBuffer } from "./byte_buffer.ts";

const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1_000_000_000;

/** Writes a safe integer (±2^53) as `String(value)` would, minus zero as 0. */
export function writeInteger(out: ByteBuffer, value: number): void {
  let rest = value;
  if (rest < 0) {
    out.bytes[out.length++] = MINUS;
    rest = -rest;
  }
  if (rest < BILLION) {
    writeDigits(out, rest, digitCount(rest));
    return;
  }
  // Two halves that fit into 32-bit integer arithmetic, which is much faster than dividing doubles digit by digit.
  const high = Math.floor(rest / BILLION);
  writeDigits(out, high, digitCount(high));
  writeDigits(out, rest - high * BILLION, 9);
}

function writeDigits(out: ByteBuffer, value: number, count: number): void {
  const { bytes } = out;
  let rest = value | 0;
  for (let at = out.length + count - 1; at >= out.length; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  out.length += count;
}

/** Digits of an integer below 10^9. */
function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return 9;
}

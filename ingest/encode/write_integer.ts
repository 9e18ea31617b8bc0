// Integers as decimal digits, written straight into a buffer that has room for them.

/** Longest integer: 16 digits and a sign. */
export const INTEGER_BYTES_MAX = 17;

const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1_000_000_000;
const DIGITS_PER_PART = 9;

/** Writes a safe integer (±2^53) as `String(value)` would, minus zero as 0. Returns the position behind it. */
export function writeInteger(bytes: Uint8Array, position: number, value: number): number {
  let at = position;
  let rest = value;
  if (rest < 0) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  if (rest < BILLION) return writeDigits(bytes, at, rest, digitCount(rest));
  // Two parts that fit into 32-bit arithmetic, which is much faster than dividing doubles digit by digit.
  const high = Math.floor(rest / BILLION);
  at = writeDigits(bytes, at, high, digitCount(high));
  return writeDigits(bytes, at, rest - high * BILLION, DIGITS_PER_PART);
}

let knownHigh = -1;
let knownCount = 0;
const knownDigits = new Uint8Array(DIGITS_PER_PART);

/** The same for times, which share their upper digits for a quarter of an hour: those are kept from the time before. */
export function writeTime(bytes: Uint8Array, position: number, micros: number): number {
  if (micros < BILLION) return writeInteger(bytes, position, micros);
  const high = Math.floor(micros / BILLION);
  if (high !== knownHigh) {
    knownHigh = high;
    knownCount = digitCount(high);
    writeDigits(knownDigits, 0, high, knownCount);
  }
  let at = position;
  for (let i = 0; i < knownCount; i++) bytes[at++] = knownDigits[i] ?? ZERO;
  return writeDigits(bytes, at, micros - high * BILLION, DIGITS_PER_PART);
}

function writeDigits(bytes: Uint8Array, position: number, value: number, count: number): number {
  let rest = value | 0;
  for (let at = position + count - 1; at >= position; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return position + count;
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

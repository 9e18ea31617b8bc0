// Numbers of JSON from their bytes to the value that JSON.parse gives, to the last bit, without a string for the usual ones.
//
// Digits that make an integer below 2^53 are exact as a double, and so is a power of ten up to 10^22; IEEE 754 rounds the
// quotient of the two correctly. All else goes through Number(), which does the same for any text.

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

/** Decimal places up to which the power of ten is exact. */
const DECIMALS_MAX = 22;
const POWERS = Float64Array.from({ length: DECIMALS_MAX + 1 }, (_, exponent) => 10 ** exponent);

/** Where the number ends that was read last, and its value. */
export class JsonNumber {
  value = 0;

  /**
   * Reads the number at `from`. Returns the position behind it, or -1 when there is none or it is not finite. Needs a
   * byte behind it that belongs to no number.
   */
  read(bytes: Uint8Array, from: number): number {
    let at = from;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at += 1;
    const first = at;
    // Exact up to 2^53; beyond that it is rounded, but never to a number below.
    let integer = 0;
    let digit = (bytes[at] ?? 0) - ZERO;
    for (; digit >= 0 && digit <= 9; digit = (bytes[++at] ?? 0) - ZERO) integer = integer * 10 + digit;
    const whole = at - first;
    if (whole === 0 || (whole > 1 && bytes[first] === ZERO)) return -1;
    let decimals = 0;
    if (digit === DOT - ZERO) {
      const point = at;
      digit = (bytes[++at] ?? 0) - ZERO;
      for (; digit >= 0 && digit <= 9; digit = (bytes[++at] ?? 0) - ZERO) integer = integer * 10 + digit;
      decimals = at - point - 1;
      if (decimals === 0) return -1;
    }
    const hasExponent = digit === UPPER_E - ZERO || digit === LOWER_E - ZERO;
    if (hasExponent || integer > Number.MAX_SAFE_INTEGER || decimals > DECIMALS_MAX)
      return this.#readUnusual(bytes, from, at);
    const value = decimals === 0 ? integer : integer / (POWERS[decimals] ?? 1);
    this.value = isNegative ? -value : value;
    return at;
  }

  /** Long numbers and such with an exponent; `at` is behind the digits, which were checked. */
  #readUnusual(bytes: Uint8Array, from: number, digitsEnd: number): number {
    let at = digitsEnd;
    if (bytes[at] === LOWER_E || bytes[at] === UPPER_E) {
      at += 1;
      if (bytes[at] === PLUS || bytes[at] === MINUS) at += 1;
      const first = at;
      while (isDigit(bytes[at])) at += 1;
      if (at === first) return -1;
    }
    let text = "";
    for (let i = from; i < at; i++) text += String.fromCharCode(bytes[i] ?? 0);
    this.value = Number(text);
    return Number.isFinite(this.value) ? at : -1;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

// Finds the values of one event's columns in a line of JSON, without making an object of it. Knows the plain form that
// serializers write; whatever it does not recognize is not wrong yet: JSON.parse and the event's parser decide then. It
// must take nothing that they would not take, with the same values (a property test compares the two).
//
// Plain form: {"name":value,…} and a line end; at most one space behind a colon or a comma; text without escapes.
import { SYMBOL_LENGTH_MAX, VARCHAR_LENGTH_MAX } from "../../schema/columns.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { JsonNumber } from "./json_number.ts";

/** UTF-8 text with room to look at several bytes at a time. `end` is behind its last line end. */
export interface Lines {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly end: number;
}

/** More columns do not fit the bits of a number. */
const COLUMNS_MAX = 30;

const KINDS = { SYMBOL: 0, VARCHAR: 1, UUID: 2, DOUBLE: 3, LONG: 4, TIMESTAMP: 5, BOOLEAN: 6 } as const;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Four bytes as a little-endian integer. */
const word = (text: string) => Buffer.from(text).readInt32LE();
const [NULL, TRUE, FALSE] = [word("null"), word("true"), word("fals")];

/** Bytes that end a run of plain text: the quote, and what JSON does not have in a text as it is. */
const ENDS_TEXT = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < SPACE ? 1 : 0,
);

export class JsonScan {
  /** Of each text column, by its place in the event's wire order: where its value begins and ends, without quotes. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Of each other column; TRUE is 1; `ts` stands behind the last one. */
  readonly numbers: Float64Array;
  /** A bit for each column that has a value. */
  present = 0;

  readonly #kinds: Uint8Array;
  readonly #optional: number;
  readonly #required: number;
  readonly #allowed: readonly (readonly Buffer[] | undefined)[];
  /** `"name":` of each column: its bytes as words, the last one overlapping the one before. */
  readonly #keyWords: readonly Int32Array[];
  readonly #keyBytes: Uint8Array;
  /** Which column stood behind which one in the line before; the last entry is the first column of a line. */
  readonly #next: Uint8Array;
  readonly #number = new JsonNumber();

  constructor({ wire, columns }: Pick<EventDefinition, "wire" | "columns">) {
    const all = [...wire, { name: "ts", type: "TIMESTAMP" as const }];
    if (all.length > COLUMNS_MAX) throw new Error("too many columns");
    const bits = (match: (name: string) => boolean) =>
      all.reduce((mask, { name }, index) => (match(name) ? mask | (1 << index) : mask), 0);
    this.starts = new Int32Array(all.length);
    this.ends = new Int32Array(all.length);
    this.numbers = new Float64Array(all.length);
    this.#kinds = Uint8Array.from(all, ({ type }) => KINDS[type]);
    this.#optional = bits((name) => columns[name]?.presence === "optional");
    this.#required = bits((name) => columns[name]?.presence !== "optional");
    this.#allowed = all.map(({ name }) => columns[name]?.values?.map((value) => Buffer.from(value)));
    const keys = all.map(({ name }) => Buffer.from(`"${name}":`));
    this.#keyBytes = Uint8Array.from(keys, (key) => key.length);
    this.#keyWords = keys.map(wordsOf);
    this.#next = new Uint8Array(all.length + 1);
  }

  /** Reads the line at `from`. Returns the position behind its line end, or -1 when it is not plainly a row. */
  scan(lines: Lines, from: number): number {
    const { bytes, view } = lines;
    const kinds = this.#kinds;
    let at = from;
    if (bytes[at++] !== OPEN) return -1;
    let before = kinds.length;
    let seen = 0;
    let present = 0;
    for (;;) {
      let column = this.#next[before] ?? 0;
      if (!this.#isKey(lines, at, column)) {
        column = this.#columnAt(lines, at);
        if (column < 0) return -1;
        this.#next[before] = column;
      }
      before = column;
      const bit = 1 << column;
      if ((seen & bit) !== 0) return -1;
      seen |= bit;
      at += this.#keyBytes[column] ?? 0;
      if (bytes[at] === SPACE) at += 1;
      if (bytes[at] === 0x6e && (this.#optional & bit) !== 0) {
        if (at + 4 > lines.end || view.getInt32(at, true) !== NULL) return -1;
        at += 4;
      } else {
        at =
          (kinds[column] ?? 0) <= KINDS.UUID ? this.#text(bytes, at, column) : this.#other(lines, at, column);
        if (at < 0) return -1;
        present |= bit;
      }
      const byte = bytes[at++];
      if (byte === COMMA) {
        if (bytes[at] === SPACE) at += 1;
      } else if (byte === CLOSE) break;
      else return -1;
    }
    if (bytes[at] === CR) at += 1;
    if (bytes[at] !== LF || (present & this.#required) !== this.#required) return -1;
    this.present = present;
    return at + 1;
  }

  #isKey({ view, end }: Lines, at: number, column: number): boolean {
    const words = this.#keyWords[column];
    const keyBytes = this.#keyBytes[column] ?? 0;
    if (words === undefined || at + keyBytes > end) return false;
    const last = words.length - 1;
    for (let i = 0; i < last; i++) if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
    return view.getInt32(at + keyBytes - 4, true) === words[last];
  }

  #columnAt(lines: Lines, at: number): number {
    for (let column = 0; column < this.#kinds.length; column++)
      if (this.#isKey(lines, at, column)) return column;
    return -1;
  }

  #text(bytes: Buffer, at: number, column: number): number {
    if (bytes[at] !== QUOTE) return -1;
    const start = at + 1;
    let end = start;
    while (ENDS_TEXT[bytes[end] ?? 0] === 0) end += 1;
    if (bytes[end] !== QUOTE) return -1;
    this.starts[column] = start;
    this.ends[column] = end;
    const kind = this.#kinds[column];
    const length = end - start;
    if (kind === KINDS.UUID) return isUuid(bytes, start, end) ? end + 1 : -1;
    // A text has never more characters than bytes.
    if (kind === KINDS.VARCHAR) return length <= VARCHAR_LENGTH_MAX ? end + 1 : -1;
    const allowed = this.#allowed[column];
    if (allowed !== undefined) return isOneOf(bytes, start, end, allowed) ? end + 1 : -1;
    return length > 0 && length <= SYMBOL_LENGTH_MAX ? end + 1 : -1;
  }

  #other({ bytes, view, end }: Lines, at: number, column: number): number {
    const kind = this.#kinds[column];
    if (kind === KINDS.BOOLEAN) {
      if (at + 5 > end) return -1;
      const first = view.getInt32(at, true);
      this.numbers[column] = first === TRUE ? 1 : 0;
      if (first === TRUE) return at + 4;
      return first === FALSE && bytes[at + 4] === 0x65 ? at + 5 : -1;
    }
    const number = this.#number;
    const behind = number.read(bytes, at);
    if (behind < 0) return -1;
    const { value } = number;
    if (kind !== KINDS.DOUBLE && !Number.isSafeInteger(value)) return -1;
    if (kind === KINDS.TIMESTAMP && value < 0) return -1;
    this.numbers[column] = value;
    return behind;
  }
}

function wordsOf(key: Buffer): Int32Array {
  const whole = Math.ceil(key.length / 4) - 1;
  return Int32Array.from({ length: whole + 1 }, (_, i) =>
    key.readInt32LE(i < whole ? 4 * i : key.length - 4),
  );
}

function isOneOf(bytes: Buffer, start: number, end: number, allowed: readonly Buffer[]): boolean {
  for (const value of allowed) {
    if (value.length !== end - start) continue;
    let i = 0;
    while (i < value.length && bytes[start + i] === value[i]) i += 1;
    if (i === value.length) return true;
  }
  return false;
}

/** Eight, four, four, four and twelve hexadecimal digits. */
function isUuid(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const byte = bytes[start + i] ?? 0;
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    if (isDash ? byte !== 0x2d : HEXADECIMAL[byte] === 0) return false;
  }
  return true;
}

const HEXADECIMAL = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

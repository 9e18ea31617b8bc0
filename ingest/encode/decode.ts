// The way back: one line of the line protocol, version 2, as our encoders write it → table and values. For people
// (spool show, dead letters) and for bringing rows back; never in the hot path.
import { findEvent } from "../../schema/registry.ts";

const LF = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const DOUBLE_TAG = 16;

export interface DecodedLine {
  readonly table: string;
  /** As the event's parser takes it: `ts` and timestamps in microseconds. */
  readonly row: Readonly<Record<string, string | number | boolean>>;
}

/** The row in a line, or undefined when the bytes are not a line that our encoders could have written. */
export function decodeLine(bytes: Buffer): DecodedLine | undefined {
  try {
    return new LineReader(bytes).read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class LineReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): DecodedLine {
    const table = this.#name([COMMA, SPACE]);
    const isBoolean = booleanColumns(table);
    const row: Record<string, string | number | boolean> = {};
    while (this.#peek() === COMMA) {
      this.#at += 1;
      const name = this.#name([EQUALS]);
      this.#expect(EQUALS);
      row[name] = this.#name([COMMA, SPACE]);
    }
    this.#expect(SPACE);
    // Either fields, or (a row of symbols alone) the timestamp at once.
    while (!this.#isTimestampNext()) {
      const name = this.#name([EQUALS]);
      this.#expect(EQUALS);
      row[name] = this.#fieldValue(isBoolean.has(name));
      if (this.#peek() !== COMMA) this.#expect(SPACE);
      else this.#at += 1;
    }
    row["ts"] = this.#integer("t");
    this.#expect(LF);
    return { table, row };
  }

  #fieldValue(isBoolean: boolean): string | number | boolean {
    const first = this.#peek();
    if (first === QUOTE) return this.#quoted();
    if (first === EQUALS) return this.#double();
    if (isBoolean) return this.#bytes.toString("latin1", this.#at, ++this.#at) === "t";
    return this.#integer("it");
  }

  #quoted(): string {
    this.#expect(QUOTE);
    const start = this.#at;
    while (this.#peek() !== QUOTE) this.#at += this.#peek() === BACKSLASH ? 2 : 1;
    const text = unescaped(this.#bytes.subarray(start, this.#at));
    this.#expect(QUOTE);
    return text;
  }

  #double(): number {
    this.#expect(EQUALS);
    this.#expect(DOUBLE_TAG);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  #integer(suffixes: string): number {
    const start = this.#at;
    while (isDigitOrMinus(this.#peek())) this.#at += 1;
    const digits = this.#bytes.toString("latin1", start, this.#at);
    if (!suffixes.includes(String.fromCharCode(this.#peek()))) throw new RangeError("not an integer");
    this.#at += 1;
    return Number(digits);
  }

  #isTimestampNext(): boolean {
    let at = this.#at;
    while (isDigitOrMinus(this.#bytes[at] ?? 0)) at += 1;
    return at > this.#at && this.#bytes[at] === 0x74 && this.#bytes[at + 1] === LF;
  }

  #name(ends: readonly number[]): string {
    const start = this.#at;
    while (!ends.includes(this.#peek())) this.#at += this.#peek() === BACKSLASH ? 2 : 1;
    return unescaped(this.#bytes.subarray(start, this.#at));
  }

  #peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError("cut short");
    return byte;
  }

  #expect(byte: number): void {
    if (this.#peek() !== byte) throw new RangeError("not a line of ours");
    this.#at += 1;
  }
}

/** `t` and `f` look like nothing else, but only in a column that holds booleans. */
function booleanColumns(table: string): ReadonlySet<string> {
  const columns = Object.entries(findEvent(table)?.columns ?? {});
  return new Set(columns.filter(([, { type }]) => type === "BOOLEAN").map(([name]) => name));
}

function isDigitOrMinus(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d;
}

function unescaped(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/\\([\s\S])/g, "$1");
}

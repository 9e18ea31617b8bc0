// The two forms in which rows arrive, taken in turns so that other work of the process gets a turn as well: as values, or
// as NDJSON text, whose lines go straight to the wire where they are plain.
import { isUtf8 } from "node:buffer";
import type { Lines } from "../encode/json_scan.ts";
import type { Lane, Moment, Refusal } from "./lane.ts";
import { lineEnd, ndjsonRows, sliceEnd } from "./ndjson_rows.ts";

/** Rows, and bytes of text, handled in a turn: some milliseconds of work. */
const ROWS_PER_TURN = 4096;
const BYTES_PER_TURN = 524_288;

/** An input that was refused: its place, itself, and why. */
export interface Refused extends Refusal {
  readonly index: number;
  readonly input: unknown;
}

/** Rows of one table on their way into its lane; without a lane there is no such table. */
export interface Input {
  readonly isDone: boolean;
  /** Rows taken or refused so far. */
  readonly rows: number;
  readonly refused: readonly Refused[];
  /** Handles some more, in order. */
  turn(lane: Lane | undefined, moment: Moment | undefined): void;
}

const UNKNOWN_TABLE: Refusal = {
  reason: "unknown_table",
  message: "there is no such table: see GET /v1/tables",
};

export class ValuesInput implements Input {
  readonly refused: Refused[] = [];
  rows = 0;
  readonly #values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  get isDone(): boolean {
    return this.rows >= this.#values.length;
  }

  turn(lane: Lane | undefined, moment: Moment | undefined): void {
    const to = Math.min(this.#values.length, this.rows + ROWS_PER_TURN);
    for (; this.rows < to; this.rows++) takeValue(this, this.#values[this.rows], lane, moment);
  }
}

/** Lines in a row that are not plain, after which the others of the slice are parsed together. */
const UNUSUAL_LINES_MAX = 8;

export class LinesInput implements Input {
  readonly refused: Refused[] = [];
  rows = 0;
  readonly #text: Buffer;
  /** Up to the last line end; nothing of text that is not UTF-8. */
  readonly #lines: Lines;
  #at = 0;
  #unusual = 0;

  constructor(text: Buffer) {
    this.#text = text;
    const view = new DataView(text.buffer, text.byteOffset, text.length);
    this.#lines = { bytes: text, view, end: isUtf8(text) ? text.lastIndexOf("\n") + 1 : 0 };
  }

  get isDone(): boolean {
    return this.#at >= this.#text.length;
  }

  turn(lane: Lane | undefined, moment: Moment | undefined): void {
    const [toRow, toByte] = [this.rows + ROWS_PER_TURN, this.#at + BYTES_PER_TURN];
    while (this.rows < toRow && this.#at < toByte && !this.isDone) {
      if (lane === undefined || moment === undefined || this.#at >= this.#lines.end)
        this.#slice(lane, moment);
      else if (this.#unusual >= UNUSUAL_LINES_MAX) this.#slice(lane, moment);
      else this.#line(lane, moment);
    }
  }

  #line(lane: Lane, moment: Moment): void {
    const behind = lane.takeLine(this.#lines, this.#at, moment);
    if (behind > 0) {
      this.#at = behind;
      this.rows += 1;
      this.#unusual = 0;
      return;
    }
    this.#unusual += 1;
    this.#parsed(lineEnd(this.#text, this.#at), lane, moment);
  }

  #slice(lane: Lane | undefined, moment: Moment | undefined): void {
    this.#unusual = 0;
    this.#parsed(sliceEnd(this.#text, this.#at), lane, moment);
  }

  #parsed(to: number, lane: Lane | undefined, moment: Moment | undefined): void {
    const values = ndjsonRows(this.#text.subarray(this.#at, to));
    this.#at = to;
    for (const value of values) {
      takeValue(this, value, lane, moment);
      this.rows += 1;
    }
  }
}

function takeValue(
  { refused, rows: index }: { readonly refused: Refused[]; readonly rows: number },
  input: unknown,
  lane: Lane | undefined,
  moment: Moment | undefined,
): void {
  const refusal = lane === undefined || moment === undefined ? UNKNOWN_TABLE : lane.take(input, moment);
  if (refusal !== undefined) refused.push({ index, input, reason: refusal.reason, message: refusal.message });
}

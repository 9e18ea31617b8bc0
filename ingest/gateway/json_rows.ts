// JSON body (one object, or an array of them) → rows. A large array is cut between its elements and parsed in slices,
// so that 16 MB of it don't hold up the event loop for a quarter of a second.
import { isUtf8 } from "node:buffer";
import { isBlank, notJson, parsed, SLICE_BYTES } from "../intake/json_text.ts";
import { MalformedLine } from "../intake/malformed.ts";
import type { Pace } from "./pace.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * The elements of an array, or the one value as the only row. A body that is not JSON is one MalformedLine with the
 * whole of it: none of its rows is taken, since it cannot be told which are complete.
 */
export async function jsonRows(body: Buffer, pace: Pace): Promise<unknown[]> {
  if (body.length > 2 * SLICE_BYTES && body[0] === OPENING_BRACKET && isUtf8(body)) {
    const outcome = await largeArrayRows(body, pace);
    return outcome.ok ? outcome.rows : [new MalformedLine(body.toString("utf8"), outcome.message)];
  }
  const outcome = parsed(body);
  if (!outcome.ok) return [outcome.bad];
  return Array.isArray(outcome.value) ? outcome.value : [outcome.value];
}

type ArrayOutcome =
  | { readonly ok: true; readonly rows: unknown[] }
  | { readonly ok: false; readonly message: string };

/** Each slice is a list of whole elements; all of them parse if and only if the array does. */
async function largeArrayRows(body: Buffer, pace: Pace): Promise<ArrayOutcome> {
  const rows: unknown[] = [];
  const cuts = new ArrayCuts(body);
  for (let start = 1; ; ) {
    const cut = cuts.next();
    if (cut === undefined) return { ok: false, message: "not JSON: the array is not closed" };
    try {
      const values: unknown = JSON.parse(`[${body.toString("utf8", start, cut.at)}]`);
      if (!Array.isArray(values)) return { ok: false, message: "not JSON: not an array" };
      const only = start === 1 && cut.last;
      if (values.length === 0 && !only) return { ok: false, message: "not JSON: an element is missing" };
      for (const value of values) rows.push(value);
    } catch (error) {
      return { ok: false, message: notJson(error) };
    }
    if (cut.last) {
      const rest = isBlank(body.subarray(cut.at + 1));
      return rest ? { ok: true, rows } : { ok: false, message: "not JSON: something follows the array" };
    }
    start = cut.at + 1;
    await pace.breathe();
  }
}

/** Finds commas between elements, at least a slice apart, and then the bracket that closes the array. */
class ArrayCuts {
  readonly #body: Buffer;
  #at = 1;

  constructor(body: Buffer) {
    this.#body = body;
  }

  next(): { readonly at: number; readonly last: boolean } | undefined {
    const body = this.#body;
    const due = this.#at + SLICE_BYTES;
    let depth = 1;
    let inString = false;
    for (let at = this.#at; at < body.length; at++) {
      const byte = body[at];
      if (inString) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) depth++;
      else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
        depth--;
        if (depth === 0) return byte === CLOSING_BRACKET ? { at, last: true } : undefined;
      } else if (byte === COMMA && depth === 1 && at >= due) {
        this.#at = at + 1;
        return { at, last: false };
      }
    }
    return undefined;
  }
}

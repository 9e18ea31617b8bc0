// Small steps shared by those who read JSON: bytes to text, the words for text that is not JSON. Pure.
import { isUtf8 } from "node:buffer";
import { messageOf } from "../errors.ts";
import { MalformedLine } from "./malformed.ts";

/** How much of a body is parsed at a time: large enough for speed, a few milliseconds of work at most. */
export const SLICE_BYTES = 65_536;

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly bad: MalformedLine };

/** Without a byte order mark, which some editors and shells put in front. */
export function withoutMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}

/** One JSON text. Bytes that are not UTF-8 are refused, not replaced: a replaced character would be another value. */
export function parsed(bytes: Buffer): Parsed {
  if (!isUtf8(bytes)) {
    return { ok: false, bad: new MalformedLine(bytes.toString("latin1"), "not UTF-8 text") };
  }
  const text = bytes.toString("utf8");
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, bad: new MalformedLine(text, notJson(error)) };
  }
}

/** The parser's own words, which tell the place, cut to a readable length. */
export function notJson(error: unknown): string {
  const message = messageOf(error).replaceAll(/\s+/g, " ");
  return `not JSON: ${message.length > 160 ? `${message.slice(0, 160)}…` : message}`;
}

/** True when there is nothing but spaces, tabs and line ends. */
export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a);
}

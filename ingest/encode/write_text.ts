// Text with the line protocol's escapes. ASCII goes byte by byte; the first other character switches to the platform's
// UTF-8 encoder for the whole text (lone surrogates become U+FFFD there, as in the official client).
import type { ByteBuffer } from "./byte_buffer.ts";

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

const SYMBOL_ESCAPES = escapeTable([SPACE, COMMA, EQUALS, LF, CR, BACKSLASH]);
const QUOTED_ESCAPES = escapeTable([QUOTE, LF, CR, BACKSLASH]);

const SYMBOL_SPECIAL = /[ ,=\n\r\\]/g;
const QUOTED_SPECIAL = /["\n\r\\]/g;

/** A symbol's value: unquoted, escaped. */
export function writeSymbol(out: ByteBuffer, text: string): void {
  writeEscaped(out, text, SYMBOL_ESCAPES, SYMBOL_SPECIAL);
}

/** A text in double quotes, escaped. */
export function writeQuoted(out: ByteBuffer, text: string): void {
  out.reserve(1);
  out.bytes[out.length++] = QUOTE;
  writeEscaped(out, text, QUOTED_ESCAPES, QUOTED_SPECIAL);
  out.reserve(1);
  out.bytes[out.length++] = QUOTE;
}

function writeEscaped(out: ByteBuffer, text: string, escapes: Uint8Array, special: RegExp): void {
  // Three bytes a UTF-16 unit at the most, two for an escaped ASCII character.
  out.reserve(text.length * 3);
  const { bytes } = out;
  let at = out.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      out.length += bytes.write(text.replace(special, "\\$&"), out.length, "utf8");
      return;
    }
    if (escapes[code] === 1) bytes[at++] = BACKSLASH;
    bytes[at++] = code;
  }
  out.length = at;
}

function escapeTable(codes: readonly number[]): Uint8Array {
  const table = new Uint8Array(128);
  for (const code of codes) table[code] = 1;
  return table;
}

// Text with the line protocol's escapes, written straight into a buffer that has room for three bytes a UTF-16 unit.
// In names and symbols \ stands before space , = \n \r \; in quoted text before " \n \r \.
// ASCII goes byte by byte; the first other character switches to the platform's UTF-8 encoder for the whole text (lone
// surrogates become U+FFFD there, as in the official client).

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

/** A symbol's value: unquoted, escaped. Returns the position behind it. */
export function writeSymbol(bytes: Buffer, position: number, text: string): number {
  let at = position;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return writeUnicode(bytes, position, text, SYMBOL_SPECIAL);
    if (SYMBOL_ESCAPES[code] === 1) bytes[at++] = BACKSLASH;
    bytes[at++] = code;
  }
  return at;
}

/** A text in double quotes, escaped. Needs two bytes more than its characters. */
export function writeQuoted(bytes: Buffer, position: number, text: string): number {
  let at = position;
  bytes[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      at = writeUnicode(bytes, position + 1, text, QUOTED_SPECIAL);
      break;
    }
    if (QUOTED_ESCAPES[code] === 1) bytes[at++] = BACKSLASH;
    bytes[at++] = code;
  }
  bytes[at++] = QUOTE;
  return at;
}

/** A symbol's value as it stands in `source` in UTF-8: escaped. Returns the position behind it. */
export function copySymbol(
  source: Buffer,
  start: number,
  end: number,
  bytes: Buffer,
  position: number,
): number {
  let at = position;
  for (let i = start; i < end; i++) {
    const byte = source[i] ?? 0;
    if (SYMBOL_ESCAPES[byte] === 1) bytes[at++] = BACKSLASH;
    bytes[at++] = byte;
  }
  return at;
}

/** A text of `source` in double quotes; there must be nothing in it to escape. */
export function copyQuoted(
  source: Buffer,
  start: number,
  end: number,
  bytes: Buffer,
  position: number,
): number {
  let at = position;
  bytes[at++] = QUOTE;
  if (end - start > COPIED_ONE_BY_ONE_MAX) at += source.copy(bytes, at, start, end);
  else for (let i = start; i < end; i++) bytes[at++] = source[i] ?? 0;
  bytes[at++] = QUOTE;
  return at;
}

/** Up to here a loop is faster than a call. */
const COPIED_ONE_BY_ONE_MAX = 48;

function writeUnicode(bytes: Buffer, position: number, text: string, special: RegExp): number {
  return position + bytes.write(text.replace(special, "\\$&"), position, "utf8");
}

function escapeTable(codes: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const code of codes) table[code] = 1;
  return table;
}

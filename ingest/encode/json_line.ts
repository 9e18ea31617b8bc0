// A line of JSON straight to a row on the wire: found by json_scan.ts, written by the encoder's own code (native.ts). The
// bytes, the key and the checks are those of the long way over JSON.parse, the event's parser and its encoder.
import type { EventDefinition } from "../../schema/define.ts";
import type { ByteBuffer } from "./byte_buffer.ts";
import { JsonScan, type Lines } from "./json_scan.ts";
import { encoderSource, type RowAccess } from "./native.ts";
import { writeInteger, writeTime } from "./write_integer.ts";
import { copyQuoted, copySymbol } from "./write_text.ts";

/** Writes the row that was scanned last. */
type WriteLine = (scan: JsonScan, lines: Buffer, out: ByteBuffer, keys: Int32Array, at: number) => void;

const TOOLS = { writeInteger, writeTime, copyQuoted, copySymbol };

/** What a scan found in `lines`. */
const LINE: RowAccess = {
  parameters: "line, lines",
  declarations: () => "const { starts, ends, numbers, present } = line;",
  isPresent: (_, index) => `(present & ${1 << index}) !== 0`,
  // Of plain text only symbols have anything to escape.
  textBytesMax: (_, index) => `(ends[${index}] - starts[${index}]) * 2`,
  preparation: () => "",
  text: (_, index) => `p = copyQuoted(lines, starts[${index}], ends[${index}], b, p);`,
  symbol: (_, index, hash) => `s = p; p = copySymbol(lines, starts[${index}], ends[${index}], b, p); ${hash}`,
  number: ({ type }, index) => `numbers[${index}]${type === "BOOLEAN" ? " === 1" : ""}`,
  ts: "numbers[numbers.length - 1]",
};

/** Reads lines of one event. */
export interface JsonLines {
  /** Position behind the line at `from`, which has been read, or -1: then it is a case for the long way. */
  read(lines: Lines, from: number): number;
  /** `ts` of the line that was read last. */
  ts(): number;
  /** Appends it as a row, and its key, as an EncodeRow does. */
  write(lines: Lines, out: ByteBuffer, keys: Int32Array, at: number): void;
}

/** For the lines of one event. Compiled once per event; keep it. */
export function jsonLines(event: EventDefinition): JsonLines {
  const scan = new JsonScan(event);
  const write: WriteLine = new Function("tools", encoderSource(event, LINE, TOOLS))(TOOLS);
  const tsAt = scan.numbers.length - 1;
  return {
    read: (lines, from) => scan.scan(lines, from),
    ts: () => scan.numbers[tsAt] ?? 0,
    write: ({ bytes }, out, keys, at) => write(scan, bytes, out, keys, at),
  };
}

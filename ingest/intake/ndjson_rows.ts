// NDJSON → rows by JSON.parse: a slice of whole lines becomes one JSON array and is parsed in one call, which is faster
// than a call per line. A slice where that fails is read line by line, so a bad line costs only itself. Pure.
import { isUtf8 } from "node:buffer";
import { isBlank, parsed, SLICE_BYTES } from "./json_text.ts";

const NEWLINE = 0x0a;

/** End of the slice of whole lines that begins at `start`: behind the last line end within its size, or the first after it. */
export function sliceEnd(text: Buffer, start: number): number {
  const due = start + SLICE_BYTES;
  if (due >= text.length) return text.length;
  const last = text.lastIndexOf(NEWLINE, due - 1);
  if (last >= start) return last + 1;
  return lineEnd(text, due);
}

/** Behind the line end at or after `from`. */
export function lineEnd(text: Buffer, from: number): number {
  const found = text.indexOf(NEWLINE, from);
  return found === -1 ? text.length : found + 1;
}

/** One entry for each line that is not blank, in order: its value, or a MalformedLine. */
export function ndjsonRows(slice: Buffer): readonly unknown[] {
  const together = isUtf8(slice) ? joined(slice.toString("utf8")) : undefined;
  return together ?? linesOf(slice);
}

/**
 * The slice parsed as one array; undefined when it has to be read line by line. Joining could hide a bad line that a
 * neighbour completes, so lines are joined only between `}` and `{`, and there must be as many values as lines. What
 * still gets by has an array in a field, and no column takes one.
 */
function joined(slice: string): readonly unknown[] | undefined {
  const text = slice.endsWith("\n") ? slice.slice(0, -1) : slice;
  // One character longer per line end, so the difference in length counts the lines.
  const list = text.replaceAll("}\n{", "}, {");
  if (list.includes("\n")) return undefined;
  try {
    const values: unknown = JSON.parse(`[${list}]`);
    return Array.isArray(values) && values.length === list.length - text.length + 1 ? values : undefined;
  } catch {
    return undefined;
  }
}

function linesOf(slice: Buffer): unknown[] {
  const rows: unknown[] = [];
  for (let start = 0; start < slice.length; ) {
    const end = lineEnd(slice, start);
    const line = slice.subarray(start, slice[end - 1] === NEWLINE ? end - 1 : end);
    start = end;
    if (isBlank(line)) continue;
    const outcome = parsed(line);
    rows.push(outcome.ok ? outcome.value : outcome.bad);
  }
  return rows;
}

// NDJSON body → rows, quickly: a slice of whole lines becomes one JSON array and is parsed in one call, which is
// faster than a call per line. A slice where that fails is read line by line, so a bad line costs only itself.
import { isUtf8 } from "node:buffer";
import { isBlank, parsed, SLICE_BYTES } from "./json_text.ts";
import type { Pace } from "./pace.ts";

const NEWLINE = 0x0a;

/**
 * One entry per line that is not blank, in order: its value, or a MalformedLine. So an entry's index is the row's
 * place in the request. Other work of the process runs between slices.
 */
export async function ndjsonRows(body: Buffer, pace: Pace): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (let start = 0; start < body.length; ) {
    const end = sliceEnd(body, start);
    appendSlice(rows, body.subarray(start, end));
    start = end;
    await pace.breathe();
  }
  return rows;
}

/** Behind the last line end within the slice's size, or behind the first one after it. */
function sliceEnd(body: Buffer, start: number): number {
  const due = start + SLICE_BYTES;
  if (due >= body.length) return body.length;
  const last = body.lastIndexOf(NEWLINE, due - 1);
  if (last >= start) return last + 1;
  const next = body.indexOf(NEWLINE, due);
  return next === -1 ? body.length : next + 1;
}

function appendSlice(rows: unknown[], slice: Buffer): void {
  const together = isUtf8(slice) ? joined(slice.toString("utf8")) : undefined;
  if (together === undefined) appendLines(rows, slice);
  else for (const row of together) rows.push(row);
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

function appendLines(rows: unknown[], slice: Buffer): void {
  for (let start = 0; start < slice.length; ) {
    const found = slice.indexOf(NEWLINE, start);
    const end = found === -1 ? slice.length : found;
    const line = slice.subarray(start, end);
    start = end + 1;
    if (isBlank(line)) continue;
    const outcome = parsed(line);
    rows.push(outcome.ok ? outcome.value : outcome.bad);
  }
}

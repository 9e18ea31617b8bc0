// The long way from NDJSON to values, all slices of it: what the intake does with lines that are not plain.
import { ndjsonRows, sliceEnd } from "../../ingest/intake/ndjson_rows.ts";

export function readNdjson(text: Buffer): unknown[] {
  const rows: unknown[] = [];
  for (let start = 0; start < text.length; ) {
    const end = sliceEnd(text, start);
    rows.push(...ndjsonRows(text.subarray(start, end)));
    start = end;
  }
  return rows;
}

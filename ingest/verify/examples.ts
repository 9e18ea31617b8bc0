// Finds the rows behind keys that do not fit: missing ones in what is left of the spool, others in QuestDB.

import { microsToIso } from "../../schema/timestamp_text.ts";
import { decodeLine } from "../encode/decode.ts";
import type { KeyedTable } from "../encode/value_key.ts";
import { US_PER_MINUTE } from "../ledger/minute_keys.ts";
import { OpenKeys, type TableKeys } from "../ledger/open_keys.ts";
import type { Sql } from "../questdb/sql.ts";
import { rowBytes } from "../spool/frame.ts";
import type { Storage } from "../spool/storage.ts";
import { type Example, minuteIso } from "./report.ts";
import { spoolFrames } from "./spool_frames.ts";
import { storedRows } from "./stored_rows.ts";
import type { Suspects } from "./table_audit.ts";

/** 16 hex digits. */
function keyText(keys: Int32Array, at: number): string {
  const half = (value = 0) => (value >>> 0).toString(16).padStart(8, "0");
  return half(keys[at + 1]) + half(keys[at]);
}

/** Missing rows: how many are still in a segment, and the first few. Reads the segments that have rows of the table. */
export async function missingRows(
  spool: Storage,
  table: string,
  tables: ReadonlyMap<string, TableKeys>,
  missing: readonly Suspects[],
  examplesMax: number,
): Promise<{ readonly stillInSpool: number; readonly examples: Example[] }> {
  const wanted = minutesByKey(missing);
  const found = new Map<string, Example>();
  for await (const { frame } of spoolFrames(spool, (name) => name === table)) {
    const open = new OpenKeys(tables);
    open.add({ ...frame, minTs: 0, maxTs: 0 });
    const [group] = open.take();
    for (let row = 0; group !== undefined && row < frame.rowCount; row++) {
      const key = keyText(group.keys, 2 * row);
      if (!wanted.has(key)) continue;
      const decoded = decodeLine(rowBytes(frame, row))?.row;
      const ts = microsToIso(Number(decoded?.["ts"] ?? 0));
      found.set(key, { what: "missing", key, ts, ...(decoded === undefined ? {} : { row: decoded }) });
    }
  }
  const examples = [...found.values()];
  for (const [key, minute] of wanted) {
    if (examples.length >= examplesMax) break;
    if (!found.has(key)) examples.push({ what: "missing", key, ts: minuteIso(minute) });
  }
  return { stillInSpool: found.size, examples: examples.slice(0, examplesMax) };
}

/** The first few stored rows with these keys. */
export async function storedExamples(
  sql: Sql,
  table: KeyedTable,
  what: "doubled" | "foreign",
  suspects: readonly Suspects[],
  examplesMax: number,
  signal?: AbortSignal,
): Promise<Example[]> {
  const examples: Example[] = [];
  for (const { minute, keys } of suspects) {
    if (examples.length >= examplesMax) break;
    const wanted = minutesByKey([{ minute, keys }]);
    const stretch = { fromUs: minute * US_PER_MINUTE, toUs: (minute + 1) * US_PER_MINUTE };
    for await (const { ts, values, key } of storedRows(
      sql,
      table,
      stretch,
      Number.MAX_SAFE_INTEGER,
      signal,
    )) {
      const text = keyText(key, 0);
      if (!wanted.has(text)) continue;
      examples.push({ what, key: text, ts: microsToIso(ts), row: { ...values, ts } });
      if (examples.length >= examplesMax) break;
    }
  }
  return examples;
}

/** Keys as text, each with its minute. */
function minutesByKey(suspects: readonly Suspects[]): Map<string, number> {
  const minutes = new Map<string, number>();
  for (const { minute, keys } of suspects)
    for (let at = 0; at < keys.length; at += 2) minutes.set(keyText(keys, at), minute);
  return minutes;
}

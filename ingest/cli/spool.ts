// `tickwatch spool list` and `spool show`: what waits on disk, for people and for jq.

import { microsToIso } from "../../schema/timestamp_text.ts";
import { decodeLine } from "../encode/decode.ts";
import { rowBytes } from "../spool/frame.ts";
import { listSpool, spooledFrames } from "../spool/inspect.ts";
import type { CliIo } from "./io.ts";

export interface SpoolShowFlags {
  readonly table: string | undefined;
  readonly limit: number;
  /** Delivered rows that are still on disk as well. */
  readonly all: boolean;
}

/** Segments, and undelivered rows by table. */
export async function spoolList(io: CliIo, folder: string): Promise<number> {
  const { owner, segments, pending } = await listSpool(folder);
  io.out(
    `spool ${folder}, ${owner === undefined ? "not in use" : `in use by process ${owner.pid} since ${owner.startedAt}`}`,
  );
  for (const { name, bytes, sealed, damaged } of segments) {
    const damage = damaged > 0 ? `, ${damaged} damaged places` : "";
    io.out(`  ${name}  ${bytes} bytes, ${sealed ? "sealed" : "open"}${damage}`);
  }
  if (pending.length === 0) io.out("nothing waits for delivery");
  for (const { table, rows, bytes, oldestUs } of pending) {
    io.out(`  ${table}  ${rows} rows (${bytes} bytes) wait, the oldest since ${microsToIso(oldestUs)}`);
  }
  return 0;
}

/** One JSON object a row: seq, table, delivered, row. */
export async function spoolShow(
  io: CliIo,
  folder: string,
  { table, limit, all }: SpoolShowFlags,
): Promise<number> {
  let left = limit;
  for await (const { seq, delivered, frame } of spooledFrames(folder)) {
    if (delivered && !all) continue;
    if (table !== undefined && frame.table !== table) continue;
    for (let index = 0; index < frame.rowCount; index++) {
      if (left <= 0) return 0;
      left -= 1;
      const bytes = rowBytes(frame, index);
      const row = decodeLine(bytes)?.row ?? { bytes: bytes.toString("base64") };
      io.out(JSON.stringify({ seq, table: frame.table, delivered, row }));
    }
  }
  return 0;
}

// `tickwatch spool list` and `spool show`: what waits on disk, for people and for jq.

import { microsToIso } from "../../schema/timestamp_text.ts";
import { dataFolders } from "../config/data_dir.ts";
import { decodeLine } from "../encode/decode.ts";
import { rowBytes } from "../spool/frame.ts";
import { listSpool, spooledFrames } from "../spool/inspect.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export interface SpoolFlags extends GlobalOptions {
  readonly table?: string;
  readonly limit?: number;
  /** Delivered rows that are still on disk as well. */
  readonly all?: boolean;
  readonly demo?: boolean;
}

/** Segments, and undelivered rows by table. */
export async function spoolList(io: CliIo, flags: SpoolFlags): Promise<number> {
  const folder = spoolFolder(io, flags);
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
export async function spoolShow(io: CliIo, flags: SpoolFlags): Promise<number> {
  const { table, limit, all } = flags;
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const { seq, delivered, frame } of spooledFrames(spoolFolder(io, flags))) {
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

function spoolFolder(io: CliIo, flags: SpoolFlags): string {
  const { config } = configurationFor(io, flags);
  return dataFolders(config.dataDir, io.cwd, flags.demo === true).spoolDir;
}

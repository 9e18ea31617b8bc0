// Brings dead letters back through the intake, after their cause is mended. Runs inside the service, which owns the
// dead-letter files; whatever is refused again becomes a new dead letter with its new reason.
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { type DeadLetter, type DeadLetterWriter, linesOf, parseDeadLetter } from "./dead_letter.ts";
import type { Intake } from "./intake.ts";
import { MalformedLine } from "./malformed.ts";

/** Which dead letters; an absent field means all. */
export interface ReplayFilter {
  readonly table?: string | undefined;
  readonly reason?: string | undefined;
}

export interface ReplayResult {
  /** Accepted now: they are in the spool. */
  readonly accepted: number;
  /** Refused again; they are dead letters with the new reason. */
  readonly rejected: number;
  /** Not asked for, or without a row that could be handed over: kept as they were. */
  readonly kept: number;
}

const BATCH_ROWS = 1_000;

export interface ReplayOptions {
  readonly folder: string;
  readonly deadLetters: DeadLetterWriter;
  readonly accept: Intake["accept"];
}

/**
 * Replays every complete file. A file is deleted only after all its entries are durable elsewhere; a crash in between
 * makes some of them come twice, which the tables absorb. Rejects as `accept` does; what was done until then stands.
 */
export async function replayDeadLetters(options: ReplayOptions, filter: ReplayFilter): Promise<ReplayResult> {
  const total = { accepted: 0, rejected: 0, kept: 0 };
  for (const name of await options.deadLetters.rotate()) {
    const path = join(options.folder, name);
    const batches = new Map<string, unknown[]>();
    const flush = async (table: string, rows: unknown[]) => {
      batches.delete(table);
      const { accepted, rejected } = await options.accept(table, rows);
      total.accepted += accepted;
      total.rejected += rejected.length;
    };
    for await (const line of linesOf(path)) {
      const entry = parseDeadLetter(line);
      if (entry === undefined) continue; // cut short by a crash: it was never told to anybody
      const row = replayable(entry, filter);
      if (row === undefined) {
        await options.deadLetters.keep(entry);
        total.kept += 1;
        continue;
      }
      const rows = batches.get(entry.table) ?? [];
      rows.push(row.value);
      batches.set(entry.table, rows);
      if (rows.length >= BATCH_ROWS) await flush(entry.table, rows);
    }
    for (const [table, rows] of [...batches]) await flush(table, rows);
    await unlink(path);
  }
  return total;
}

/** What to hand over for an entry; undefined when it is to be kept. */
function replayable(entry: DeadLetter, filter: ReplayFilter): { readonly value: unknown } | undefined {
  if (filter.table !== undefined && entry.table !== filter.table) return undefined;
  if (filter.reason !== undefined && entry.reason !== filter.reason) return undefined;
  if (entry.row === undefined) return undefined;
  if (typeof entry.row !== "string") return { value: entry.row };
  try {
    return { value: JSON.parse(entry.row) };
  } catch {
    return { value: new MalformedLine(entry.row, "still not JSON") };
  }
}

// How far each table's write-ahead log has been applied: what is committed becomes queryable when the writer's
// transaction has caught up with the sequencer's.
import * as z from "zod";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import type { Sql } from "./sql.ts";

export interface WalProgress {
  /** Number of the newest committed transaction. A 204 to a POST means that its transaction is counted here. */
  readonly sequencerTxn: number;
  /** Number of the newest transaction whose rows queries see. */
  readonly writerTxn: number;
  /** The table takes commits but applies none, until a person resumes it. */
  readonly suspended: boolean;
  /** Why it is suspended; empty when it is not. */
  readonly reason: string;
}

const WalTable = z.object({
  name: z.string(),
  suspended: z.boolean(),
  writerTxn: z.number(),
  sequencerTxn: z.number(),
  errorTag: z.string().nullish(),
  errorMessage: z.string().nullish(),
});

/** Progress of every WAL table, in one cheap query that reads no data. */
export async function readWalProgress(
  sql: Sql,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, WalProgress>> {
  const rows = await sql.select(WalTable, "SELECT * FROM wal_tables()", [], signal);
  return new Map(
    rows.map(({ name, suspended, writerTxn, sequencerTxn, errorTag, errorMessage }) => [
      name,
      { suspended, writerTxn, sequencerTxn, reason: [errorTag, errorMessage].filter(Boolean).join(": ") },
    ]),
  );
}

/**
 * All that was committed when `before` was read is queryable when `now` was read. To time a write: POST, read `before`
 * after its 204, then read `now` until this is true.
 */
export function isApplied(before: WalProgress | undefined, now: WalProgress | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  return now.writerTxn >= before.sequencerTxn;
}

const POLL_MS = 20;

/**
 * Waits until all that is committed to the table now is applied; returns at once for a table without WAL. Throws DB_SQL
 * when the table is suspended, DB_UNAVAILABLE when it takes longer than `timeoutMs`.
 */
export async function waitUntilApplied(
  sql: Sql,
  table: string,
  limits: { readonly clock: Clock; readonly timeoutMs: number },
  signal?: AbortSignal,
): Promise<void> {
  const { clock, timeoutMs } = limits;
  const untilMs = clock.monotonicMs() + timeoutMs;
  const before = (await readWalProgress(sql, signal)).get(table);
  if (before === undefined) return;
  for (;;) {
    const now = (await readWalProgress(sql, signal)).get(table);
    if (now === undefined || isApplied(before, now)) return;
    if (now.suspended) {
      const message = `table ${table} is suspended (${now.reason || "no reason given"}): repair it, then ALTER TABLE "${table}" RESUME WAL`;
      throw new TickwatchError("DB_SQL", message);
    }
    if (clock.monotonicMs() > untilMs) {
      throw new TickwatchError(
        "DB_UNAVAILABLE",
        `table ${table} applies its log too slowly: try again later`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}

// Waits until queries see what QuestDB had committed: its answers come before its tables show the rows.
import type { Clock } from "../clock.ts";
import type { Sql } from "../questdb/sql.ts";
import { isApplied, readWalProgress } from "../questdb/wal_progress.ts";

const TIMEOUT_MS = 60_000;
const POLL_MS = 20;

/** Resolves when all tables show what was committed at the call. Returns, by table, why one does not. */
export async function untilApplied(
  sql: Sql,
  tables: readonly string[],
  clock: Clock,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const untilMs = clock.monotonicMs() + TIMEOUT_MS;
  const before = await readWalProgress(sql, signal);
  const waiting = new Set(tables.filter((table) => before.has(table)));
  const troubles = new Map<string, string>();
  for (;;) {
    const now = await readWalProgress(sql, signal);
    for (const table of waiting) {
      const progress = now.get(table);
      if (progress === undefined || isApplied(before.get(table), progress)) waiting.delete(table);
      else if (progress.suspended) {
        waiting.delete(table);
        const reason = progress.reason || "no reason given";
        troubles.set(table, `suspended, so that rows are stored but not shown (${reason})`);
      }
    }
    if (waiting.size === 0) return troubles;
    if (clock.monotonicMs() > untilMs) {
      for (const table of waiting) troubles.set(table, "applies its log too slowly to show all rows yet");
      return troubles;
    }
    await clock.sleep(POLL_MS, signal);
  }
}

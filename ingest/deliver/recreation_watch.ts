// Notices tables that were dropped and made again while nobody wrote to them. QuestDB (9.3) then confirms the first
// request of every connection that knew the old table, with a 204, and stores nothing of it. Knows ids, not SQL.
import type { Clock } from "../clock.ts";

export interface RecreationWatchOptions {
  /** Ids of all tables by name. Rejects when the database does not answer. */
  readonly readTableIds: (signal: AbortSignal) => Promise<ReadonlyMap<string, number>>;
  readonly clock: Clock;
  /** The name stands for another table than at the last look. */
  readonly onRecreated: (table: string) => void;
}

/** Much shorter than the grace time (`spool.graceS`), within which swallowed rows can still be sent again. */
const EVERY_MS = 2_000;

/** Looks until the signal aborts. Never rejects: without an answer it looks again later. */
export async function watchRecreations(options: RecreationWatchOptions, signal: AbortSignal): Promise<void> {
  const { clock, readTableIds, onRecreated } = options;
  const known = new Map<string, number>();
  while (!signal.aborted) {
    const ids = await readTableIds(signal).catch(() => new Map<string, number>());
    for (const [table, id] of ids) {
      // A table that is missing keeps its old id until it is back.
      if ((known.get(table) ?? id) !== id) onRecreated(table);
      known.set(table, id);
    }
    await clock.sleep(EVERY_MS, signal);
  }
}

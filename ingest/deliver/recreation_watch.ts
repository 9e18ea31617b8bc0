// Notices tables that were dropped, and made again, while hardly anybody wrote to them. QuestDB (9.3) then confirms the
// first request of every connection that knew the old table, with a 204, and stores nothing of it. Knows ids, not SQL.
import type { Clock } from "../clock.ts";

export interface RecreationWatchOptions {
  /** Ids of all tables by name. Rejects when the database does not answer. */
  readonly readTableIds: (signal: AbortSignal) => Promise<ReadonlyMap<string, number>>;
  readonly clock: Clock;
  /** The name stands for no table any more, or for another one than at the last look. */
  readonly onChanged: (table: string) => void;
}

/** Much shorter than the grace time (`spool.graceS`), within which swallowed rows can still be sent again. */
const EVERY_MS = 2_000;

export interface RecreationWatch {
  /** Looks until the signal aborts. Never rejects: without an answer it looks again later. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks once, for the last time before the end. Never rejects. */
  look(signal: AbortSignal): Promise<void>;
}

export function createRecreationWatch(options: RecreationWatchOptions): RecreationWatch {
  const { clock, readTableIds, onChanged } = options;
  const known = new Map<string, number | undefined>();

  async function look(signal: AbortSignal): Promise<void> {
    const ids = await readTableIds(signal).catch(() => undefined);
    if (ids === undefined) return;
    for (const [table, id] of known) if (ids.get(table) !== id) onChanged(table);
    for (const table of [...known.keys(), ...ids.keys()]) known.set(table, ids.get(table));
  }

  return {
    look,
    async run(signal) {
      while (!signal.aborted) {
        await look(signal);
        await clock.sleep(EVERY_MS, signal);
      }
    },
  };
}

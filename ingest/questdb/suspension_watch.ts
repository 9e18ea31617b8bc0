// Watches for suspended tables: QuestDB then takes rows with a 204 and applies none of them, silently, until somebody
// resumes the table.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/record.ts";
import type { WalProgress } from "./wal_progress.ts";

export interface SuspensionWatchOptions {
  readonly readProgress: (signal: AbortSignal) => Promise<ReadonlyMap<string, WalProgress>>;
  /** Tables that are ours. */
  readonly tables: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Hears of each table that became suspended. */
  readonly onSuspended: (table: string, reason: string) => void;
}

export interface SuspensionWatch {
  /** Suspended tables and why, as of the last look. */
  suspended(): ReadonlyMap<string, string>;
  /** Looks until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const EVERY_MS = 10_000;

export function createSuspensionWatch(options: SuspensionWatchOptions): SuspensionWatch {
  const { tables, metrics, log, clock } = options;
  let suspended: ReadonlyMap<string, string> = new Map();

  async function look(signal: AbortSignal): Promise<void> {
    const progress = await options.readProgress(signal);
    const now = new Map(
      [...progress]
        .filter(([name, p]) => tables.has(name) && p.suspended)
        .map(([name, p]) => [name, p.reason]),
    );
    for (const table of tables) metrics.set("tickwatch_table_suspended", { table }, now.has(table) ? 1 : 0);
    for (const [table, reason] of now) {
      if (suspended.has(table)) continue;
      log.error(
        { table, reason, remedy: `ALTER TABLE "${table}" RESUME WAL` },
        "QuestDB has suspended a table: its rows are not visible",
      );
      options.onSuspended(table, reason);
    }
    for (const table of suspended.keys())
      if (!now.has(table)) log.info({ table }, "the table is no longer suspended");
    suspended = now;
  }

  return {
    suspended: () => suspended,
    async run(signal) {
      while (!signal.aborted) {
        // An outage of the server is told by the delivery.
        await look(signal).catch(() => undefined);
        await clock.sleep(EVERY_MS, signal);
      }
    },
  };
}

// Watches tables and rollups for trouble that nobody would notice: a suspended table takes rows with a 204 and shows none
// of them, an invalid rollup stays as it was, both silently, until a person mends it.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/record.ts";
import type { TableHealth } from "./health.ts";
import type { LiveRollup } from "./live_rollups.ts";
import { refreshRemedy } from "./rollup_drift.ts";
import { quotedName } from "./sql_text.ts";

/** How one table or rollup is doing, in the columns of `ingest_health`. */
export interface StoreState {
  readonly state: "ok" | "suspended" | "invalid" | "stale";
  /** Why it is not ok; null when it is. */
  readonly reason: string | null;
  readonly lag_txns: number;
  /** Null for a rollup, and where the server does not tell. */
  readonly pending_rows: number | null;
}

export interface StateWatchOptions {
  readonly readTables: (signal: AbortSignal) => Promise<ReadonlyMap<string, TableHealth>>;
  readonly readRollups: (signal: AbortSignal) => Promise<ReadonlyMap<string, LiveRollup>>;
  /** Those that are ours. */
  readonly tables: ReadonlySet<string>;
  readonly rollups: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Hears of each table that became suspended, and each rollup that became invalid or stale. */
  readonly onTrouble: (name: string, state: StoreState) => void;
}

export interface StateWatch {
  /** Tables and rollups as of the last look, by name; empty while QuestDB does not answer. */
  states(): ReadonlyMap<string, StoreState>;
  /** Suspended tables and why, as of the last look that was answered. */
  suspended(): ReadonlyMap<string, string>;
  /** Looks until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const EVERY_MS = 10_000;

/** A rollup is refreshed every minute; this long without, though its table got rows, and something is wrong with it. */
const STALE_MS = 10 * 60_000;

export function createStateWatch(options: StateWatchOptions): StateWatch {
  const { tables, rollups, metrics, log, clock } = options;
  let states: ReadonlyMap<string, StoreState> = new Map();
  let troubled: ReadonlyMap<string, StoreState> = new Map();
  /** Rollups that lag behind their table: their last refresh, and since when there was none. */
  let waiting: ReadonlyMap<string, { readonly refreshedUs: number; readonly sinceMs: number }> = new Map();

  function rollupState(view: LiveRollup): StoreState {
    const shared = { lag_txns: view.lagTxns, pending_rows: null };
    if (view.invalid) return { state: "invalid", reason: view.reason || "no reason given", ...shared };
    const waitedMs = clock.monotonicMs() - (waiting.get(view.name)?.sinceMs ?? clock.monotonicMs());
    if (waitedMs <= STALE_MS) return { state: "ok", reason: null, ...shared };
    return { state: "stale", reason: "not refreshed any more, though its table got rows", ...shared };
  }

  function noteLag(views: readonly LiveRollup[]): void {
    waiting = new Map(
      views
        .filter(({ lagTxns }) => lagTxns > 0)
        .map(({ name, refreshedUs }) => {
          const before = waiting.get(name);
          const same = before?.refreshedUs === refreshedUs;
          return [name, same ? before : { refreshedUs, sinceMs: clock.monotonicMs() }];
        }),
    );
  }

  async function look(signal: AbortSignal): Promise<void> {
    const found = [...(await options.readTables(signal)).values()].filter(({ table }) => tables.has(table));
    const views = [...(await options.readRollups(signal)).values()].filter(({ name }) => rollups.has(name));
    noteLag(views);
    states = new Map([
      ...found.map((table) => [table.table, tableState(table)] as const),
      ...views.map((view) => [view.name, rollupState(view)] as const),
    ]);
    for (const table of tables) {
      metrics.set("tickwatch_table_suspended", { table }, states.get(table)?.state === "suspended" ? 1 : 0);
    }
    for (const rollup of rollups) {
      metrics.set("tickwatch_rollup_broken", { rollup }, isTrouble(states.get(rollup)) ? 1 : 0);
    }
    report(new Map([...states].filter(([, state]) => isTrouble(state))));
  }

  function report(now: ReadonlyMap<string, StoreState>): void {
    for (const [name, found] of now) {
      if (troubled.get(name)?.state === found.state) continue;
      const { state, reason } = found;
      if (state === "suspended") {
        const remedy = `ALTER TABLE ${quotedName(name)} RESUME WAL`;
        log.error({ table: name, reason, remedy }, "QuestDB has suspended a table: its rows are not visible");
      } else {
        log.warn({ rollup: name, state, reason, remedy: refreshRemedy(name) }, "a rollup is not refreshed");
      }
      options.onTrouble(name, found);
    }
    for (const name of troubled.keys()) if (!now.has(name)) log.info({ table: name }, "it is well again");
    troubled = now;
  }

  return {
    states: () => states,
    suspended: () =>
      new Map(
        [...troubled]
          .filter(([, { state }]) => state === "suspended")
          .map(([name, { reason }]) => [name, reason ?? ""]),
      ),
    async run(signal) {
      while (!signal.aborted) {
        // An outage of the server is told by the delivery.
        await look(signal).catch(() => {
          states = new Map();
        });
        await clock.sleep(EVERY_MS, signal);
      }
    },
  };
}

function isTrouble(state: StoreState | undefined): boolean {
  return state !== undefined && state.state !== "ok";
}

function tableState(table: TableHealth): StoreState {
  return {
    state: table.suspended ? "suspended" : "ok",
    reason: table.suspended ? table.suspendReason || "no reason given" : null,
    lag_txns: Math.max(0, table.walTxn - table.writerTxn),
    pending_rows: table.pendingRows,
  };
}

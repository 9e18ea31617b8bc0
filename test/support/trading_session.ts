// The simulated trading daemon on a clock that the test moves, before a gateway that the test owns.
import { expect } from "vitest";
import { runTradingDaemon } from "../../ingest/demo/trading/trading_daemon.ts";
import { type CollectedRow, type EventCollector, startEventCollector } from "./event_collector.ts";
import { ManualClock, NOON_US } from "./manual_clock.ts";
import { testContext } from "./source_context.ts";

/** The tables that it serves. */
export const TRADING_TABLES = [
  "account_marks",
  "alerts",
  "daemon_errors",
  "daemon_events",
  "daemon_health",
  "data_gaps",
  "fills",
  "metrics",
  "orders",
  "pnl",
  "positions",
  "signals",
  "storage_usage",
];

const START_US = NOON_US + 3_700_000;

/** A daemon that trades. */
export interface TradingSession {
  readonly collector: EventCollector;
  readonly clock: ManualClock;
  readonly lines: readonly { readonly level: number; readonly msg: string }[];
  /** Lets it trade for so long. */
  live(ms: number): Promise<void>;
  /** Aborts, and waits until the last row has been handed over. */
  end(): Promise<void>;
}

export async function startTrading({
  startUs = START_US,
  ...options
}: {
  readonly seed?: number;
  readonly key?: string;
  readonly startUs?: number;
} = {}): Promise<TradingSession> {
  const collector = await startEventCollector();
  const { clock, log, lines } = testContext(new ManualClock(startUs));
  const stop = new AbortController();
  const run = runTradingDaemon({
    gatewayUrl: collector.url,
    instance: "test:1",
    version: "0.0.0",
    clock,
    log,
    signal: stop.signal,
    ...options,
  });
  return {
    collector,
    clock,
    lines,
    live: (ms) => clock.advance(ms),
    async end() {
      stop.abort();
      await run;
      await collector.close();
    },
  };
}

/** The valid rows by table of a session of so long. */
export async function tradeFor(ms: number, seed: number): Promise<ReadonlyMap<string, CollectedRow[]>> {
  const session = await startTrading({ seed });
  await session.live(ms);
  await session.end();
  expect(session.collector.invalid).toEqual([]);
  return session.collector.rows;
}

/** Rows by the value of one column, in their order. */
export function groupedBy(rows: readonly CollectedRow[], column: string): Map<unknown, CollectedRow[]> {
  const groups = new Map<unknown, CollectedRow[]>();
  for (const row of rows) groups.set(row[column], [...(groups.get(row[column]) ?? []), row]);
  return groups;
}

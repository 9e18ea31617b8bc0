// What ingest_health says of each table and rollup, put together from what the pipeline counted and QuestDB told.
import { EVENTS } from "../schema/registry.ts";
import { ROLLUPS } from "../schema/rollups.ts";
import type { Pipeline } from "./pipeline.ts";
import type { StoreState } from "./questdb/state_watch.ts";
import type { TableHealth } from "./sources/ingest_health.ts";

const NOTHING = { accepted: 0, written: 0, rejected: 0, dead_lettered: 0, retried: 0 } as const;

/** A rollup that is well is told of once in this time. */
const ROLLUP_EVERY_US = 60_000_000;
const SLOT_US = 10_000_000;

/**
 * All tables, and those rollups of which QuestDB told: at each call while one is in trouble, else in one slot of a minute.
 * Percentiles are those since the last call.
 */
export function tableHealth(
  pipeline: Pipeline,
  states: ReadonlyMap<string, StoreState>,
  nowUs: number,
): TableHealth[] {
  const isTheirTurn = nowUs % ROLLUP_EVERY_US < SLOT_US;
  const rollups = ROLLUPS.flatMap(({ name }) => {
    const state = states.get(name);
    return state === undefined || (state.state === "ok" && !isTheirTurn)
      ? []
      : [{ table: name, ...NOTHING, ...state }];
  });
  const tables = EVENTS.map(({ name }) => {
    const counts = pipeline.ledger.counts(name);
    const pending = pipeline.spool.pendingOf(name);
    const latency = pipeline.probe?.takePercentiles(name);
    return {
      table: name,
      accepted: counts.accepted,
      written: counts.written,
      rejected: counts.rejected,
      dead_lettered: counts.deadLettered,
      retried: counts.retried,
      spool_bytes: pending?.bytes ?? 0,
      oldest_pending_ms: pending === undefined ? 0 : Math.max(0, (nowUs - pending.oldestUs) / 1000),
      queryable_p50_ms: latency?.p50Ms,
      queryable_p99_ms: latency?.p99Ms,
      requests: counts.requests,
      request_bytes: counts.requestBytes,
      ...states.get(name),
    };
  });
  return [...tables, ...rollups];
}

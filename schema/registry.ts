// The list of all events. Adding one: a file in events/, and a line here.
import type { EventDefinition, InputOf } from "./define.ts";
import { accountMarks } from "./events/account_marks.ts";
import { alerts } from "./events/alerts.ts";
import { connections } from "./events/connections.ts";
import { connectivity } from "./events/connectivity.ts";
import { daemonErrors } from "./events/daemon_errors.ts";
import { daemonEvents } from "./events/daemon_events.ts";
import { daemonHealth } from "./events/daemon_health.ts";
import { dataGaps } from "./events/data_gaps.ts";
import { fetches } from "./events/fetches.ts";
import { fills } from "./events/fills.ts";
import { fundingRates } from "./events/funding_rates.ts";
import { ingestHealth } from "./events/ingest_health.ts";
import { liquidations } from "./events/liquidations.ts";
import { metrics } from "./events/metrics.ts";
import { openInterest } from "./events/open_interest.ts";
import { orders } from "./events/orders.ts";
import { pnl } from "./events/pnl.ts";
import { positions } from "./events/positions.ts";
import { signals } from "./events/signals.ts";
import { storageUsage } from "./events/storage_usage.ts";

const LIST = [
  daemonHealth,
  daemonEvents,
  daemonErrors,
  fetches,
  openInterest,
  fundingRates,
  liquidations,
  dataGaps,
  storageUsage,
  connections,
  connectivity,
  signals,
  orders,
  fills,
  pnl,
  positions,
  accountMarks,
  alerts,
  metrics,
  ingestHealth,
] as const;

type Listed = (typeof LIST)[number];

/** Name of a table. */
export type EventName = Listed["name"];

/** The definition behind a name. */
export type EventOf<N extends EventName> = Extract<Listed, { name: N }>;

/** What a producer hands over for a table. */
export type EventInput<N extends EventName> = InputOf<EventOf<N>["columns"]>;

/** All events, in the order of the documentation. */
export const EVENTS: readonly EventDefinition<EventName>[] = LIST;

const BY_NAME: ReadonlyMap<string, EventDefinition<EventName>> = new Map(LIST.map((e) => [e.name, e]));

/** The definition of a table, or undefined when there is no such table. */
export function findEvent(name: string): EventDefinition<EventName> | undefined {
  return BY_NAME.get(name);
}

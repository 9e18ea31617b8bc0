// The lanes of one source: one per table that it writes.
import { Lane, type LaneContext } from "./lane.ts";

export interface Outbox {
  readonly fetches: Lane<"fetches">;
  readonly open_interest: Lane<"open_interest">;
  readonly funding_rates: Lane<"funding_rates">;
  readonly liquidations: Lane<"liquidations">;
  readonly connections: Lane<"connections">;
  readonly connectivity: Lane<"connectivity">;
}

export function createOutbox(context: LaneContext): Outbox {
  return {
    fetches: new Lane("fetches", context),
    open_interest: new Lane("open_interest", context),
    funding_rates: new Lane("funding_rates", context),
    liquidations: new Lane("liquidations", context),
    connections: new Lane("connections", context),
    connectivity: new Lane("connectivity", context),
  };
}

/** Resolves when nothing waits in any lane. Call it after the signal has aborted and everything that puts rows has ended. */
export async function settleOutbox(outbox: Outbox): Promise<void> {
  await Promise.all(Object.values(outbox).map((lane) => lane.settle()));
}

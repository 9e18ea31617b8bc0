// Counts what went over the wire, per venue. Paths are the venue's known endpoints (anything else is "other"), so
// that the counts stay bounded.

import type { VenueId } from "./instruments.ts";

/** What one venue has done since the start. */
interface VenueStats {
  /** Requests per endpoint, spoiled ones included. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests, handshakes and messages that a fault changed or held. */
  readonly faulted: number;
  readonly wsOpen: number;
  readonly wsOpenedTotal: number;
  /** Liquidations made, whether or not anybody was subscribed. */
  readonly liquidations: number;
  /** Liquidations handed to a client's socket, unspoiled; counted once per client. */
  readonly liquidationsSent: number;
  /** Data messages, spoiled ones included, but no replies. */
  readonly wsMessagesSent: number;
}

export type SimulatorStats = Readonly<Record<VenueId, VenueStats>>;

type Counter = Exclude<keyof VenueStats, "requests">;

export class Traffic {
  readonly #requests: Record<VenueId, Record<string, number>> = { binanceusdm: {}, okx: {} };
  readonly #counters = new Map<string, number>();

  request(venue: VenueId, endpoint: string): void {
    const byEndpoint = this.#requests[venue];
    byEndpoint[endpoint] = (byEndpoint[endpoint] ?? 0) + 1;
  }

  add(venue: VenueId, counter: Counter, by = 1): void {
    const key = `${venue}/${counter}`;
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + by);
  }

  /** A copy; later traffic doesn't change it. */
  stats(): SimulatorStats {
    const of = (venue: VenueId): VenueStats => {
      const counter = (name: Counter) => this.#counters.get(`${venue}/${name}`) ?? 0;
      return {
        requests: { ...this.#requests[venue] },
        faulted: counter("faulted"),
        wsOpen: counter("wsOpen"),
        wsOpenedTotal: counter("wsOpenedTotal"),
        liquidations: counter("liquidations"),
        liquidationsSent: counter("liquidationsSent"),
        wsMessagesSent: counter("wsMessagesSent"),
      };
    };
    return { binanceusdm: of("binanceusdm"), okx: of("okx") };
  }
}

// Which fault rules on which venue and channel right now. One at a time per channel: setting another replaces it.
// Counts and durations end here; what a fault does to a request is the servers' business.

import type { Clock } from "../../clock.ts";
import { type Channel, channelsOf, type LastingFault } from "./fault.ts";
import { VENUE_IDS, type VenueId } from "./instruments.ts";

/** A fault at work. `ended` resolves when it is cleared, replaced, out of time, or the simulator stops. */
export interface ActiveFault {
  readonly spec: LastingFault;
  readonly ended: Promise<void>;
}

interface Entry extends ActiveFault {
  readonly key: string;
  remaining: number | null;
  readonly end: AbortController;
}

/** One line of the board, for `GET /control`. */
export interface BoardLine {
  readonly venue: VenueId;
  readonly channel: Channel;
  readonly fault: LastingFault;
  /** Requests or messages it will still spoil; `null` when it isn't counted. */
  readonly remaining: number | null;
}

export class FaultBoard {
  readonly #clock: Clock;
  readonly #ruling = new Map<string, Entry>();
  /** Counted out, but still holding requests (a stall) until it is cleared. */
  readonly #spent = new Set<Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts the fault on every channel it is about, on one venue or on all. */
  set(fault: LastingFault): void {
    for (const venue of fault.venue === undefined ? VENUE_IDS : [fault.venue]) {
      for (const channel of channelsOf(fault)) this.#put(venue, channel, fault);
    }
  }

  /** Ends all faults of the venue; of all venues when none is named. */
  clear(venue: VenueId | undefined): void {
    for (const entry of [...this.#ruling.values(), ...this.#spent]) {
      if (venue === undefined || entry.key.startsWith(`${venue}/`)) this.#end(entry);
    }
  }

  /** The fault that rules, without using up its count. */
  peek(venue: VenueId, channel: Channel): ActiveFault | null {
    return this.#ruling.get(`${venue}/${channel}`) ?? null;
  }

  /** The fault for this one request or message; a counted fault is used up by one. */
  take(venue: VenueId, channel: Channel): ActiveFault | null {
    const entry = this.#ruling.get(`${venue}/${channel}`);
    if (entry === undefined) return null;
    if (entry.remaining !== null && --entry.remaining === 0) {
      this.#ruling.delete(entry.key);
      this.#spent.add(entry);
    }
    return entry;
  }

  lines(): readonly BoardLine[] {
    return VENUE_IDS.flatMap((venue) =>
      (["rest", "ws"] as const).flatMap((channel) => {
        const entry = this.#ruling.get(`${venue}/${channel}`);
        return entry === undefined ? [] : [{ venue, channel, fault: entry.spec, remaining: entry.remaining }];
      }),
    );
  }

  #put(venue: VenueId, channel: Channel, spec: LastingFault): void {
    const key = `${venue}/${channel}`;
    for (const old of [this.#ruling.get(key), ...this.#spent]) if (old?.key === key) this.#end(old);
    const end = new AbortController();
    const ended = new Promise<void>((resolve) => {
      end.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const remaining = "count" in spec && spec.count !== undefined ? spec.count : null;
    const entry: Entry = { key, spec, remaining, end, ended };
    this.#ruling.set(key, entry);
    if (spec.forMs !== undefined) void this.#endAfter(entry, spec.forMs);
  }

  async #endAfter(entry: Entry, forMs: number): Promise<void> {
    await this.#clock.sleep(forMs, entry.end.signal);
    this.#end(entry);
  }

  #end(entry: Entry): void {
    if (this.#ruling.get(entry.key) === entry) this.#ruling.delete(entry.key);
    this.#spent.delete(entry);
    entry.end.abort();
  }
}

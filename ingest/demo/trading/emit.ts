// How the parts of the simulated trading daemon hand their rows on, and how they agree on time.
import type { EventInput, EventName } from "../../../schema/registry.ts";

/** Takes one row; never waits and never fails. */
export type Emit = <N extends EventName>(table: N, row: EventInput<N>) => void;

/** Who the daemon's rows are about. */
export interface Identity {
  readonly daemon: string;
  readonly instance: string;
  readonly account: string;
}

/**
 * Times for events that happen in one step of the simulation, in µs: in order, never twice the same, and after the
 * step's own time. So a mark with the time of a step has in it exactly the events that are not younger than it.
 */
export class Stamps {
  #lastUs = 0;

  next(nowUs: number): number {
    this.#lastUs = Math.max(nowUs, this.#lastUs) + 1;
    return this.#lastUs;
  }
}

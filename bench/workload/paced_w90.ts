// W90 played faster than life: its mix and its bursts at a given mean rate, as a producer that writes what happens now. Knows
// no clock: it is told how much time has passed.

import { DAY_US, type Slot, type TimedRow } from "./w90/stream.ts";
import { W90_ROWS_PER_DAY_TOTAL, w90 } from "./w90.ts";

export interface PacedOptions {
  readonly seed: number;
  /** Event time at which the play begins; any moment. */
  readonly startUs: number;
  readonly rowsPerSecond: number;
}

export class PacedW90 {
  readonly #slots: Iterator<Slot, never>;
  readonly #fromUs: number;
  /** Seconds of event time that pass in one. */
  readonly #speed: number;
  #next: Slot;

  constructor({ seed, startUs, rowsPerSecond }: PacedOptions) {
    this.#slots = w90({ seed, startUs });
    this.#fromUs = Math.floor(startUs / DAY_US) * DAY_US;
    this.#speed = (rowsPerSecond * 86_400) / W90_ROWS_PER_DAY_TOTAL;
    this.#next = this.#slots.next().value;
  }

  /** The rows that have become due since the last call, by table; `ts` is their event time. Call with rising times. */
  due(elapsedMs: number): ReadonlyMap<string, TimedRow[]> {
    const untilUs = this.#fromUs + elapsedMs * 1000 * this.#speed;
    const byTable = new Map<string, TimedRow[]>();
    for (; this.#next.tsUs < untilUs; this.#next = this.#slots.next().value) {
      const rows = byTable.get(this.#next.table);
      if (rows === undefined) byTable.set(this.#next.table, [...this.#next.rows]);
      else rows.push(...this.#next.rows);
    }
    return byTable;
  }
}

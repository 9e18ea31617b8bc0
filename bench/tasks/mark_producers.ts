// Producers of ten-column rows for writing as fast as it goes: each hands over the next array when its last one is durable. The
// arrays are ready-made and only their times are renewed, so that making rows costs next to nothing.
import { type MarkRow, markRows, stamp } from "../workload/mark_event.ts";

export interface MarkProducersOptions {
  readonly producers: number;
  /** Smallest and largest array handed over. */
  readonly pushRowsMin: number;
  readonly pushRowsMax: number;
  /** Time of the first row; every later row has one of its own, a microsecond on. All must be past when pushed. */
  readonly firstUs: number;
}

export class MarkProducers {
  readonly #batches: readonly MarkRow[][][];
  #nextUs: number;

  constructor({ producers, pushRowsMin, pushRowsMax, firstUs }: MarkProducersOptions) {
    this.#nextUs = firstUs;
    this.#batches = Array.from({ length: producers }, (_, producer) =>
      [0, 0.25, 0.5, 0.75, 1].map((share, batch) =>
        markRows(Math.round(pushRowsMin + share * (pushRowsMax - pushRowsMin)), 100 * producer + batch),
      ),
    );
  }

  /** Hands over exactly `rows` rows; resolves when the last push did. `write` resolves when its rows are durable. */
  async push(rows: number, write: (batch: readonly MarkRow[]) => Promise<void>): Promise<void> {
    let left = rows;
    const produce = async (batches: readonly MarkRow[][]) => {
      for (let turn = 0; left > 0; turn++) {
        const batch = batches[turn % batches.length]?.slice(0, left) ?? [];
        stamp(batch, this.#nextUs);
        left -= batch.length;
        this.#nextUs += batch.length;
        await write(batch);
      }
    };
    await Promise.all(this.#batches.map(produce));
  }
}

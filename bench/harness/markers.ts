// Measures acceptance to queryable by the row itself: a measured process announces a row it has just handed over, and the database
// is asked for that row until it is there. Clocks of one machine are compared, which agree to a millisecond.
import * as z from "zod";
import type { Clock } from "../../ingest/clock.ts";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { percentile } from "./statistics.ts";

export const MarkerSchema = z.object({
  table: z.string().regex(/^\w+$/),
  /** The row's own time, which no other row of its table has. */
  tsUs: z.number(),
  acceptedUs: z.number(),
});
export type Marker = z.output<typeof MarkerSchema>;

export interface MarkersOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  /** Pause between two questions for one row. Each costs the database a fraction of a millisecond. */
  readonly everyMs: number;
  /** A row that is not seen by then fails the run: it must not vanish because it is bad. */
  readonly giveUpMs: number;
}

export class Markers {
  readonly #options: MarkersOptions;
  readonly #latenciesMs: number[] = [];
  readonly #watching = new Set<Promise<void>>();
  #failure: unknown;

  constructor(options: MarkersOptions) {
    this.#options = options;
  }

  /** Watches in the background; a failure shows in `settled`. */
  watch(marker: Marker): void {
    const work = this.seen(marker)
      .then((ms) => void this.#latenciesMs.push(ms))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#watching.delete(work));
    this.#watching.add(work);
  }

  /** Resolves when the row is there, with the milliseconds since it was handed over. */
  async seen({ table, tsUs, acceptedUs }: Marker): Promise<number> {
    const { sql, clock, everyMs, giveUpMs } = this.#options;
    for (;;) {
      const [row] = await sql.query<{ n: number }>(`SELECT count() AS n FROM "${table}" WHERE ts = ${tsUs}`);
      const ms = (clock.nowUs() - acceptedUs) / 1000;
      if (Number(row?.n ?? 0) > 0) return ms;
      if (ms > giveUpMs) throw new Error(`a row of ${table} was not queryable after ${Math.round(ms)} ms`);
      await clock.sleep(everyMs);
    }
  }

  /** All rows announced so far are there. Throws when one was not in time. */
  async settled(): Promise<MarkerFigures> {
    await Promise.all(this.#watching);
    if (this.#failure !== undefined) throw this.#failure;
    return latencyFigures(this.#latenciesMs);
  }
}

export interface MarkerFigures {
  readonly queryableP50Ms: number | null;
  readonly queryableP99Ms: number | null;
  readonly queryableMaxMs: number | null;
  readonly markers: number;
}

export function latencyFigures(latenciesMs: readonly number[]): MarkerFigures {
  return {
    queryableP50Ms: percentile(latenciesMs, 0.5),
    queryableP99Ms: percentile(latenciesMs, 0.99),
    queryableMaxMs: percentile(latenciesMs, 1),
    markers: latenciesMs.length,
  };
}

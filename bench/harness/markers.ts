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
  /** Pause between two rounds of questions, one for each table. Each costs the database a fraction of a millisecond. */
  readonly everyMs: number;
  /** A row that is not seen by then fails the run: it must not vanish because it is bad. */
  readonly giveUpMs: number;
}

interface Waiting {
  readonly acceptedUs: number;
  readonly resolve: (ms: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows of one table that one question asks for. */
const ASKED_MAX = 200;

/**
 * Asks for all rows of a table at once, and for one table after the other: a database that is slow must not be made
 * slower by ever more questions about its slowness.
 */
export class Markers {
  readonly #options: MarkersOptions;
  readonly #latenciesMs: number[] = [];
  readonly #watching = new Set<Promise<void>>();
  /** By table and the row's time. */
  readonly #waiting = new Map<string, Map<number, Waiting>>();
  #isAsking = false;
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
  seen({ table, tsUs, acceptedUs }: Marker): Promise<number> {
    return new Promise((resolve, reject) => {
      const rows = this.#waiting.get(table) ?? new Map<number, Waiting>();
      this.#waiting.set(table, rows.set(tsUs, { acceptedUs, resolve, reject }));
      if (!this.#isAsking) void this.#ask();
    });
  }

  /** All rows announced so far are there. Throws when one was not in time. */
  async settled(): Promise<MarkerFigures> {
    await Promise.all(this.#watching);
    if (this.#failure !== undefined) throw this.#failure;
    return latencyFigures(this.#latenciesMs);
  }

  /** Until every row that is waited for was seen. */
  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.size > 0) {
      for (const [table, rows] of this.#waiting) {
        await this.#look(table, rows);
        if (rows.size === 0) this.#waiting.delete(table);
      }
      if (this.#waiting.size > 0) await this.#options.clock.sleep(this.#options.everyMs);
    }
    this.#isAsking = false;
  }

  async #look(table: string, rows: Map<number, Waiting>): Promise<void> {
    const { sql, clock, giveUpMs } = this.#options;
    const asked = [...rows].slice(0, ASKED_MAX);
    const query = `SELECT cast(ts AS long) AS us FROM "${table}" WHERE ts IN (${asked.map(([ts]) => ts).join()})`;
    try {
      const found = new Set((await sql.query<{ us: number | string }>(query)).map(({ us }) => Number(us)));
      for (const [ts, { acceptedUs, resolve, reject }] of asked) {
        const ms = (clock.nowUs() - acceptedUs) / 1000;
        if (found.has(ts)) resolve(ms);
        else if (ms > giveUpMs)
          reject(new Error(`a row of ${table} was not queryable after ${Math.round(ms)} ms`));
        else continue;
        rows.delete(ts);
      }
    } catch (error) {
      for (const [ts, { reject }] of asked) {
        reject(error);
        rows.delete(ts);
      }
    }
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

// Accounts for the rows of one table, hour by hour: by counting where that settles it, else by comparing keys. Counting
// settles an hour when nothing of it waits or is dead-lettered, the ledger knows all of it, and as many rows are stored
// as keys were accepted.
import type { KeyedTable } from "../encode/value_key.ts";
import { GrowingKeys } from "../ledger/growing_keys.ts";
import { type MinuteKeys, minuteOf, US_PER_MINUTE } from "../ledger/minute_keys.ts";
import type { Sql } from "../questdb/sql.ts";
import {
  addTally,
  type Comparison,
  compareKeys,
  countDistinct,
  emptyTally,
  sortKeys,
  type Tally,
} from "./compare.ts";
import { countRows, storedRows } from "./stored_rows.ts";

export const US_PER_HOUR = 3_600_000_000;
const MINUTES_PER_HOUR = 60;

export interface AuditOptions {
  readonly sql: Sql;
  readonly table: KeyedTable;
  /** The table exists in QuestDB. */
  readonly exists: boolean;
  /** Minutes to look at, `to` not included. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** Every accepted row with a later ts is known, µs. */
  readonly completeFromUs: number;
  /** Rows of earlier minutes are not expected to come while the audit runs. */
  readonly liveFromMinute: number;
  readonly pending: MinuteKeys;
  readonly deadLettered: MinuteKeys;
  /** Compare keys also where the counts agree. */
  readonly allKeys: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Keys of one minute that do not fit. */
export interface Suspects {
  readonly minute: number;
  readonly keys: Int32Array;
}

export class TableAudit {
  readonly tally: Tally = emptyTally();
  /** Stored rows that may have been accepted before the ledger knew them. */
  older = 0;
  readonly missing: Suspects[] = [];
  readonly doubled: Suspects[] = [];
  foreign: Suspects[] = [];
  readonly #options: AuditOptions;
  #stored: Promise<ReadonlyMap<number, number>> | undefined;
  readonly #seen = new Set<number>();

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  get table(): string {
    return this.#options.table.name;
  }

  /** Accounts for one hour (since 1970), of which `accepted` holds the keys. */
  async hour(hour: number, accepted: MinuteKeys): Promise<void> {
    this.#seen.add(hour);
    const first = hour * MINUTES_PER_HOUR;
    const sorted = new Map<number, Uint32Array>();
    for (let minute = first; minute < first + MINUTES_PER_HOUR; minute++)
      if (this.#isAsked(minute) && accepted.has(this.table, minute))
        sorted.set(minute, sortKeys(accepted.keys(this.table, minute)));
    const stored = (await this.#storedHours()).get(hour * US_PER_HOUR) ?? 0;
    const distinct = [...sorted.values()].reduce((sum, keys) => sum + countDistinct(keys), 0);
    const isWhole = this.#isComplete(Math.max(first, this.#options.fromMinute));
    if (isWhole && distinct === stored && [...sorted.keys()].every((minute) => this.#countSettles(minute))) {
      for (const keys of sorted.values()) this.#settle(keys);
      return;
    }
    await this.#minutes(hour, sorted);
  }

  /** The stored rows of hours in which nothing was accepted. */
  async rest(): Promise<void> {
    for (const [startUs, rows] of await this.#storedHours()) {
      const hour = startUs / US_PER_HOUR;
      if (this.#seen.has(hour)) continue;
      if ((hour + 1) * US_PER_HOUR <= this.#options.completeFromUs) this.older += rows;
      else await this.#minutes(hour, new Map());
    }
  }

  /** Takes back rows that were called foreign and are ours: they came while the database was asked. */
  acceptedMeanwhile(accepted: MinuteKeys): void {
    const none = new Uint32Array(0);
    this.foreign = this.foreign.map(({ minute, keys }) => {
      const { tally, foreign } = compareKeys({
        ...{ accepted: sortKeys(accepted.keys(this.table, minute)), stored: sortKeys(keys) },
        ...{ pending: none, deadLettered: none },
      });
      this.tally.foreign -= tally.stored;
      return { minute, keys: foreign };
    });
  }

  async #minutes(hour: number, accepted: ReadonlyMap<number, Uint32Array>): Promise<void> {
    const counts = await this.#storedMinutes(hour);
    const unsettled: number[] = [];
    for (const minute of [...new Set([...accepted.keys(), ...counts.keys()])].sort((a, b) => a - b)) {
      const keys = accepted.get(minute);
      const rows = counts.get(minute) ?? 0;
      if (keys === undefined && this.#isForOthers(minute)) this.#countOthers(minute, rows);
      else if (keys !== undefined && this.#countSettles(minute) && countDistinct(keys) === rows)
        this.#settle(keys);
      else unsettled.push(minute);
    }
    for (const run of runsOf(unsettled)) await this.#compare(run, accepted, counts);
  }

  /** Compares the keys of minutes that follow each other. */
  async #compare(
    minutes: readonly number[],
    accepted: ReadonlyMap<number, Uint32Array>,
    counts: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { sql, table, signal, pending, deadLettered } = this.#options;
    const [first = 0, last = first] = [minutes[0], minutes.at(-1)];
    const stored = new Map<number, GrowingKeys>();
    const rows = minutes.reduce((sum, minute) => sum + (counts.get(minute) ?? 0), 0);
    const stretch = { fromUs: first * US_PER_MINUTE, toUs: (last + 1) * US_PER_MINUTE };
    if (rows > 0) {
      for await (const { ts, key } of storedRows(sql, table, stretch, rows, signal)) {
        const minute = minuteOf(ts);
        const keys = stored.get(minute) ?? new GrowingKeys();
        stored.set(minute, keys);
        keys.add(key);
      }
    }
    const none = new Int32Array(0);
    for (const minute of minutes) {
      const outcome = compareKeys({
        accepted: accepted.get(minute) ?? new Uint32Array(0),
        stored: sortKeys(stored.get(minute)?.keys() ?? none),
        pending: sortKeys(pending.keys(table.name, minute)),
        deadLettered: sortKeys(deadLettered.keys(table.name, minute)),
      });
      this.#count(minute, outcome);
    }
  }

  #count(minute: number, { tally, missing, doubled, foreign }: Comparison): void {
    const isKnown = this.#isComplete(minute);
    if (!isKnown) this.older += tally.foreign;
    addTally(this.tally, isKnown ? tally : { ...tally, foreign: 0 });
    if (missing.length > 0) this.missing.push({ minute, keys: missing });
    if (doubled.length > 0) this.doubled.push({ minute, keys: doubled });
    if (isKnown && foreign.length > 0) this.foreign.push({ minute, keys: foreign });
  }

  /** All different keys are stored, and nothing else is. */
  #settle(keys: Uint32Array): void {
    const [accepted, stored] = [keys.length / 2, countDistinct(keys)];
    addTally(this.tally, { ...emptyTally(), accepted, stored, replaced: accepted - stored });
  }

  /** Nothing of ours is there, and nothing can have come meanwhile but very late rows. */
  #isForOthers(minute: number): boolean {
    const { allKeys, liveFromMinute } = this.#options;
    return !this.#isComplete(minute) || (!allKeys && minute < liveFromMinute);
  }

  #countOthers(minute: number, rows: number): void {
    if (this.#isComplete(minute)) this.tally.foreign += rows;
    else this.older += rows;
  }

  #countSettles(minute: number): boolean {
    const { allKeys, pending, deadLettered } = this.#options;
    const isOpen = pending.has(this.table, minute) || deadLettered.has(this.table, minute);
    return !allKeys && !isOpen && this.#isComplete(minute);
  }

  #isComplete(minute: number): boolean {
    return minute * US_PER_MINUTE > this.#options.completeFromUs;
  }

  #isAsked(minute: number): boolean {
    return minute >= this.#options.fromMinute && minute < this.#options.toMinute;
  }

  #storedHours(): Promise<ReadonlyMap<number, number>> {
    const { sql, exists, fromMinute, toMinute, signal } = this.#options;
    const stretch = { fromUs: fromMinute * US_PER_MINUTE, toUs: toMinute * US_PER_MINUTE };
    this.#stored ??= exists ? countRows(sql, this.table, stretch, "1h", signal) : Promise.resolve(new Map());
    return this.#stored;
  }

  async #storedMinutes(hour: number): Promise<ReadonlyMap<number, number>> {
    const { sql, fromMinute, toMinute, signal, exists } = this.#options;
    if (!exists) return new Map();
    const fromUs = Math.max(fromMinute, hour * MINUTES_PER_HOUR) * US_PER_MINUTE;
    const toUs = Math.min(toMinute, (hour + 1) * MINUTES_PER_HOUR) * US_PER_MINUTE;
    const counts = await countRows(sql, this.table, { fromUs, toUs }, "1m", signal);
    return new Map([...counts].map(([startUs, n]) => [startUs / US_PER_MINUTE, n]));
  }
}

/** 3 4 5 9 → [3 4 5] [9]. */
function runsOf(minutes: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const minute of minutes) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === minute - 1) run.push(minute);
    else runs.push([minute]);
  }
  return runs;
}

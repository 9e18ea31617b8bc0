// Keys by table and minute of their row's ts. Memory only.
import type { KeyGroup } from "./block.ts";
import { GrowingKeys } from "./growing_keys.ts";

export const US_PER_MINUTE = 60_000_000;

const NONE = new Int32Array(0);

/** Minutes since 1970 UTC of a time in microseconds. */
export function minuteOf(ts: number): number {
  return Math.floor(ts / US_PER_MINUTE);
}

export class MinuteKeys {
  readonly #tables = new Map<string, Map<number, GrowingKeys>>();

  add({ table, minute, keys }: Pick<KeyGroup, "table" | "minute" | "keys">): void {
    let minutes = this.#tables.get(table);
    if (minutes === undefined) {
      minutes = new Map();
      this.#tables.set(table, minutes);
    }
    let all = minutes.get(minute);
    if (all === undefined) {
      all = new GrowingKeys();
      minutes.set(minute, all);
    }
    all.add(keys);
  }

  keys(table: string, minute: number): Int32Array {
    return this.#tables.get(table)?.get(minute)?.keys() ?? NONE;
  }

  has(table: string, minute: number): boolean {
    return this.#tables.get(table)?.has(minute) ?? false;
  }

  tables(): readonly string[] {
    return [...this.#tables.keys()];
  }

  /** Minutes of a table that have keys, and how many. */
  *minutes(table: string): Generator<readonly [minute: number, count: number]> {
    for (const [minute, keys] of this.#tables.get(table) ?? []) yield [minute, keys.count];
  }
}

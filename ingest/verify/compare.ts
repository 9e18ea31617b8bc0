// The account of one stretch of time: keys of rows that were accepted against keys of rows that are stored. Pure.
//
// Several accepted rows can have one key; the table then keeps the last of them. Of each key's rows one is accounted for
// by the row in the table, and each of the others by a dead letter, by waiting in the spool, or by having been replaced.
// A key that is not in the table although one of its rows was delivered is missing.
import { GrowingKeys } from "../ledger/growing_keys.ts";

/** Keys in ascending order, equal ones side by side; two halves each, the low one first. */
export type SortedKeys = Uint32Array;

/** Rows, by what became of them. `accepted` is the sum of `stored`, `replaced`, `deadLettered`, `pending` and `missing`. */
export interface Tally {
  accepted: number;
  stored: number;
  replaced: number;
  deadLettered: number;
  pending: number;
  missing: number;
  /** Stored rows beyond the first of a key that was accepted: there should be none. */
  doubled: number;
  /** Stored rows whose key was never accepted. */
  foreign: number;
}

export function emptyTally(): Tally {
  return {
    ...{ accepted: 0, stored: 0, replaced: 0, deadLettered: 0, pending: 0, missing: 0 },
    ...{ doubled: 0, foreign: 0 },
  };
}

export function addTally(sum: Tally, more: Readonly<Tally>): void {
  sum.accepted += more.accepted;
  sum.stored += more.stored;
  sum.replaced += more.replaced;
  sum.deadLettered += more.deadLettered;
  sum.pending += more.pending;
  sum.missing += more.missing;
  sum.doubled += more.doubled;
  sum.foreign += more.foreign;
}

/** A sorted copy. */
export function sortKeys(keys: Int32Array): SortedKeys {
  const whole = new BigUint64Array(keys.length / 2);
  new Int32Array(whole.buffer).set(keys);
  whole.sort();
  return new Uint32Array(whole.buffer);
}

/** Number of different keys. */
export function countDistinct(keys: SortedKeys): number {
  let distinct = 0;
  for (let at = 0; at < keys.length; at += 2) {
    const isSame = at > 0 && keys[at] === keys[at - 2] && keys[at + 1] === keys[at - 1];
    if (!isSame) distinct += 1;
  }
  return distinct;
}

export interface Comparison {
  readonly tally: Tally;
  readonly missing: Int32Array;
  readonly doubled: Int32Array;
  readonly foreign: Int32Array;
}

export interface ComparedKeys {
  readonly accepted: SortedKeys;
  readonly stored: SortedKeys;
  /** Of accepted rows that are not delivered yet, as far as is known. */
  readonly pending: SortedKeys;
  readonly deadLettered: SortedKeys;
}

/** Accounts for every key. */
export function compareKeys({ accepted, stored, pending, deadLettered }: ComparedKeys): Comparison {
  const tally = emptyTally();
  const found = { missing: new GrowingKeys(), doubled: new GrowingKeys(), foreign: new GrowingKeys() };
  const [a, s] = [new Run(accepted), new Run(stored)];
  const [p, d] = [new Run(pending), new Run(deadLettered)];
  while (!a.isAtEnd || !s.isAtEnd) {
    const next = a.isAtEnd || (!s.isAtEnd && s.isBefore(a)) ? s : a;
    const { low, high } = next;
    const rows = a.take(low, high);
    const there = s.take(low, high);
    const kind = account(tally, rows, there, p.take(low, high), d.take(low, high));
    if (kind !== undefined) found[kind].add(new Int32Array([low, high]));
  }
  const { missing, doubled, foreign } = found;
  return { tally, missing: missing.keys(), doubled: doubled.keys(), foreign: foreign.keys() };
}

function account(
  tally: Tally,
  accepted: number,
  stored: number,
  pending: number,
  deadLettered: number,
): "missing" | "doubled" | "foreign" | undefined {
  if (accepted === 0) {
    tally.foreign += stored;
    return "foreign";
  }
  tally.accepted += accepted;
  // The row in the table is one of them; it may still be in the spool as well, when its acknowledgement is not saved yet.
  let rest = accepted - Math.min(stored, 1);
  tally.stored += Math.min(stored, 1);
  tally.doubled += Math.max(0, stored - 1);
  // What was given up may be taken for waiting in the same way.
  const dead = Math.min(deadLettered, rest);
  tally.deadLettered += dead;
  rest -= dead;
  const waiting = Math.min(pending, rest);
  tally.pending += waiting;
  rest -= waiting;
  const isMissing = stored === 0 && rest > 0;
  if (isMissing) tally.missing += 1;
  tally.replaced += rest - (isMissing ? 1 : 0);
  if (isMissing) return "missing";
  return stored > 1 ? "doubled" : undefined;
}

/** A place in sorted keys. */
class Run {
  readonly #keys: SortedKeys;
  #at = 0;

  constructor(keys: SortedKeys) {
    this.#keys = keys;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#keys.length;
  }

  get low(): number {
    return this.#keys[this.#at] ?? 0;
  }

  get high(): number {
    return this.#keys[this.#at + 1] ?? 0;
  }

  isBefore({ low, high }: Run): boolean {
    return this.high < high || (this.high === high && this.low < low);
  }

  /** Passes everything up to a key and tells how often it was there. */
  take(low: number, high: number): number {
    let times = 0;
    while (!this.isAtEnd && (this.high < high || (this.high === high && this.low <= low))) {
      if (this.high === high && this.low === low) times += 1;
      this.#at += 2;
    }
    return times;
  }
}

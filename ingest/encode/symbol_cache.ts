// The bytes of symbols that come again and again, with what they add to their row's key: copying them costs less than
// escaping and hashing them anew. Bounded, for columns whose values never come twice.

/** A symbol's value as it stands on the wire. */
export interface CachedSymbol {
  /** Its bytes, four to a word; what is behind the last one is to be written over. */
  readonly words: Int32Array;
  readonly length: number;
  /** What it adds to the two halves of the key; nought where it is no part of it. */
  readonly ka: number;
  readonly kb: number;
}

const SYMBOLS_MAX = 512;
/** Longer ones are rare, and cheap beside what they cost anyway. */
const BYTES_MAX = 64;
/** When it is full, after so many values that are not in it, it begins anew: perhaps others come now. */
const MISSES_MAX = 100_000;

/** Of one column. */
export class SymbolCache {
  readonly #symbols = new Map<string, CachedSymbol>();
  #misses = 0;

  get(text: string): CachedSymbol | undefined {
    return this.#symbols.get(text);
  }

  /** Keeps what was written for `text` between `from` and `to`, while there is room for it. */
  add(text: string, view: DataView, from: number, to: number, ka: number, kb: number): void {
    if (to - from > BYTES_MAX) return;
    if (this.#symbols.size >= SYMBOLS_MAX) {
      this.#misses += 1;
      if (this.#misses < MISSES_MAX) return;
      this.#symbols.clear();
      this.#misses = 0;
    }
    const words = new Int32Array(Math.ceil((to - from) / 4));
    for (let i = 0; i < words.length; i++) words[i] = view.getInt32(from + 4 * i, true);
    this.#symbols.set(text, { words, length: to - from, ka, kb });
  }
}

// Keys that become more: two 32-bit halves each, in one array. Pure.

const KEYS_MIN = 16;

export class GrowingKeys {
  #halves = new Int32Array(2 * KEYS_MIN);
  #length = 0;

  /** How many keys there are. */
  get count(): number {
    return this.#length / 2;
  }

  add(keys: Int32Array): void {
    const needed = this.#length + keys.length;
    if (needed > this.#halves.length) {
      const grown = new Int32Array(Math.max(needed, 2 * this.#halves.length));
      grown.set(this.#halves.subarray(0, this.#length));
      this.#halves = grown;
    }
    this.#halves.set(keys, this.#length);
    this.#length = needed;
  }

  /** All of them; shares memory with this object. */
  keys(): Int32Array {
    return this.#halves.subarray(0, this.#length);
  }
}

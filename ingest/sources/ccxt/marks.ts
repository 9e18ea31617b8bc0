// The last mark price of each symbol, as funding rates bring them along: for the value of an open interest whose venue
// gives the amount only. A price that is too old is forgotten.
import type { Clock } from "../../clock.ts";

export class Marks {
  readonly #clock: Clock;
  readonly #ageMsMax: number;
  readonly #prices = new Map<string, { readonly price: number; readonly atMs: number }>();

  constructor(clock: Clock, ageMsMax: number) {
    this.#clock = clock;
    this.#ageMsMax = ageMsMax;
  }

  set(symbol: string, price: number): void {
    this.#prices.set(symbol, { price, atMs: this.#clock.monotonicMs() });
  }

  /** In quote currency. */
  get(symbol: string): number | undefined {
    const known = this.#prices.get(symbol);
    if (known === undefined || this.#clock.monotonicMs() - known.atMs > this.#ageMsMax) return undefined;
    return known.price;
  }
}

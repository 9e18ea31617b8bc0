// How many bytes of bodies may be in memory at once, over all requests. Without it, many clients with large bodies
// would take the memory of the process, and with it the rows of everybody.

/** Bytes taken by one request; all of them are given back together. */
export interface BodyShare {
  /** Takes more; false when the budget has not as many left. */
  take(bytes: number): boolean;
  /** Gives everything back. */
  release(): void;
}

export class BodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  open(): BodyShare {
    let taken = 0;
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.#bytesMax) return false;
        this.#bytes += bytes;
        taken += bytes;
        return true;
      },
      release: () => {
        this.#bytes -= taken;
        taken = 0;
      },
    };
  }
}

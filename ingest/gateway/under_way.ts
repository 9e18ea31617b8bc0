// Which requests have begun and not ended, so that stopping can wait for them. Counts ends by the connection as well:
// a client that goes away ends its request.
import type { ServerResponse } from "node:http";

export class UnderWay {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Counts a request until its answer is handed to the system or its connection is gone. */
  begin(response: ServerResponse): void {
    this.#count++;
    response.once("close", () => {
      this.#count--;
      if (this.#count > 0) return;
      for (const resolve of this.#waiting) resolve();
      this.#waiting = [];
    });
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves as soon as nothing is under way. */
  none(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}

// Group commit: whoever asks while a sync is under way shares the next one. One append to the spool at a time; every
// caller learns the fate of exactly the frames that hold its rows.
import type { Clock } from "../clock.ts";
import type { Frame } from "./frame.ts";

export interface GroupCommitOptions {
  /** Seals whatever is open and returns all frames since the last call, in order. */
  readonly drain: () => readonly Frame[];
  /** Makes frames durable. */
  readonly append: (frames: readonly Frame[]) => Promise<void>;
  /** Hears of every durable group, before its callers do. */
  readonly onDurable: (frames: readonly Frame[]) => void;
  readonly clock: Clock;
  /** Least time between the starts of two syncs; a caller after a quiet time never waits for it. */
  readonly intervalMs: number;
}

interface Group {
  readonly done: Promise<void>;
  settle(error?: unknown): void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #next: Group | undefined;
  #running: Promise<void> | undefined;
  #lastStartMs = Number.NEGATIVE_INFINITY;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when everything that was drainable at the time of the call is durable; rejects when it is not. */
  request(): Promise<void> {
    this.#next ??= newGroup();
    const { done } = this.#next;
    this.#running ??= this.#run();
    return done;
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    try {
      while (this.#next !== undefined) {
        const waitMs = this.#lastStartMs + intervalMs - clock.monotonicMs();
        // Even without a wait the callers of this turn of the event loop are let in.
        if (waitMs > 1) await clock.sleep(waitMs);
        else await Promise.resolve();
        const group = this.#next;
        this.#next = undefined;
        this.#lastStartMs = clock.monotonicMs();
        await this.#commit(group);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #commit(group: Group): Promise<void> {
    try {
      const frames = this.#options.drain();
      if (frames.length > 0) {
        await this.#options.append(frames);
        this.#options.onDurable(frames);
      }
      group.settle();
    } catch (error) {
      group.settle(error);
    }
  }
}

function newGroup(): Group {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever asked handles it; a group nobody waits for any more must not end the process.
  done.catch(() => undefined);
  return { done, settle: (error) => (error === undefined ? resolve() : reject(error)) };
}

// Work that runs side by side and ends together: the first failure stops the rest.

export class TaskGroup {
  readonly #stop: AbortController;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** `stop` is aborted when a task fails. */
  constructor(stop: AbortController) {
    this.#stop = stop;
  }

  start(task: Promise<void>): void {
    const guarded = task
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#stop.abort();
      })
      .finally(() => this.#running.delete(guarded));
    this.#running.add(guarded);
  }

  /** Resolves when all tasks have ended, also those started meanwhile; rejects with the first failure. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure) throw this.#failure.error;
  }
}

// Waiting for something that can't be aborted, until a signal says that nobody waits for it any more. Pure.

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts; the promise is then left alone. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abandon = () => reject(signal.reason);
    if (signal.aborted) abandon();
    else signal.addEventListener("abort", abandon, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abandon));
  });
}

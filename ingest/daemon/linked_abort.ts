// A signal of one's own that also aborts with another one. AbortSignal.any() does the same, but in Node 20 every call
// on a signal that lives as long as the process leaves something behind.
import { setMaxListeners } from "node:events";

export interface LinkedAbort {
  /** May have any number of listeners: Node warns of a leak from the eleventh on, which is not one here. */
  readonly signal: AbortSignal;
  /** Aborts the own signal and forgets the other one. To be called once the work has ended, however it ended. */
  release(): void;
}

/** A signal that aborts when `outer` does, with its reason, or when it is released. */
export function linkAbort(outer?: AbortSignal): LinkedAbort {
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const follow = () => own.abort(outer?.reason);
  if (outer?.aborted) follow();
  else outer?.addEventListener("abort", follow, { once: true });
  return {
    signal: own.signal,
    release() {
      outer?.removeEventListener("abort", follow);
      own.abort();
    },
  };
}

// One log line when something goes away and one when it is back, however often it was tried in between. Knows nothing
// of what went away.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";

export interface Outage {
  /** Reports a failure: the first after a success is logged as a warning, the others are only counted. */
  failed(error: unknown): void;
  /** Reports a success: the first after a failure is logged with how long it took and how many attempts failed. */
  succeeded(): void;
}

/** `began` and `ended` are log messages: constants, in the words of who has to act. */
export function createOutage(
  context: { readonly clock: Clock; readonly log: Log },
  words: { readonly began: string; readonly ended: string },
): Outage {
  let failures = 0;
  let sinceMs = 0;
  return {
    failed(error) {
      failures += 1;
      if (failures > 1) return;
      sinceMs = context.clock.monotonicMs();
      context.log.warn({ err: error }, words.began);
    },
    succeeded() {
      if (failures === 0) return;
      const downtimeMs = Math.round(context.clock.monotonicMs() - sinceMs);
      context.log.info({ downtimeMs, failures }, words.ended);
      failures = 0;
    },
  };
}

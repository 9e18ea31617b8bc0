// The record of one run: `crashed` for a run before it that left its marker, `started` and `stopped` for this one. No
// failure of the marker's file stops the daemon.
import type { SourceContext } from "../sources/source.ts";
import type { Journal } from "./journal.ts";
import { crashReason, type Run, type RunMarkerStore, runFromText, runToText } from "./run_marker.ts";

export interface RecordedRunOptions {
  readonly context: SourceContext;
  readonly version: string;
  readonly journal: Journal;
  readonly marker?: RunMarkerStore;
}

export interface RecordedRun {
  /** Hands `stopped` over; closing the journal waits for it. */
  stop(reason: string | undefined): void;
  /** Takes the marker away: this run ended in order. To be called after the journal closed. */
  unmark(): Promise<void>;
}

/**
 * Begins the record. The marker of a crashed run is replaced only once its `crashed` row is durable: a second crash
 * before that is then reported as part of the first, not lost.
 */
export async function recordRun(options: RecordedRunOptions): Promise<RecordedRun> {
  const { context, version, journal, marker } = options;
  const { log, instance } = context;
  const left = await attempt(() => marker?.read(), log, "the marker of the last run cannot be read");
  const crashKnown = left === undefined ? Promise.resolve(true) : recordCrash(left, options);
  const run: Run = { instance, version, startedUs: context.clock.nowUs() };
  void journal.event({ event: "started" });
  const marked = crashKnown.then(async (known) => {
    if (known) {
      await attempt(() => marker?.write(runToText(run)), log, "no crash of this run will be noticed");
    }
    return known;
  });
  return {
    stop: (reason) => void journal.event({ event: "stopped", ...(reason === undefined ? {} : { reason }) }),
    async unmark() {
      const ours = await marked;
      if (ours) await attempt(() => marker?.remove(), log, "this run will be reported as crashed");
    },
  };
}

function recordCrash(left: string, { context, journal }: RecordedRunOptions): Promise<boolean> {
  const run = runFromText(left);
  context.log.warn({ run }, "the last run did not stop in order");
  return journal.event({
    event: "crashed",
    reason: crashReason(run),
    ...(run === undefined ? {} : { instance: run.instance, version: run.version }),
  });
}

async function attempt<T>(
  call: () => Promise<T> | undefined,
  log: SourceContext["log"],
  consequence: string,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    log.warn({ err: error, consequence }, "the run's marker file failed");
    return undefined;
  }
}

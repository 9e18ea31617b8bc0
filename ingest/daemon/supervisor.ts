// Runs every source, starts a failed one again with backoff, and records the daemon's own life: started, restarted,
// stopped, crashed, and what went wrong. Knows no source's inside, and nothing behind `push`.
import { backoffMs, WORK_BACKOFF } from "../backoff.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import type { Metrics } from "../metrics/record.ts";
import type { Push, Source, SourceContext } from "../sources/source.ts";
import { codeOf } from "./error_code.ts";
import type { ErrorReport } from "./error_limiter.ts";
import { createJournal, type Journal } from "./journal.ts";
import { linkAbort } from "./linked_abort.ts";
import { recordRun } from "./recorded_run.ts";
import type { RunMarkerStore } from "./run_marker.ts";

export interface SupervisorOptions {
  readonly sources: readonly Source[];
  readonly push: Push;
  readonly context: SourceContext;
  readonly metrics: Pick<Metrics, "count">;
  readonly daemonName: string;
  readonly version: string;
  /** Where a run leaves its marker; without it no crash is ever noticed. */
  readonly marker?: RunMarkerStore;
  /** How long a source may take to end after the abort, and then the last rows to become durable. Default 3 s each. */
  readonly graceMs?: number;
  /** [0, 1), for the jitter of waits. */
  readonly random?: () => number;
}

export interface Supervisor {
  /**
   * Runs until the signal aborts and every source has ended or used up its grace. Never rejects because of a source or
   * a push. When it settles, `stopped` is durable or was given up with a log line, and nothing is pushed any more: the
   * intake may close. An abort reason that is a string goes into `stopped`. To be called once.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Records a problem of any stage as a row of `daemon_errors`; of one kind at most one a minute. Never throws. */
  reportError(report: ErrorReport): void;
  /** How often a source was restarted since the process started. */
  restarts(): number;
}

/** A source that ran so long before it failed counts as healthy: its next wait is the first one again. */
const HEALTHY_AFTER_MS = 60_000;

/** Throws when two sources have one name: their errors and restarts could not be told apart. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { sources, context, graceMs = 3_000, random = Math.random } = options;
  const names = sources.map((source) => source.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two sources are named ${twice}`);
  const journal = createJournal({ ...options, random });
  let restarts = 0;

  return {
    async run(signal) {
      if (signal.aborted) return journal.close(0);
      const life = linkAbort(signal);
      const swept = journal.run(life.signal);
      const run = await recordRun({ ...options, journal });
      const gate = createGate(options.push);
      const care: Care = { ...options, random, journal, push: gate.push, restarted: () => (restarts += 1) };
      const running = sources.map((source) => ({ source, ended: keepRunning(source, care, life.signal) }));
      await aborted(life.signal);
      await endedInTime(running, context, graceMs);
      gate.close();
      life.release();
      await swept;
      run.stop(typeof signal.reason === "string" ? signal.reason : undefined);
      await journal.close(graceMs);
      await run.unmark();
    },
    reportError: (report) => journal.error(report),
    restarts: () => restarts,
  };
}

interface Care extends Pick<SupervisorOptions, "push" | "context" | "metrics"> {
  readonly journal: Journal;
  readonly random: () => number;
  restarted(): void;
}

/** Runs one source until it finishes or the signal aborts. Never rejects. */
async function keepRunning(source: Source, care: Care, signal: AbortSignal): Promise<void> {
  const { clock } = care.context;
  const { name } = source;
  const log = care.context.log.child({ source: name });
  for (let attempt = 0; ; attempt++) {
    const beganMs = clock.monotonicMs();
    const failure = await runOnce(source, care.push, signal);
    if (failure === undefined) {
      if (!signal.aborted) log.info("the source has finished");
      return;
    }
    const { error } = failure;
    const message = messageOf(error);
    care.journal.error({ component: name, severity: "error", code: codeOf(error), message });
    if (signal.aborted) {
      log.warn({ err: error }, "the source failed while stopping");
      return;
    }
    if (clock.monotonicMs() - beganMs >= HEALTHY_AFTER_MS) attempt = 0;
    const waitMs = backoffMs(attempt + 1, WORK_BACKOFF, care.random);
    log.warn({ err: error, waitMs }, "the source failed and will be started again");
    await clock.sleep(waitMs, signal);
    if (signal.aborted) return;
    care.restarted();
    care.metrics.count("tickwatch_source_restarts_total", { source: name });
    void care.journal.event({ event: "restarted", reason: `${name}: ${message}` });
  }
}

/** One run; a failure is returned. Whatever the source left running is told to end. */
async function runOnce(
  source: Source,
  push: Push,
  signal: AbortSignal,
): Promise<{ readonly error: unknown } | undefined> {
  const attempt = linkAbort(signal);
  try {
    await source.run(push, attempt.signal);
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    attempt.release();
  }
}

/** `push` until it is closed. A source that was left behind must not write after `stopped`. */
function createGate(push: Push): { readonly push: Push; close(): void } {
  let closed = false;
  return {
    push: (table, rows) =>
      closed
        ? Promise.reject(new TickwatchError("STOPPING", "the daemon has stopped and takes no more rows"))
        : push(table, rows),
    close() {
      closed = true;
    },
  };
}

/** Waits for all sources, but not beyond the grace; who is late is named in the log. Sources that finished long ago count as ended. */
async function endedInTime(
  running: readonly { readonly source: Source; readonly ended: Promise<void> }[],
  { clock, log }: SourceContext,
  graceMs: number,
): Promise<void> {
  const late = new Set(running.map(({ source }) => source.name));
  const all = Promise.all(running.map(({ source, ended }) => ended.then(() => late.delete(source.name))));
  const inTime = new AbortController();
  await Promise.race([all, clock.sleep(graceMs, inTime.signal)]);
  inTime.abort();
  for (const source of late) log.warn({ source, graceMs }, "the source does not end and is left behind");
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

// What the daemon tells about itself: rows of daemon_events and daemon_errors, in order, written in the background so
// that nobody waits for them. Keeps what the spool does not take at the moment. Knows nothing of sources.
import type { EventInput } from "../../schema/registry.ts";
import { backoffMs, WORK_BACKOFF } from "../backoff.ts";
import type { Push, SourceContext } from "../sources/source.ts";
import { createErrorLimiter, type ErrorReport } from "./error_limiter.ts";
import { createOutage, type Outage } from "./outage.ts";

/** An event of this daemon; `instance` and `version` only where they are another run's. */
interface DaemonEvent {
  readonly event: EventInput<"daemon_events">["event"];
  readonly reason?: string;
  readonly instance?: string;
  readonly version?: string;
}

export interface Journal {
  /** Resolves true when the row is durable, false when it was given up. Never rejects. */
  event(event: DaemonEvent): Promise<boolean>;
  /** Writes the error, or counts it into the next row of its kind (see `createErrorLimiter`). Never throws. */
  error(report: ErrorReport): void;
  /** Writes the counts of held back errors once their minute is over. Ends when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes what is left, held back counts included, and takes nothing more. What is not durable by then is given up, with one log line. */
  close(withinMs: number): Promise<void>;
}

export interface JournalOptions {
  readonly push: Push;
  readonly context: SourceContext;
  readonly daemonName: string;
  readonly version: string;
  readonly random: () => number;
}

/** Rows that wait while the spool takes none. More are given up, counted in the log. */
const ROWS_WAITING_MAX = 1_000;
const SWEEP_MS = 10_000;
const MESSAGE_LENGTH_MAX = 4_000;
const NAME_LENGTH_MAX = 200;

interface Entry {
  write(): Promise<unknown>;
  done(durable: boolean): void;
}

class BackgroundJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #log: SourceContext["log"];
  readonly #refused: Outage;
  readonly #limiter = createErrorLimiter();
  readonly #giveUp = new AbortController();
  #waiting: Entry[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;
  #givenUp = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#log = options.context.log;
    this.#refused = createOutage(options.context, {
      began: "events and errors of this daemon wait: the spool does not take them",
      ended: "events and errors of this daemon are recorded again",
    });
  }

  event({ event, reason, instance, version }: DaemonEvent): Promise<boolean> {
    const { push, context, daemonName } = this.#options;
    const row: EventInput<"daemon_events"> = {
      ts: context.clock.nowUs(),
      daemon: daemonName,
      instance: instance ?? context.instance,
      event,
      reason: reason === undefined ? null : cut(reason, MESSAGE_LENGTH_MAX),
      version: version ?? this.#options.version,
    };
    return new Promise((done) => this.#add({ write: () => push("daemon_events", [row]), done }));
  }

  error(report: ErrorReport): void {
    if (this.#closed) {
      this.#log.warn({ report }, "an error came too late to be recorded");
      return;
    }
    const admitted = this.#limiter.admit(report, this.#options.context.clock.monotonicMs());
    if (admitted !== undefined) this.#addError(admitted);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.context;
    while (!signal.aborted) {
      await clock.sleep(SWEEP_MS, signal);
      for (const report of this.#limiter.due(clock.monotonicMs())) this.#addError(report);
    }
  }

  async close(withinMs: number): Promise<void> {
    for (const report of this.#limiter.drain()) this.#addError(report);
    this.#closed = true;
    const drained = new AbortController();
    const late = this.#options.context.clock.sleep(withinMs, drained.signal);
    await Promise.race([this.#writing, late]);
    drained.abort();
    this.#giveUp.abort();
    const left = this.#waiting;
    this.#waiting = [];
    for (const entry of left) this.#drop(entry);
    this.#logGivenUp();
  }

  #addError({ component, exchange, severity, code, message }: ErrorReport): void {
    const { push, context, daemonName } = this.#options;
    const row: EventInput<"daemon_errors"> = {
      ts: context.clock.nowUs(),
      daemon: daemonName,
      instance: context.instance,
      component: cut(component, NAME_LENGTH_MAX) || "unknown",
      exchange: exchange ? cut(exchange, NAME_LENGTH_MAX) : null,
      severity,
      code: cut(code, NAME_LENGTH_MAX) || "unknown",
      message: cut(message, MESSAGE_LENGTH_MAX),
    };
    this.#add({ write: () => push("daemon_errors", [row]), done: () => {} });
  }

  #add(entry: Entry): void {
    if (this.#closed || this.#waiting.length >= ROWS_WAITING_MAX) {
      this.#drop(entry);
      return;
    }
    this.#waiting.push(entry);
    this.#writing ??= this.#write();
  }

  #drop(entry: Entry): void {
    this.#givenUp += 1;
    entry.done(false);
  }

  /** Runs while something waits. The first in line stays there until it is durable, so the order holds over retries. */
  async #write(): Promise<void> {
    const { context, random } = this.#options;
    for (let attempt = 0; ; ) {
      const entry = this.#waiting[0];
      if (entry === undefined) break;
      try {
        await entry.write();
        attempt = 0;
        this.#refused.succeeded();
        this.#logGivenUp();
        // close() may have emptied the line meanwhile.
        if (this.#waiting[0] === entry) this.#waiting.shift();
        entry.done(true);
      } catch (error) {
        if (this.#giveUp.signal.aborted) break;
        this.#refused.failed(error);
        await context.clock.sleep(backoffMs(attempt + 1, WORK_BACKOFF, random), this.#giveUp.signal);
        attempt += 1;
      }
    }
    this.#writing = undefined;
  }

  #logGivenUp(): void {
    if (this.#givenUp === 0) return;
    this.#log.warn({ rows: this.#givenUp }, "events and errors of this daemon could not be recorded");
    this.#givenUp = 0;
  }
}

export function createJournal(options: JournalOptions): Journal {
  return new BackgroundJournal(options);
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

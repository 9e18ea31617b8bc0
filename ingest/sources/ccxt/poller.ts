// Polls one dataset of one exchange, slot by slot. The slot is chosen once per poll: a retry in it writes the same
// `ts` and so the same rows. One poll at a time: slots that begin while the last one still runs are left out, counted
// and logged once until the poller keeps up again. Calls are made one after the other; CCXT's rate limiter paces them.
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Failure } from "./classify_error.ts";
import type { Outcome } from "./fetch_attempt.ts";
import type { FetchTask } from "./fetch_tasks.ts";
import type { RestHealth } from "./rest_health.ts";
import { retryDelayMs, slotOf, slotsSkipped } from "./slots.ts";

export interface PollerOptions {
  readonly dataset: string;
  readonly everyMs: number;
  /** After the start of a slot. */
  readonly phaseMs: number;
  readonly tasks: readonly FetchTask[];
  /** Run before the tasks, when it is due. */
  readonly beforeSlot?: (() => Promise<void>) | undefined;
  readonly health: RestHealth;
  /** Whether something else notices the end of an outage; if not, retries go on by their delays. */
  readonly recoveryIsWatched: boolean;
  /** Called once when the exchange turns out not to have the dataset; the poller then ends. */
  readonly onUnsupported: (reason: string) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Resolves when the signal aborts, or when the exchange turns out not to have the dataset. */
export async function poll(options: PollerOptions, signal: AbortSignal): Promise<void> {
  const { everyMs, phaseMs, clock } = options;
  const lag = new LagReport(options);
  await clock.sleep(phaseMs, signal);
  let lastUs: number | undefined;
  while (!signal.aborted) {
    const slotUs = slotOf(clock.nowUs(), everyMs);
    if (slotUs === lastUs) {
      const waitUs = slotUs + (everyMs + phaseMs) * 1000 - clock.nowUs();
      await clock.sleep(Math.max(1, Math.ceil(waitUs / 1000)), signal);
      continue;
    }
    if (lastUs !== undefined) lag.report(slotsSkipped(lastUs, slotUs, everyMs));
    lastUs = slotUs;
    await options.beforeSlot?.();
    const supported = await new Slot(options, slotUs, signal).run();
    if (!supported) return;
  }
}

/** One line when slots begin to be left out, one when that ends. */
class LagReport {
  readonly #options: PollerOptions;
  #total = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  report(skipped: number): void {
    const { dataset, everyMs, log } = this.#options;
    if (skipped > 0 && this.#total === 0) {
      log.warn({ dataset, everyMs }, "polls take longer than their slots; slots are left out");
    }
    if (skipped === 0 && this.#total > 0) log.info({ dataset, slots: this.#total }, "polls keep up again");
    this.#total = skipped === 0 ? 0 : this.#total + skipped;
  }
}

type Round =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly tasks: readonly FetchTask[] }
  | { readonly kind: "unsupported"; readonly reason: string }
  | { readonly kind: "aborted" };

/** All attempts in one slot. */
class Slot {
  readonly #options: PollerOptions;
  readonly #slotUs: number;
  readonly #signal: AbortSignal;

  constructor(options: PollerOptions, slotUs: number, signal: AbortSignal) {
    this.#options = options;
    this.#slotUs = slotUs;
    this.#signal = signal;
  }

  /** False when the exchange doesn't have the dataset. */
  async run(): Promise<boolean> {
    const { everyMs, random, onUnsupported } = this.#options;
    let tasks = this.#options.tasks;
    for (let retry = 0; ; retry++) {
      const round = await this.#round(tasks);
      if (round.kind === "unsupported") onUnsupported(round.reason);
      if (round.kind !== "again") return round.kind !== "unsupported";
      await this.#waitToRetry(retryDelayMs(retry, everyMs, random));
      if (this.#over) return true;
      tasks = round.tasks;
    }
  }

  get #over(): boolean {
    const { clock, everyMs } = this.#options;
    return this.#signal.aborted || slotOf(clock.nowUs(), everyMs) !== this.#slotUs;
  }

  get #remainingMs(): number {
    const { clock, everyMs } = this.#options;
    return Math.max(0, Math.ceil(everyMs - (clock.nowUs() - this.#slotUs) / 1000));
  }

  /** Each task once, unless the exchange is away or wants a pause: then the rest must wait as well. */
  async #round(tasks: readonly FetchTask[]): Promise<Round> {
    const { dataset, health } = this.#options;
    const again: FetchTask[] = [];
    let harvested = false;
    let unsupported = 0;
    let worst: Failure | undefined;
    for (const [index, task] of tasks.entries()) {
      if (health.pauseMs > 0) {
        await health.waitWhilePaused(this.#signal);
        if (this.#over) return { kind: "done" };
      }
      const outcome = await task.run(this.#slotUs);
      if (outcome.kind === "aborted") return outcome;
      if (outcome.kind === "ok") {
        harvested = true;
        health.succeeded(dataset);
        continue;
      }
      worst = outcome.failure;
      if (concernsAll(outcome)) {
        health.failed(dataset, outcome.failure, outcome.retryAfterMs);
        return { kind: "again", tasks: [...again, ...tasks.slice(index)] };
      }
      if (outcome.failure.kind === "unsupported") unsupported += 1;
      if (outcome.failure.kind === "wrong_data") again.push(task);
    }
    if (worst === undefined) return { kind: "done" };
    if (unsupported === tasks.length) return { kind: "unsupported", reason: worst.reason };
    if (!harvested) health.failed(dataset, worst);
    return again.length > 0 ? { kind: "again", tasks: again } : { kind: "done" };
  }

  /** In an outage it waits for its end, which somebody else notices first, but not beyond the slot. */
  async #waitToRetry(delayMs: number): Promise<void> {
    const { health, recoveryIsWatched, clock } = this.#options;
    if (!health.disconnected || !recoveryIsWatched) {
      return clock.sleep(Math.min(delayMs, this.#remainingMs), this.#signal);
    }
    await health.waitForRecovery(this.#signal, this.#remainingMs);
  }
}

/** Failures that the next call would meet as well. */
function concernsAll({ failure: { kind } }: Extract<Outcome, { kind: "failed" }>): boolean {
  return kind === "network" || kind === "timeout" || kind === "rate_limited";
}

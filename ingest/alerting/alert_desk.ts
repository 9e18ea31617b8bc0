// The desk where messages about alerts come in and acknowledgements are taken: both become rows of `alerts`. Remembers
// what it has seen, and asks the table about what came before its time.
//
// A change is one row however often it is told: its ts is the alert's own time, never the message's, and a message that
// tells nothing new writes nothing.

import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { PushResult } from "../sources/source.ts";
import type { AlertState } from "./alert_states.ts";
import { readMessage, type ToldAlert } from "./webhook_message.ts";

export interface AlertDeskOptions {
  /** Makes rows of `alerts` durable; rejects like the intake. */
  readonly accept: (rows: readonly unknown[]) => Promise<PushResult>;
  /** What the table knows; rejects with DB_UNAVAILABLE while QuestDB is away. */
  readonly findStates: (fingerprints: readonly string[]) => Promise<readonly AlertState[]>;
  readonly clock: Clock;
  readonly log: Log;
}

export type Receipt =
  | {
      readonly ok: true;
      readonly accepted: number;
      readonly rejected: PushResult["rejected"];
      /** Alerts that were known to be so: Grafana repeats what stays, and tries again what it is not sure of. */
      readonly repeated: number;
      /** Test alerts: they arrived, and that is all. */
      readonly tests: number;
      /** Alerts that the sender left out of the message. */
      readonly truncated: number;
    }
  | { readonly ok: false; readonly why: string };

export interface Acknowledgement {
  readonly note?: string | undefined;
  readonly by?: string | undefined;
}

export type AckOutcome =
  | {
      readonly kind: "acknowledged";
      readonly fingerprint: string;
      readonly rule: string;
      readonly labels: string | null;
      /** Microseconds; of the first acknowledgement when there was one already. */
      readonly atUs: number;
      readonly already: boolean;
    }
  /** Nobody has told of such an alert. */
  | { readonly kind: "unknown" }
  | { readonly kind: "over"; readonly rule: string; readonly endedUs: number };

export interface AlertDesk {
  /** Takes one message. Resolves when its rows are durable; rejects like `accept`, and then none was taken. */
  receive(message: unknown): Promise<Receipt>;
  /** Rejects with DB_UNAVAILABLE when the alert is not known here and QuestDB cannot be asked. */
  acknowledge(fingerprint: string, how: Acknowledgement): Promise<AckOutcome>;
}

/** Alerts remembered; the table knows the others. */
const REMEMBERED_MAX = 10_000;

export function createAlertDesk(options: AlertDeskOptions): AlertDesk {
  return new Desk(options);
}

class Desk implements AlertDesk {
  readonly #options: AlertDeskOptions;
  readonly #states = new Map<string, AlertState>();

  constructor(options: AlertDeskOptions) {
    this.#options = options;
  }

  async receive(message: unknown): Promise<Receipt> {
    const { clock, log, accept } = this.#options;
    const read = readMessage(message);
    if (!read.ok) return read;
    const arrivedUs = clock.nowUs();
    const told = read.alerts.filter(({ isTest }) => !isTest);
    const tests = read.alerts.length - told.length;
    const { truncated } = read;
    if (truncated > 0) log.warn({ alerts: truncated }, "Grafana left alerts out of a message");
    await this.#recall(told.map(({ fingerprint }) => fingerprint));
    const news = told.filter((alert) => !this.#isKnown(alert));
    const repeated = told.length - news.length;
    if (news.length === 0) return { ok: true, accepted: 0, rejected: [], repeated, tests, truncated };
    const states = news.map((alert) => stateOf(alert, arrivedUs));
    const { accepted, rejected } = await accept(states.map((state, index) => rowOf(state, news[index])));
    for (const state of states) this.#remember(state);
    return { ok: true, accepted, rejected, repeated, tests, truncated };
  }

  async acknowledge(fingerprint: string, { note, by }: Acknowledgement): Promise<AckOutcome> {
    const { clock, accept, findStates } = this.#options;
    const known = this.#states.get(fingerprint) ?? (await findStates([fingerprint]))[0];
    if (known === undefined) return { kind: "unknown" };
    const { rule, labels } = known;
    if (known.state === "resolved") return { kind: "over", rule, endedUs: known.ts };
    if (known.state === "acknowledged") {
      return { kind: "acknowledged", fingerprint, rule, labels, atUs: known.ts, already: true };
    }
    const atUs = clock.nowUs();
    const state: AlertState = {
      ...known,
      state: "acknowledged",
      ts: atUs,
      summary: note ?? null,
      receiver: by ?? null,
      notifiedUs: null,
    };
    const { rejected } = await accept([rowOf(state, undefined)]);
    const [refusal] = rejected;
    if (refusal !== undefined) throw new TickwatchError("USAGE", refusal.message);
    this.#remember(state);
    return { kind: "acknowledged", fingerprint, rule, labels, atUs, already: false };
  }

  /** Brings back what was known before the start. Without QuestDB the message is taken as the first. */
  async #recall(fingerprints: readonly string[]): Promise<void> {
    const unknown = [...new Set(fingerprints)].filter((fingerprint) => !this.#states.has(fingerprint));
    if (unknown.length === 0) return;
    try {
      for (const state of await this.#options.findStates(unknown)) this.#remember(state);
    } catch (err) {
      this.#options.log.debug({ err }, "QuestDB was not asked about earlier messages of an alert");
    }
  }

  #isKnown({ fingerprint, state, startedUs, endedUs }: ToldAlert): boolean {
    const known = this.#states.get(fingerprint);
    if (known === undefined) return false;
    if (state === "resolved") return known.state === "resolved" && known.ts === endedUs;
    return known.startedUs === startedUs;
  }

  /** The newest change counts: a repeated message does not undo an acknowledgement. */
  #remember(state: AlertState): void {
    const known = this.#states.get(state.fingerprint);
    if (known !== undefined && known.ts > state.ts) return;
    this.#states.delete(state.fingerprint);
    this.#states.set(state.fingerprint, state);
    if (this.#states.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#states.keys();
    if (oldest !== undefined) this.#states.delete(oldest);
  }
}

function stateOf(alert: ToldAlert, arrivedUs: number): AlertState {
  const { fingerprint, state, rule, labels, startedUs, endedUs } = alert;
  return {
    ...{ fingerprint, state, rule, labels, startedUs },
    severity: alert.severity ?? null,
    summary: alert.summary ?? null,
    value: alert.value ?? null,
    receiver: alert.receiver ?? null,
    ts: endedUs ?? startedUs,
    notifiedUs: arrivedUs,
  };
}

function rowOf(state: AlertState, told: ToldAlert | undefined): Readonly<Record<string, unknown>> {
  return {
    ts: state.ts,
    fingerprint: state.fingerprint,
    state: state.state,
    rule: state.rule,
    severity: state.severity,
    value: state.value,
    labels: state.labels,
    summary: state.summary,
    receiver: state.receiver,
    started_at: state.startedUs,
    ended_at: told?.endedUs,
    notified_at: state.notifiedUs,
  };
}

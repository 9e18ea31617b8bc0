// The trading daemon's way to tickwatch: a small queue per table, sent in order, kept until the gateway has answered,
// sent again with the same bytes when it has not. What a foreign daemon needs, in one file.

import { backoffMs, WORK_BACKOFF } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";
import { linkAbort } from "../../daemon/linked_abort.ts";
import { createOutage, type Outage } from "../../daemon/outage.ts";
import type { Log } from "../../log.ts";
import type { Emit } from "./emit.ts";
import type { GatewayClient, Outcome } from "./gateway_client.ts";

export interface PublisherOptions {
  readonly client: GatewayClient;
  readonly clock: Clock;
  readonly log: Log;
  /** [0, 1), for the jitter of waits. */
  readonly random: () => number;
}

/** Waits this long for more rows before it sends: fewer requests, and still live. */
const LINGER_MS = 200;
const BATCH_ROWS_MAX = 500;
/** Per table: hours of the demo's rates. Then the oldest rows make room, counted in the log. */
const WAITING_ROWS_MAX = 20_000;

/** The rows of one table. A batch is cut once and keeps its bytes until it is done with. */
interface Lane {
  readonly table: string;
  waiting: string[];
  batch: readonly string[];
  batchRowsMax: number;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #outage: Outage;
  #overflowed = 0;
  #attempt = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#outage = createOutage(options, {
      began: "rows wait: the gateway of tickwatch does not take them",
      ended: "the gateway of tickwatch takes rows again",
    });
  }

  /** Queues a row. Its bytes are made here and never again, so that a repetition is the same row to tickwatch. */
  readonly emit: Emit = (table, row) => {
    const lane = this.#laneOf(table);
    lane.waiting.push(JSON.stringify(row));
    if (lane.waiting.length > WAITING_ROWS_MAX) {
      lane.waiting.shift();
      this.#overflowed += 1;
    }
  };

  /** Rows that are not known to be stored. */
  get rowsWaiting(): number {
    return [...this.#lanes.values()].reduce((sum, lane) => sum + lane.waiting.length + lane.batch.length, 0);
  }

  /** Sends what is queued until the signal aborts; a request under way is then given up and its rows stay queued. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.#round(signal);
      await this.#options.clock.sleep(waitMs, signal);
    }
  }

  /** Goes on until nothing is queued, but not beyond `withinMs`; what is left then is lost, and counted in the log. */
  async drain(withinMs: number): Promise<void> {
    const { clock, log } = this.#options;
    const time = linkAbort();
    const late = clock.sleep(withinMs, time.signal).then(() => time.release());
    while (this.rowsWaiting > 0 && !time.signal.aborted) {
      const waitMs = await this.#round(time.signal);
      if (this.rowsWaiting > 0) await clock.sleep(waitMs, time.signal);
    }
    time.release();
    await late;
    const rows = this.rowsWaiting;
    if (rows > 0) log.warn({ rows }, "rows are lost: the gateway did not take them");
  }

  /** One batch of every table that has rows; resolves with the wait before the next round. */
  async #round(signal: AbortSignal): Promise<number> {
    const lanes = [...this.#lanes.values()].filter((lane) => lane.waiting.length + lane.batch.length > 0);
    if (lanes.length === 0) return LINGER_MS;
    const outcomes = await Promise.all(lanes.map((lane) => this.#send(lane, signal)));
    if (signal.aborted) return 0;
    const again = outcomes.filter((outcome) => outcome.kind === "again");
    const [first] = again;
    if (first === undefined) {
      this.#outage.succeeded();
      this.#logOverflow();
      this.#attempt = 0;
      return LINGER_MS;
    }
    this.#outage.failed(new Error(first.why));
    const askedMs = Math.max(0, ...again.map((outcome) => outcome.waitMs ?? 0));
    // A server that says when to come back has said so to everybody: only then is there no need to double the wait.
    const waitMs = askedMs > 0 ? askedMs : backoffMs(this.#attempt + 1, WORK_BACKOFF, this.#options.random);
    this.#attempt += 1;
    return waitMs;
  }

  async #send(lane: Lane, signal: AbortSignal): Promise<Outcome> {
    if (lane.batch.length === 0) lane.batch = lane.waiting.splice(0, lane.batchRowsMax);
    const outcome = await this.#options.client.post(lane.table, `${lane.batch.join("\n")}\n`, signal);
    const { table } = lane;
    const rows = lane.batch.length;
    const { log } = this.#options;
    if (outcome.kind === "again") return outcome;
    if (outcome.kind === "smaller" && rows > 1) {
      lane.batchRowsMax = Math.ceil(rows / 2);
      lane.waiting.unshift(...lane.batch);
    } else if (outcome.kind === "done") {
      if (outcome.rejected > 0)
        log.warn({ table, rows: outcome.rejected, reason: outcome.reason }, "rows were refused");
    } else {
      const why = outcome.kind === "refused" ? outcome.why : "a single row is too large";
      log.error({ table, rows, why }, "rows are dropped: the gateway will never take them");
    }
    lane.batch = [];
    return outcome;
  }

  #laneOf(table: string): Lane {
    const known = this.#lanes.get(table);
    if (known !== undefined) return known;
    const lane: Lane = { table, waiting: [], batch: [], batchRowsMax: BATCH_ROWS_MAX };
    this.#lanes.set(table, lane);
    return lane;
  }

  #logOverflow(): void {
    if (this.#overflowed === 0) return;
    this.#options.log.warn({ rows: this.#overflowed }, "rows were dropped: too many waited for the gateway");
    this.#overflowed = 0;
  }
}

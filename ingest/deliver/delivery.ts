// Delivery: takes frames from the spool, sends them to QuestDB and acknowledges them. Holds the only retry loop of the
// program. Order is kept per table: always from the head of its queue, one request of a table at a time, or two whose
// order cannot matter (pair.ts). It gives up a row only on the evidence that isolation.ts demands, and then into the
// dead-letter file.
import { type BackoffLimits, backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { DeadLetterWriter } from "../intake/dead_letter.ts";
import type { Log } from "../log.ts";
import type { Ledger } from "../metrics/ledger.ts";
import type { Metrics } from "../metrics/record.ts";
import type { Spool } from "../spool/spool.ts";
import { type BatchLimits, type QueuedFrame, withinLimits } from "../spool/table_queue.ts";
import { Alarm } from "./alarm.ts";
import { type Batch, cutBatch, progress, totalRows } from "./batch.ts";
import { GiveUp } from "./give_up.ts";
import type { IlpHttp } from "./ilp_http.ts";
import { afterRefusal, afterRewind, afterSilence, afterSuccess, type IsolationStep } from "./isolation.ts";
import type { LingerLimits } from "./linger.ts";
import { type Failure, mayBeStored, messageOf, type Outcome, POLICY } from "./outcome.ts";
import { type Pair, pairLimits, pairOf } from "./pair.ts";
import { scheduleOf } from "./schedule.ts";
import { ServerState } from "./server_state.ts";
import { TableLane } from "./table_lane.ts";

export interface DeliveryOptions {
  readonly spool: Spool;
  readonly sender: IlpHttp;
  readonly connections: number;
  readonly linger: LingerLimits;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetterWriter;
  /**
   * Why the table cannot take rows now (missing, or its columns differ), or undefined when nothing is wrong with it.
   * Asked before a row is given up. Rejects when the database cannot be asked.
   */
  readonly tableProblem: (table: string) => Promise<string | undefined>;
  /** Hears of every acknowledged batch: when its oldest row was accepted, and what table it was. */
  readonly onWritten: (table: string, oldestAcceptedUs: number) => void;
  /** Hears when the server goes away (with the failure) and when it is back. */
  readonly onServerState: (up: boolean, failure?: Failure) => void;
}

/** For one table that has trouble of its own. */
const TABLE_BACKOFF: BackoffLimits = { firstMs: 500, maxMs: 30_000 };

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #lanes = new Map<string, TableLane>();
  readonly #giveUp: GiveUp;
  readonly #server: ServerState;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #draining = false;
  #pairing = false;
  readonly #alarm: Alarm;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#giveUp = new GiveUp(options);
    this.#alarm = new Alarm(options.clock, this.#stop.signal);
    this.#server = new ServerState(options.clock, options.random, (up, failure) => {
      if (up) this.resend();
      options.onServerState(up, failure);
    });
    for (const { table } of options.spool.pending()) this.notify(table);
  }

  get server(): ServerState {
    return this.#server;
  }

  /** Tables that do not move, and why. */
  troubles(): readonly TableLane[] {
    return [...this.#lanes.values()].filter((lane) => lane.trouble !== undefined);
  }

  /** Tells that frames of a table were stored. */
  notify(table: string): void {
    const lane = this.#lane(table);
    const nowMs = this.#options.clock.monotonicMs();
    lane.lastAppendMs = nowMs;
    // Rows that join others which wait already change nothing, unless they fill the request.
    if (lane.waitingSinceMs !== undefined && !this.#isFull(lane)) return;
    lane.waitingSinceMs ??= nowMs;
    if (!lane.isSending) this.#alarm.wake();
  }

  /** Sends again what was delivered within the grace time: the server may have lost it. DEDUP absorbs the rest. */
  resend(): void {
    for (const table of this.#options.spool.tables()) this.#resend(table);
    this.#alarm.wake();
  }

  /** The same for a table that was dropped, or made again, over connections that have never seen the old one. */
  tableChanged(table: string): void {
    if (!this.#options.spool.tables().includes(table)) return;
    this.#options.log.warn({ table }, "a table was dropped or made again; its latest rows are sent again");
    this.#options.sender.renew();
    this.#resend(table);
    this.#alarm.wake();
  }

  /** Delivers until `stop`. Never rejects for what the server does. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#alarm.sleepUntil(this.#startDue());
    }
    await Promise.all(this.#underWay);
    this.#leaveResending();
  }

  /**
   * Sends what is pending without lingering. Resolves true when all is delivered, false at the deadline or when the
   * server is away. Without any time it begins nothing.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const { clock, spool } = this.#options;
    if (timeoutMs <= 0) return spool.pending().length === 0;
    this.#draining = true;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    this.#alarm.wake();
    while (spool.pending().length > 0) {
      if (clock.monotonicMs() >= deadlineMs || (!this.#server.isUp && this.#underWay.size === 0))
        return false;
      await Promise.race([...this.#underWay, clock.sleep(20)]);
    }
    return true;
  }

  /** Ends run(); attempts under way are aborted, their frames stay in the spool. */
  stop(): void {
    this.#stop.abort();
    this.#alarm.wake();
  }

  /** Starts every request that is due; returns when the next one is (monotonic ms). */
  #startDue(): number {
    const { clock, connections, linger } = this.#options;
    const nowMs = clock.monotonicMs();
    const { due, nextMs } = scheduleOf(this.#lanes.values(), {
      ...{ nowMs, linger, draining: this.#draining, notBeforeMs: this.#server.notBeforeMs },
      isFull: (lane) => this.#isFull(lane),
    });
    for (const lane of due) {
      // While the server is away one request at a time finds out whether it is back.
      if (this.#underWay.size >= (this.#server.isUp ? connections : 1)) return Number.POSITIVE_INFINITY;
      this.#start(lane);
    }
    return nextMs;
  }

  #isFull({ table }: TableLane): boolean {
    const { spool, limits } = this.#options;
    const pending = spool.pendingOf(table);
    return pending !== undefined && (pending.rows >= limits.rows || pending.bytes >= limits.bytes);
  }

  #start(lane: TableLane): void {
    lane.isSending = true;
    lane.waitingSinceMs = undefined;
    const work = this.#deliver(lane)
      .catch((err: unknown) => {
        this.#options.log.error(
          { err, table: lane.table },
          "delivery step failed; the rows stay in the spool",
        );
        this.#backOff(lane);
      })
      .finally(() => {
        this.#options.spool.letGo(lane.table);
        lane.isSending = false;
        this.#underWay.delete(work);
        if (lane.resendDue) this.#rewind(lane);
        this.#waitsFromNow(lane);
        this.#alarm.wake();
      });
    this.#underWay.add(work);
  }

  /** What was still to be sent again is left to the next start: after a stop in order it would send nothing again. */
  #leaveResending(): void {
    for (const table of this.#options.spool.tables()) {
      const lane = this.#lane(table);
      const isDue = lane.resendDue || lane.trouble?.kind === "table_not_ready";
      if (isDue || !this.#server.isUp) this.#rewind(lane);
    }
  }

  #resend(table: string): void {
    const lane = this.#lane(table);
    lane.resendDue = true;
    if (!lane.isSending) this.#rewind(lane);
  }

  #rewind(lane: TableLane): void {
    lane.resendDue = false;
    lane.doneRows = 0;
    lane.isolation = afterRewind(lane.isolation);
    lane.tableWasRight = false;
    this.#options.spool.rewind(lane.table);
    this.#waitsFromNow(lane);
  }

  #waitsFromNow(lane: TableLane): void {
    const { spool, clock } = this.#options;
    if (spool.pendingOf(lane.table) !== undefined) lane.waitingSinceMs ??= clock.monotonicMs();
  }

  async #deliver(lane: TableLane): Promise<void> {
    const { spool, limits } = this.#options;
    const mayPair = this.#mayPair(lane);
    const next = await spool.peek(lane.table, mayPair ? pairLimits(limits) : limits);
    const goodRows = lane.givenUp.rowsBefore(next, lane.doneRows);
    if (goodRows === 0) {
      this.#advance(lane, next, 1);
      return;
    }
    const pair = mayPair ? pairOf(cutBatch(next, lane.doneRows, goodRows), limits) : undefined;
    if (pair !== undefined) {
      await this.#deliverPair(lane, next, pair);
      return;
    }
    const frames = mayPair ? withinLimits(next, 0, limits) : next;
    const { mode, offset, limitRows } = lane.isolation;
    const rowsBehind = totalRows(frames) - lane.doneRows - 1;
    if (rowsBehind < 0) return;
    const skipRows = lane.doneRows + (mode === "witness" ? Math.min(offset, rowsBehind) : 0);
    const batch = cutBatch(frames, skipRows, Math.min(limitRows, limits.rows, goodRows));
    const outcome = await this.#send(batch);
    lane.isSingle &&= outcome.kind !== "written";
    if (this.#stop.signal.aborted && outcome.kind !== "written") return;
    if (outcome.kind === "written") await this.#written(lane, frames, batch);
    else await this.#failed(lane, frames, batch, outcome);
  }

  /** One pair at a time, and only where one request after the other has gone well: trouble is found out one by one. */
  #mayPair(lane: TableLane): boolean {
    return lane.isHealthy && !lane.isSingle && !this.#pairing && this.#server.isUp && this.#isFull(lane);
  }

  async #deliverPair(
    lane: TableLane,
    frames: readonly QueuedFrame[],
    { both, first, second }: Pair,
  ): Promise<void> {
    this.#pairing = true;
    const outcomes = await Promise.all([this.#send(first), this.#send(second)]).finally(() => {
      this.#pairing = false;
    });
    const failures = outcomes.filter((outcome) => outcome.kind !== "written");
    if (failures.length === 0) {
      await this.#written(lane, frames, both);
      return;
    }
    if (this.#stop.signal.aborted) return;
    lane.isSingle = true;
    // Either may have been stored: both are repeated before anything newer.
    const noAnswer = failures.filter(({ kind }) => POLICY[kind].concernsServer);
    const unknown = noAnswer.find(mayBeStored) ?? noAnswer[0];
    const [older] = outcomes;
    if (unknown !== undefined) await this.#failed(lane, frames, both, unknown);
    else if (older.kind !== "written") await this.#failed(lane, frames, first, older);
    // The newer rows come first now, and are refused again.
    else await this.#written(lane, frames, first);
  }

  async #send({ parts, rows, bytes }: Batch): Promise<Outcome> {
    const { sender, metrics, clock } = this.#options;
    const startMs = clock.monotonicMs();
    const outcome = await sender.send(
      parts.map((part) => part.payload),
      this.#stop.signal,
    );
    if (this.#stop.signal.aborted && outcome.kind !== "written") return outcome;
    metrics.observe("tickwatch_ack_seconds", {}, (clock.monotonicMs() - startMs) / 1000);
    metrics.observe("tickwatch_frame_rows", {}, rows);
    metrics.observe("tickwatch_frame_bytes", {}, bytes);
    return outcome;
  }

  async #written(lane: TableLane, frames: readonly QueuedFrame[], batch: Batch): Promise<void> {
    this.#server.succeeded();
    this.#options.ledger.acknowledged(lane.table, batch.bytes);
    const step = afterSuccess(lane.isolation);
    lane.isolation = step.next;
    lane.succeeded();
    if (step.action === "go") return; // a witness: it is sent again in its turn
    // A table that was missing or changed for a while: QuestDB confirms rows that go down with it.
    if (lane.trouble?.kind === "table_not_ready") lane.resendDue = true;
    lane.trouble = undefined;
    const resent = this.#resentRows(lane, frames, batch);
    if (resent > 0) this.#options.ledger.resent(lane.table, resent);
    if (resent < batch.rows) this.#options.ledger.written(lane.table, batch.rows - resent);
    this.#options.onWritten(lane.table, batch.oldestAcceptedUs);
    this.#advance(lane, frames, batch.rows);
  }

  /** Rows of the batch that had been delivered before. */
  #resentRows(lane: TableLane, frames: readonly QueuedFrame[], batch: Batch): number {
    const deliveredSeq = this.#options.spool.deliveredSeq(lane.table);
    const again = totalRows(frames.filter(({ seq }) => seq <= deliveredSeq)) - lane.doneRows;
    return Math.min(batch.rows, Math.max(0, again));
  }

  async #failed(
    lane: TableLane,
    frames: readonly QueuedFrame[],
    batch: Batch,
    failure: Failure,
  ): Promise<void> {
    const { ledger, sender } = this.#options;
    const policy = POLICY[failure.kind];
    if (policy.concernsServer) {
      ledger.retried(lane.table, policy.reason);
      lane.attempts += 1;
      if (mayBeStored(failure)) lane.isolation = afterSilence(lane.isolation, batch.rows);
      this.#server.failed(failure);
      return;
    }
    // An answer, even a refusal, shows that the server is there.
    this.#server.succeeded();
    const step: IsolationStep =
      policy.verdict === "isolate"
        ? afterRefusal(lane.isolation, failure, batch.rows, totalRows(frames) - lane.doneRows - 1)
        : { next: lane.isolation, action: "wait" };
    const problem = step.action === "wait" ? undefined : await this.#problemOf(lane.table);
    const wasRight = lane.tableWasRight;
    lane.tableWasRight = step.action !== "wait" && problem === undefined;
    if (problem !== undefined) {
      ledger.retried(lane.table, "table_not_ready");
      this.#setTrouble(lane, "table_not_ready", problem);
      this.#backOff(lane);
      return;
    }
    ledger.retried(lane.table, policy.reason);
    // Only waits make the next wait longer.
    if (step.action !== "wait") lane.attempts ||= 1;
    if (step.action === "dead_letter" && !wasRight) {
      // The table may have been mended between the refusal and the look at it, and a connection does not see that:
      // refused once more, on a new one, the row is bad.
      sender.renew();
      return;
    }
    lane.isolation = step.next;
    if (step.action === "dead_letter") {
      const reason = failure.kind === "server_error" ? "server_error" : "row_refused";
      await this.#giveUp.firstRow(lane, frames, reason, messageOf(failure));
      this.#advance(lane, frames, 0);
    }
    if (step.action !== "wait") return;
    this.#setTrouble(lane, failure.kind, messageOf(failure));
    this.#backOff(lane);
  }

  #problemOf(table: string): Promise<string | undefined> {
    return this.#options
      .tableProblem(table)
      .catch(() => "the table cannot be checked, because QuestDB does not answer queries");
  }

  #advance(lane: TableLane, frames: readonly QueuedFrame[], rows: number): void {
    const { ackSeq, restRows } = progress(frames, lane.doneRows + rows);
    lane.doneRows = restRows;
    if (ackSeq !== undefined) this.#options.spool.ack(lane.table, ackSeq);
  }

  #backOff(lane: TableLane): void {
    lane.attempts += 1;
    const { clock, random } = this.#options;
    lane.notBeforeMs = clock.monotonicMs() + backoffMs(lane.attempts, TABLE_BACKOFF, random);
  }

  #setTrouble(lane: TableLane, kind: Failure["kind"] | "table_not_ready", message: string): void {
    if (lane.trouble?.kind !== kind) {
      this.#options.log.warn(
        { table: lane.table, trouble: kind, answer: message },
        "table cannot be written; its rows wait",
      );
      lane.trouble = { kind, message, sinceUs: this.#options.clock.nowUs() };
      return;
    }
    lane.trouble = { ...lane.trouble, message };
  }

  #lane(table: string): TableLane {
    let lane = this.#lanes.get(table);
    if (lane === undefined) {
      lane = new TableLane(table);
      this.#lanes.set(table, lane);
    }
    return lane;
  }
}

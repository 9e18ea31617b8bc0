// Giving up a row that QuestDB will not take: into the dead-letter file, counted, and told without a line for each.
import type { Clock } from "../clock.ts";
import { decodeLine } from "../encode/decode.ts";
import type { DeadLetterWriter } from "../intake/dead_letter.ts";
import type { Log } from "../log.ts";
import type { DeadLetterReason, Ledger } from "../metrics/ledger.ts";
import type { QueuedFrame } from "../spool/table_queue.ts";
import { cutBatch, firstRow } from "./batch.ts";
import type { TableLane } from "./table_lane.ts";

export interface GiveUpOptions {
  readonly deadLetters: DeadLetterWriter;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

const TOLD_EVERY_MS = 60_000;

export class GiveUp {
  readonly #options: GiveUpOptions;

  constructor(options: GiveUpOptions) {
    this.#options = options;
  }

  /** Writes the first undelivered row to the dead-letter file, then counts it as done. Rejects when it cannot be written. */
  async firstRow(
    lane: TableLane,
    frames: readonly QueuedFrame[],
    reason: DeadLetterReason,
    message: string,
  ): Promise<void> {
    const { deadLetters, ledger } = this.#options;
    const bytes = firstRow(cutBatch(frames, lane.doneRows, 1));
    const row = decodeLine(bytes)?.row;
    await deadLetters.write([
      { stage: "questdb", table: lane.table, reason, message, row, bytes: bytes.toString("base64") },
    ]);
    lane.givenUp.add(frames, lane.doneRows);
    ledger.deadLettered(lane.table, reason, 1);
    this.#tell(lane, reason, message);
    lane.doneRows += 1;
  }

  /** The first at once, then at most one line in a while with the number since: a thousand bad rows are one problem. */
  #tell(lane: TableLane, reason: DeadLetterReason, message: string): void {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    lane.deadLettersUntold += 1;
    if (nowMs - lane.deadLetterToldMs < TOLD_EVERY_MS) return;
    const fields = { table: lane.table, rows: lane.deadLettersUntold, reason, answer: message };
    lane.deadLetterToldMs = nowMs;
    lane.deadLettersUntold = 0;
    log.warn(fields, "QuestDB refused rows; they are in the dead-letter file");
  }
}

// What delivery knows of one table: how far into the queue's first frame it is, when it may send again, what troubles
// it. Decisions are made in delivery.ts.
import { GivenUpRows } from "./given_up.ts";
import { type Isolation, isUnrestricted, NO_ISOLATION } from "./isolation.ts";
import type { Failure } from "./outcome.ts";

/** Why a table does not move, for people and for /readyz. */
export interface Trouble {
  readonly kind: Failure["kind"] | "table_not_ready";
  readonly message: string;
  readonly sinceUs: number;
}

export class TableLane {
  readonly table: string;
  /** Rows of the queue's first frame that are delivered or dead-lettered already. */
  doneRows = 0;
  isolation: Isolation = NO_ISOLATION;
  readonly givenUp = new GivenUpRows();
  isSending = false;
  /** The last two requests that were sent at once were not both taken: the next ones go one by one. */
  isSingle = false;
  /** What was delivered lately is to be sent again, once nothing is under way. */
  resendDue = false;
  /** Failed attempts since the last success. */
  attempts = 0;
  /** Monotonic time before which nothing is sent. */
  notBeforeMs = 0;
  /** Monotonic time when the first row came that is not yet part of a request; undefined when there is none. */
  waitingSinceMs: number | undefined;
  lastAppendMs = Number.NEGATIVE_INFINITY;
  trouble: Trouble | undefined;
  /** The table was found as the schema says after the latest refusal: the next one is evidence against the row. */
  tableWasRight = false;
  /** Monotonic time of the last log line about dead letters, and how many came since. */
  deadLetterToldMs = Number.NEGATIVE_INFINITY;
  deadLettersUntold = 0;

  constructor(table: string) {
    this.table = table;
  }

  /** QuestDB took a request. What troubles the table is another matter. */
  succeeded(): void {
    this.tableWasRight = false;
    this.attempts = 0;
    this.notBeforeMs = 0;
  }

  /** True when nothing went wrong lately. */
  get isHealthy(): boolean {
    return this.trouble === undefined && this.attempts === 0 && isUnrestricted(this.isolation);
  }
}

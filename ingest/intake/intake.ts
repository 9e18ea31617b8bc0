// Intake: unknown input → checked, encoded, durable row. Everything that is refused is counted by reason and kept as a
// dead letter. Knows the events and the spool's commit; nothing of sources, HTTP or QuestDB.
import type { EventDefinition } from "../../schema/define.ts";
import type { RejectReason } from "../../schema/refusal.ts";
import { EVENTS } from "../../schema/registry.ts";
import type { Clock } from "../clock.ts";
import type { BufferSource } from "../encode/byte_buffer.ts";
import { FULL_FRAME_BYTES } from "../encode/frame_buffers.ts";
import { FrameBuilder } from "../encode/frame_builder.ts";
import { createEncoder, type EncoderKind } from "../encode/row_encoder.ts";
import { TickwatchError } from "../errors.ts";
import { type Ledger, UNKNOWN_TABLE } from "../metrics/ledger.ts";
import type { PushResult, Rejection } from "../sources/source.ts";
import type { Frame } from "../spool/frame.ts";
import { GroupCommit } from "../spool/group_commit.ts";
import type { DeadLetterWriter } from "./dead_letter.ts";
import { MalformedLine } from "./malformed.ts";
import { type TimeWindow, timeRefusal, timeWindow } from "./time_limits.ts";

export interface IntakeOptions {
  /** Tables that rows are taken for; those of the registry if absent. */
  readonly events?: readonly EventDefinition[];
  readonly encoder: EncoderKind;
  readonly frameRowsMax: number;
  readonly frameBytesMax: number;
  readonly rowBytesMax: number;
  /** Where frames get their memory. */
  readonly memory?: BufferSource;
  readonly futureMaxS: number;
  readonly syncIntervalMs: number;
  readonly ttlDaysOf: (event: EventDefinition) => number;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetterWriter;
  /** Makes frames durable; rejects with SPOOL_FULL or SPOOL_FAILED. */
  readonly append: (frames: readonly Frame[]) => Promise<void>;
  /** Resolves when there is room in the spool, or rejects with SPOOL_FULL, as the configuration says. */
  readonly room: () => Promise<void>;
  readonly onDurable: (frames: readonly Frame[]) => void;
}

export interface Intake {
  /**
   * Takes rows of one table. Resolves when every accepted row is durable; what was refused is in `rejected`, counted
   * and dead-lettered. Rejects with SPOOL_FULL, SPOOL_FAILED or STOPPING: then nothing was promised, and handing the
   * same rows over again is safe, because equal rows are one row to the database.
   */
  accept(table: string, rows: readonly unknown[]): Promise<PushResult>;
  /** Takes nothing more, and resolves when everything under way is durable or refused. */
  stop(): Promise<void>;
}

/** Rows handled before other work gets a turn: some milliseconds. */
const ROWS_PER_TURN = 4096;

interface Lane {
  readonly event: EventDefinition;
  readonly builder: FrameBuilder;
  readonly ttlDays: number;
}

/** When a turn began, and which times can be taken then. */
interface Moment {
  readonly nowUs: number;
  readonly window: TimeWindow;
}

export function createIntake(options: IntakeOptions): Intake {
  return new DurableIntake(options);
}

class DurableIntake implements Intake {
  readonly #options: IntakeOptions;
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #commit: GroupCommit;
  readonly #frameBytesMax: number;
  #sealed: Frame[] = [];
  #stopping = false;
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#frameBytesMax = Math.min(options.frameBytesMax, FULL_FRAME_BYTES);
    this.#lanes = new Map((options.events ?? EVENTS).map((event) => [event.name, this.#lane(event)]));
    const { clock, append, onDurable, syncIntervalMs: intervalMs } = options;
    this.#commit = new GroupCommit({ drain: () => this.#drain(), append, onDurable, clock, intervalMs });
  }

  async accept(table: string, rows: readonly unknown[]): Promise<PushResult> {
    if (this.#stopping)
      throw new TickwatchError("STOPPING", "tickwatch is stopping: send the rows again after its restart");
    this.#underWay += 1;
    try {
      return await this.#accept(table, rows);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle?.();
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#commit.settled();
  }

  async #accept(table: string, rows: readonly unknown[]): Promise<PushResult> {
    const lane = this.#lanes.get(table);
    const rejected: Rejection[] = [];
    const commits: Promise<void>[] = [];
    for (let from = 0; from < rows.length; from += ROWS_PER_TURN) {
      if (from > 0) await new Promise((resolve) => setImmediate(resolve));
      await this.#options.room();
      const before = rejected.length;
      const turn = Math.min(rows.length, from + ROWS_PER_TURN);
      const moment = this.#momentOf(lane);
      for (let index = from; index < turn; index++) {
        const refusal = this.#take(lane, rows[index], moment);
        if (refusal !== undefined) rejected.push({ index, reason: refusal.reason, message: refusal.message });
      }
      // Asked for per turn: a group that another caller's rows complete must report to this caller too.
      if (rejected.length - before < turn - from) commits.push(this.#commit.request());
    }
    if (rejected.length > 0) await this.#keepRejected(table, rows, rejected);
    await Promise.all(commits);
    const accepted = rows.length - rejected.length;
    if (accepted > 0) this.#options.ledger.accepted(table, accepted);
    return { accepted, rejected };
  }

  /** Encodes a row into the open frame of its table, or says why not. */
  #take(
    lane: Lane | undefined,
    input: unknown,
    { nowUs, window }: Moment,
  ): { readonly reason: RejectReason; readonly message: string } | undefined {
    if (lane === undefined)
      return { reason: "unknown_table", message: "there is no such table: see GET /v1/tables" };
    if (input instanceof MalformedLine) return { reason: "malformed_json", message: input.message };
    const { rowBytesMax, frameRowsMax } = this.#options;
    const outcome = lane.event.parse(input);
    if (!outcome.ok) return outcome;
    const { ts } = outcome.row;
    if (ts > window.toUs || ts < window.fromUs) {
      return timeRefusal(ts, nowUs, { ttlDays: lane.ttlDays, futureMaxS: this.#options.futureMaxS });
    }
    if (!lane.builder.add(outcome.row, nowUs, rowBytesMax)) {
      return {
        reason: "row_too_large",
        message: `the row takes more than ${rowBytesMax} bytes (intake.rowBytesMax)`,
      };
    }
    if (lane.builder.rows >= frameRowsMax || lane.builder.bytes >= this.#frameBytesMax) this.#seal(lane);
    return undefined;
  }

  async #keepRejected(
    table: string,
    rows: readonly unknown[],
    rejected: readonly Rejection[],
  ): Promise<void> {
    const { ledger, deadLetters } = this.#options;
    const known = this.#lanes.has(table) ? table : UNKNOWN_TABLE;
    for (const { reason } of rejected) ledger.rejected(known, reason);
    const entries = rejected.map(({ index, reason, message }) => {
      const input = rows[index];
      const row = input instanceof MalformedLine ? input.text : input;
      return { stage: "intake" as const, table, reason, message, row };
    });
    await deadLetters.write(entries).catch((cause: unknown) => {
      throw new TickwatchError("SPOOL_FAILED", "the dead-letter file could not be written", { cause });
    });
  }

  /** Asked once per turn: a clock is dear beside a row. */
  #momentOf(lane: Lane | undefined): Moment {
    const { clock, futureMaxS } = this.#options;
    const nowUs = clock.nowUs();
    return { nowUs, window: timeWindow(nowUs, { ttlDays: lane?.ttlDays ?? 0, futureMaxS }) };
  }

  #lane(event: EventDefinition): Lane {
    const encode = createEncoder(this.#options.encoder, event);
    const builder = new FrameBuilder(event.name, event.fingerprint, encode, this.#options.memory);
    return { event, builder, ttlDays: this.#options.ttlDaysOf(event) };
  }

  #seal(lane: Lane): void {
    const frame = lane.builder.seal();
    if (frame !== undefined) this.#sealed.push(frame);
  }

  #drain(): readonly Frame[] {
    for (const lane of this.#lanes.values()) this.#seal(lane);
    const frames = this.#sealed;
    this.#sealed = [];
    return frames;
  }
}

// Intake: unknown input → checked, encoded, durable row. Everything that is refused is counted by reason and kept as a
// dead letter. Knows the events and the spool's commit; nothing of sources, HTTP or QuestDB.
import type { EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import type { Clock } from "../clock.ts";
import type { BufferSource } from "../encode/byte_buffer.ts";
import type { EncoderKind } from "../encode/row_encoder.ts";
import { TickwatchError } from "../errors.ts";
import { type Ledger, UNKNOWN_TABLE } from "../metrics/ledger.ts";
import type { PushResult } from "../sources/source.ts";
import type { Frame } from "../spool/frame.ts";
import { GroupCommit } from "../spool/group_commit.ts";
import type { DeadLetterWriter } from "./dead_letter.ts";
import { type Input, LinesInput, type Refused, ValuesInput } from "./inputs.ts";
import { Lane } from "./lane.ts";
import { MalformedLine } from "./malformed.ts";

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
  /**
   * The same for rows as NDJSON: one object a line, blank lines do not count, the index of a refused row is its place
   * among the others. `text` is not changed, and must not change until the promise has settled.
   */
  acceptLines(table: string, text: Buffer): Promise<PushResult>;
  /** Takes nothing more, and resolves when everything under way is durable or refused. */
  stop(): Promise<void>;
}

export function createIntake(options: IntakeOptions): Intake {
  return new DurableIntake(options);
}

class DurableIntake implements Intake {
  readonly #options: IntakeOptions;
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #commit: GroupCommit;
  #sealed: Frame[] = [];
  #stopping = false;
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const onFrame = (frame: Frame) => void this.#sealed.push(frame);
    this.#lanes = new Map(
      (options.events ?? EVENTS).map((event) => [event.name, new Lane(event, options, onFrame)]),
    );
    const { clock, append, onDurable, syncIntervalMs: intervalMs } = options;
    this.#commit = new GroupCommit({ drain: () => this.#drain(), append, onDurable, clock, intervalMs });
  }

  accept(table: string, rows: readonly unknown[]): Promise<PushResult> {
    return this.#whileOpen(() => this.#accept(table, new ValuesInput(rows)));
  }

  acceptLines(table: string, text: Buffer): Promise<PushResult> {
    return this.#whileOpen(() => this.#accept(table, new LinesInput(text)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#commit.settled();
  }

  async #whileOpen(work: () => Promise<PushResult>): Promise<PushResult> {
    if (this.#stopping)
      throw new TickwatchError("STOPPING", "tickwatch is stopping: send the rows again after its restart");
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle?.();
    }
  }

  async #accept(table: string, input: Input): Promise<PushResult> {
    const { clock, room, ledger } = this.#options;
    const lane = this.#lanes.get(table);
    const commits: Promise<void>[] = [];
    for (let turn = 0; !input.isDone; turn++) {
      if (turn > 0) await new Promise((resolve) => setImmediate(resolve));
      await room();
      const { rows, refused } = input;
      const refusedBefore = refused.length;
      input.turn(lane, lane?.momentAt(clock.nowUs()));
      // Asked for per turn: a group that another caller's rows complete must report to this caller too.
      if (refused.length - refusedBefore < input.rows - rows) commits.push(this.#commit.request());
    }
    if (input.refused.length > 0) await this.#keepRefused(table, input.refused);
    await Promise.all(commits);
    const accepted = input.rows - input.refused.length;
    if (accepted > 0) ledger.accepted(table, accepted);
    return {
      accepted,
      rejected: input.refused.map(({ index, reason, message }) => ({ index, reason, message })),
    };
  }

  async #keepRefused(table: string, refused: readonly Refused[]): Promise<void> {
    const { ledger, deadLetters } = this.#options;
    const known = this.#lanes.has(table) ? table : UNKNOWN_TABLE;
    for (const { reason } of refused) ledger.rejected(known, reason);
    const entries = refused.map(({ input, reason, message }) => {
      const row = input instanceof MalformedLine ? input.text : input;
      return { stage: "intake" as const, table, reason, message, row };
    });
    await deadLetters.write(entries).catch((cause: unknown) => {
      throw new TickwatchError("SPOOL_FAILED", "the dead-letter file could not be written", { cause });
    });
  }

  #drain(): readonly Frame[] {
    for (const lane of this.#lanes.values()) lane.seal();
    const frames = this.#sealed;
    this.#sealed = [];
    return frames;
  }
}

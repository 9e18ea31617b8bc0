// One table's way from input to encoded row: the check of its event, the time limits, the size. Knows nothing of disks.
import type { EventDefinition } from "../../schema/define.ts";
import type { RejectReason } from "../../schema/refusal.ts";
import { FULL_FRAME_BYTES } from "../encode/frame_buffers.ts";
import { FrameBuilder } from "../encode/frame_builder.ts";
import { type JsonLines, jsonLines } from "../encode/json_line.ts";
import type { Lines } from "../encode/json_scan.ts";
import { createEncoder } from "../encode/row_encoder.ts";
import type { Frame } from "../spool/frame.ts";
import type { IntakeOptions } from "./intake.ts";
import { MalformedLine } from "./malformed.ts";
import { type TimeWindow, timeRefusal, timeWindow } from "./time_limits.ts";

/** When a turn began, and which times can be taken then: asked once per turn, since a clock is dear beside a row. */
export interface Moment {
  readonly nowUs: number;
  readonly window: TimeWindow;
}

export interface Refusal {
  readonly reason: RejectReason;
  readonly message: string;
}

type LaneOptions = Pick<
  IntakeOptions,
  "encoder" | "frameRowsMax" | "frameBytesMax" | "rowBytesMax" | "futureMaxS" | "memory" | "ttlDaysOf"
>;

export class Lane {
  readonly #event: EventDefinition;
  readonly #options: LaneOptions;
  readonly #frameBytesMax: number;
  readonly #builder: FrameBuilder;
  readonly #ttlDays: number;
  readonly #lines: JsonLines | undefined;
  readonly #onFrame: (frame: Frame) => void;

  /** `onFrame` gets every frame that is full or sealed, in order. */
  constructor(event: EventDefinition, options: LaneOptions, onFrame: (frame: Frame) => void) {
    this.#event = event;
    this.#options = options;
    this.#onFrame = onFrame;
    this.#frameBytesMax = Math.min(options.frameBytesMax, FULL_FRAME_BYTES);
    const encode = createEncoder(options.encoder, event);
    this.#builder = new FrameBuilder(event.name, event.fingerprint, encode, options.memory);
    this.#ttlDays = options.ttlDaysOf(event);
    this.#lines = options.encoder === "native" ? jsonLines(event) : undefined;
  }

  momentAt(nowUs: number): Moment {
    const { futureMaxS } = this.#options;
    return { nowUs, window: timeWindow(nowUs, { ttlDays: this.#ttlDays, futureMaxS }) };
  }

  /** Encodes a row into the open frame, or says why not. */
  take(input: unknown, { nowUs, window }: Moment): Refusal | undefined {
    if (input instanceof MalformedLine) return { reason: "malformed_json", message: input.message };
    const outcome = this.#event.parse(input);
    if (!outcome.ok) return outcome;
    const { futureMaxS, rowBytesMax } = this.#options;
    const { ts } = outcome.row;
    if (ts > window.toUs || ts < window.fromUs)
      return timeRefusal(ts, nowUs, { ttlDays: this.#ttlDays, futureMaxS });
    if (!this.#builder.add(outcome.row, nowUs, rowBytesMax)) {
      return {
        reason: "row_too_large",
        message: `the row takes more than ${rowBytesMax} bytes (intake.rowBytesMax)`,
      };
    }
    this.#sealIfFull();
    return undefined;
  }

  /**
   * Encodes the line at `from` if it is plainly a row that can be taken, and returns the position behind it. Else -1, and
   * nothing has happened: what the line holds is for JSON.parse and `take`.
   */
  takeLine(lines: Lines, from: number, { nowUs, window }: Moment): number {
    const reader = this.#lines;
    if (reader === undefined) return -1;
    const behind = reader.read(lines, from);
    if (behind < 0) return -1;
    const ts = reader.ts();
    if (ts > window.toUs || ts < window.fromUs) return -1;
    if (!this.#builder.addLine(reader, lines, nowUs, this.#options.rowBytesMax)) return -1;
    this.#sealIfFull();
    return behind;
  }

  /** Ends the open frame, if it has rows. */
  seal(): void {
    const frame = this.#builder.seal();
    if (frame !== undefined) this.#onFrame(frame);
  }

  #sealIfFull(): void {
    const { rows, bytes } = this.#builder;
    if (rows >= this.#options.frameRowsMax || bytes >= this.#frameBytesMax) this.seal();
  }
}

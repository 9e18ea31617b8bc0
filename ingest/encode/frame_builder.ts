// Collects the encoded rows of one table until they are sealed into a frame.
import type { AnyRow } from "../../schema/define.ts";
import type { Frame } from "../spool/frame.ts";
import { type BufferSource, ByteBuffer } from "./byte_buffer.ts";
import { SMALL_BYTES_MAX } from "./frame_buffers.ts";
import type { JsonLines } from "./json_line.ts";
import type { Lines } from "./json_scan.ts";
import type { EncodeRow } from "./row_encoder.ts";

const CAPACITY_BYTES_MIN = 2048;
const OFFSETS_MIN = 64;
/** Times what is needed. */
const TOO_LARGE = 8;

export class FrameBuilder {
  readonly #table: string;
  readonly #fingerprint: number;
  readonly #encode: EncodeRow;
  readonly #memory: BufferSource | undefined;
  #bytes: ByteBuffer | undefined;
  #offsets = new Uint32Array(OFFSETS_MIN);
  #keys = new Int32Array(2 * OFFSETS_MIN);
  #rows = 0;
  #minTs = 0;
  #maxTs = 0;
  #acceptedUs = 0;
  /** The next buffer begins at the size that the last frame needed. */
  #capacityBytes = CAPACITY_BYTES_MIN;

  /** Whoever gets the frames gives their payloads back to `memory`, if there is one. */
  constructor(table: string, fingerprint: number, encode: EncodeRow, memory?: BufferSource) {
    this.#table = table;
    this.#fingerprint = fingerprint;
    this.#encode = encode;
    this.#memory = memory;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes?.length ?? 0;
  }

  /**
   * Adds a checked row that arrived at `nowUs`. Returns false, and leaves everything as it was, when its bytes exceed
   * `rowBytesMax`.
   */
  add(row: AnyRow, nowUs: number, rowBytesMax: number): boolean {
    const buffer = this.#buffer();
    const start = buffer.length;
    try {
      this.#encode(row, buffer, this.#keys, 2 * this.#rows);
    } catch (error) {
      buffer.length = start;
      throw error;
    }
    return this.#keep(buffer, start, row.ts, nowUs, rowBytesMax);
  }

  /** The same for the line that `reader` has read. */
  addLine(reader: JsonLines, lines: Lines, nowUs: number, rowBytesMax: number): boolean {
    const buffer = this.#buffer();
    const start = buffer.length;
    reader.write(lines, buffer, this.#keys, 2 * this.#rows);
    return this.#keep(buffer, start, reader.ts(), nowUs, rowBytesMax);
  }

  #buffer(): ByteBuffer {
    if (this.#rows === this.#offsets.length) this.#grow();
    this.#bytes ??= new ByteBuffer(this.#capacityBytes, this.#memory);
    return this.#bytes;
  }

  #keep(buffer: ByteBuffer, start: number, ts: number, nowUs: number, rowBytesMax: number): boolean {
    if (buffer.length - start > rowBytesMax) {
      buffer.length = start;
      return false;
    }
    this.#offsets[this.#rows] = start;
    this.#minTs = this.#rows === 0 || ts < this.#minTs ? ts : this.#minTs;
    this.#maxTs = this.#rows === 0 || ts > this.#maxTs ? ts : this.#maxTs;
    if (this.#rows === 0) this.#acceptedUs = nowUs;
    this.#rows += 1;
    return true;
  }

  /** The rows so far as a frame, or undefined when there are none. The builder is empty afterwards. */
  seal(): Frame | undefined {
    const buffer = this.#bytes;
    if (buffer === undefined || this.#rows === 0) return undefined;
    const frame: Frame = {
      table: this.#table,
      fingerprint: this.#fingerprint,
      rowCount: this.#rows,
      rowOffsets: this.#offsets.slice(0, this.#rows),
      keys: this.#keys.slice(0, 2 * this.#rows),
      payload: payloadOf(buffer),
      minTs: this.#minTs,
      maxTs: this.#maxTs,
      acceptedUs: this.#acceptedUs,
    };
    // A buffer that was given away is not written to again; from another one the rows were copied.
    if (frame.payload.buffer === buffer.bytes.buffer) this.#bytes = undefined;
    else this.#reuse(buffer);
    this.#capacityBytes = Math.max(CAPACITY_BYTES_MIN, frame.payload.length);
    this.#rows = 0;
    return frame;
  }

  /** Goes on with the buffer, unless it has become much too large, or is one of those that are shared. */
  #reuse(buffer: ByteBuffer): void {
    const isTooLarge = buffer.bytes.length > TOO_LARGE * Math.max(buffer.length, CAPACITY_BYTES_MIN);
    const isShared = buffer.bytes.length > SMALL_BYTES_MAX;
    buffer.length = 0;
    if (!isTooLarge && !isShared) return;
    this.#memory?.give(buffer.bytes);
    this.#bytes = undefined;
  }

  #grow(): void {
    const grown = new Uint32Array(this.#offsets.length * 2);
    grown.set(this.#offsets);
    this.#offsets = grown;
    const keys = new Int32Array(2 * grown.length);
    keys.set(this.#keys);
    this.#keys = keys;
  }
}

/** Small payloads are copied to their exact size; a mostly full large buffer is handed over as it is. */
function payloadOf(buffer: ByteBuffer): Buffer {
  const isWorthGiving = buffer.length >= 16_384 && buffer.length * 2 >= buffer.bytes.length;
  return isWorthGiving ? buffer.written() : Buffer.from(buffer.written());
}

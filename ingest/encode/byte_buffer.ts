// A growing byte buffer for rows on their way to the spool. Knows nothing of what is written into it.

const GROWTH_BYTES_MIN = 4096;

/** Where buffers come from, and where they go when they are not needed any more. */
export interface BufferSource {
  /** A buffer of at least so many bytes, with anything in them. */
  take(bytes: number): Buffer;
  /** Nobody reads or writes `buffer` again. */
  give(buffer: Buffer): void;
}

/** New memory each time, left to the garbage collector. */
const NEW_MEMORY: BufferSource = {
  take: (bytes) => Buffer.allocUnsafeSlow(bytes),
  give: () => undefined,
};

/** Bytes with a write position. Callers `reserve` before they write and advance `length` themselves. */
export class ByteBuffer {
  bytes: Buffer;
  /** The same memory, for numbers of several bytes. */
  view: DataView;
  length = 0;
  readonly #source: BufferSource;

  constructor(capacityBytes: number = GROWTH_BYTES_MIN, source: BufferSource = NEW_MEMORY) {
    this.#source = source;
    this.bytes = source.take(Math.max(capacityBytes, 64));
    this.view = viewOf(this.bytes);
  }

  /** Makes room for `count` more bytes; `bytes` may be another buffer afterwards. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = this.#source.take(Math.max(needed, this.bytes.length * 2, GROWTH_BYTES_MIN));
    this.bytes.copy(grown, 0, 0, this.length);
    this.#source.give(this.bytes);
    this.bytes = grown;
    this.view = viewOf(grown);
  }

  /** The bytes written so far; shares memory with this buffer. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

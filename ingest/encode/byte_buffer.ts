// A growing byte buffer for rows on their way to the spool. Knows nothing of what is written into it.

const GROWTH_BYTES_MIN = 4096;

/** Bytes with a write position. Callers `reserve` before they write and advance `length` themselves. */
export class ByteBuffer {
  bytes: Buffer;
  /** The same memory, for numbers of several bytes. */
  view: DataView;
  length = 0;

  constructor(capacityBytes: number = GROWTH_BYTES_MIN) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(capacityBytes, 64));
    this.view = viewOf(this.bytes);
  }

  /** Makes room for `count` more bytes; `bytes` may be another buffer afterwards. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, GROWTH_BYTES_MIN));
    this.bytes.copy(grown, 0, 0, this.length);
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

// The memory of large frames, used again and again: fresh buffers would cost more time in the garbage collector than
// writing the rows takes (docs/adr/0007). All have one size. A buffer that is never given back is only garbage.
import type { BufferSource } from "./byte_buffer.ts";

/** One buffer: fits the processor's second cache together with what it is made from. */
export const FRAME_BUFFER_BYTES = 262_144;

/** A frame of so many bytes is full: the usual row would not fit any more. */
export const FULL_FRAME_BYTES = FRAME_BUFFER_BYTES - 4_096;

/** Smaller buffers are cheap as they are. */
const REUSED_BYTES_MIN = 65_536;

export class FrameBuffers implements BufferSource {
  readonly #free: Buffer[] = [];
  /** Which memory is ours and in use: it is taken back once, and nothing else is. */
  readonly #lent = new WeakSet<object>();
  /** Fewest free ones since the last `trim`: so many were not needed. */
  #idle = 0;
  #lentCount = 0;

  /** Buffers that are in use. */
  get lent(): number {
    return this.#lentCount;
  }

  /** Buffers that wait for use. */
  get free(): number {
    return this.#free.length;
  }

  take(bytes: number): Buffer {
    if (bytes <= REUSED_BYTES_MIN || bytes > FRAME_BUFFER_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(FRAME_BUFFER_BYTES);
    this.#idle = Math.min(this.#idle, this.#free.length);
    this.#lent.add(buffer.buffer);
    this.#lentCount += 1;
    return buffer;
  }

  /** Takes back the memory behind `buffer`, which may be a part of it; memory from elsewhere is passed over. */
  give(buffer: Buffer): void {
    if (!this.#lent.delete(buffer.buffer)) return;
    this.#lentCount -= 1;
    this.#free.push(Buffer.from(buffer.buffer));
  }

  /** Lets go of half of what was not needed since the last call. Call it now and then. */
  trim(): void {
    this.#free.length -= Math.ceil(this.#idle / 2);
    this.#idle = this.#free.length;
  }
}

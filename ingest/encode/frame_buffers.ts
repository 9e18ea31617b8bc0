// The memory of large frames, used again and again: fresh buffers would cost more time in the garbage collector than
// writing the rows takes (docs/adr/0007). All are cut from one slab.
import type { BufferSource } from "./byte_buffer.ts";

/** One buffer: fits the processor's second cache together with what it is made from. */
export const FRAME_BUFFER_BYTES = 262_144;

/** A frame of so many bytes is full: the usual row would not fit any more. */
export const FULL_FRAME_BYTES = FRAME_BUFFER_BYTES - 4_096;

/** Smaller buffers are cheap as they are. */
export const SMALL_BYTES_MAX = 65_536;

/**
 * Buffers of a slab. Memory that was never written to is not resident; and a slab of more than 32 MiB goes back to the
 * system at once when it is dropped, where the C library would keep smaller blocks for itself.
 */
const SLAB_BUFFERS = 144;

export class FrameBuffers implements BufferSource {
  #slab: ArrayBufferLike | undefined;
  /** Places in the slab; those that were used last are taken first. */
  #free: number[] = [];
  readonly #isLent = new Uint8Array(SLAB_BUFFERS);
  #lent = 0;
  #wasUsed = false;

  /** Buffers that are in use. */
  get lent(): number {
    return this.#lent;
  }

  take(bytes: number): Buffer {
    const isReused = bytes > SMALL_BYTES_MAX && bytes <= FRAME_BUFFER_BYTES;
    const place = isReused ? this.#place() : undefined;
    if (place === undefined || this.#slab === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.#isLent[place] = 1;
    this.#lent += 1;
    this.#wasUsed = true;
    return Buffer.from(this.#slab, place * FRAME_BUFFER_BYTES, FRAME_BUFFER_BYTES);
  }

  /** Takes back the memory behind `buffer`, which may be a part of it; memory from elsewhere is passed over. */
  give(buffer: Buffer): void {
    if (buffer.buffer !== this.#slab) return;
    const place = Math.floor(buffer.byteOffset / FRAME_BUFFER_BYTES);
    if (this.#isLent[place] !== 1) return;
    this.#isLent[place] = 0;
    this.#lent -= 1;
    this.#free.push(place);
  }

  /** Lets all memory go if none of it was used since the last call. Call it now and then. */
  trim(): void {
    if (this.#lent === 0 && !this.#wasUsed) this.#slab = undefined;
    this.#wasUsed = false;
  }

  /** Undefined when all are in use: then memory is left to the garbage collector. */
  #place(): number | undefined {
    if (this.#slab === undefined) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BUFFERS * FRAME_BUFFER_BYTES).buffer;
      this.#free = Array.from({ length: SLAB_BUFFERS }, (_, place) => SLAB_BUFFERS - 1 - place);
    }
    return this.#free.pop();
  }
}

// CRC32C (Castagnoli, RFC 3720 appendix B.4), hardware-accelerated where the processor can.
import { crc32c as native } from "@node-rs/crc32";

/** CRC32C over one buffer after the other. */
export function crc32c(...buffers: readonly Buffer[]): number {
  let crc = 0;
  for (const buffer of buffers) crc = native(buffer, crc);
  return crc >>> 0;
}

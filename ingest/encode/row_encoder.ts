// The contract of encoders: checked rows in, bytes of the line protocol (version 2) out. Two implementations exist:
// ours (native.ts) and the official client's buffer (official.ts); both write the same bytes.
import type { AnyRow, EventDefinition } from "../../schema/define.ts";
import type { ByteBuffer } from "./byte_buffer.ts";
import { nativeEncoder } from "./native.ts";
import { officialEncoder } from "./official.ts";

/**
 * Appends one checked row, its line end included, and writes its key (key_hash.ts) to `keys[at]` and `keys[at + 1]`.
 * Values were checked by the event's parser; nothing is checked here.
 */
export type EncodeRow = (row: AnyRow, out: ByteBuffer, keys: Int32Array, at: number) => void;

/** Which encoder writes the rows: `native` is ours, `official` drives the buffer of the vendor's client. */
export type EncoderKind = "native" | "official";

/** The encoder of one event. Compiled once per event; keep it. */
export function createEncoder(kind: EncoderKind, event: EventDefinition): EncodeRow {
  return kind === "native" ? nativeEncoder(event) : officialEncoder(event);
}

// A frame: encoded rows of one table, the unit that is spooled, acknowledged and delivered. Immutable once sealed.

/** Encoded rows of one table with what is known about them. */
export interface Frame {
  readonly table: string;
  /** Of the event's columns when the rows were encoded. */
  readonly fingerprint: number;
  readonly rowCount: number;
  /** Where each row begins in the payload, ascending from 0. */
  readonly rowOffsets: Uint32Array;
  /** Line protocol v2, one line a row; sent as it is. */
  readonly payload: Buffer;
  readonly minTs: number;
  readonly maxTs: number;
  /** Wall clock when the first row was accepted, µs. */
  readonly acceptedUs: number;
  /** The key of each row, two halves each (encode/key_hash.ts). Absent when the frame comes from disk or is a part. */
  readonly keys?: Int32Array;
}

/** The bytes of row `index` of a frame, its line end included; shares memory with the payload. */
export function rowBytes(frame: Frame, index: number): Buffer {
  const start = frame.rowOffsets[index] ?? frame.payload.length;
  return frame.payload.subarray(start, frame.rowOffsets[index + 1] ?? frame.payload.length);
}

/** The part of a frame from row `from` to before row `to`; shares memory with it. */
export function sliceFrame(frame: Frame, from: number, to: number): Frame {
  if (from === 0 && to === frame.rowCount) return frame;
  const start = frame.rowOffsets[from] ?? frame.payload.length;
  const end = to >= frame.rowCount ? frame.payload.length : (frame.rowOffsets[to] ?? frame.payload.length);
  const { keys: _, ...rest } = frame;
  return {
    ...rest,
    rowCount: to - from,
    rowOffsets: frame.rowOffsets.slice(from, to).map((offset) => offset - start),
    payload: frame.payload.subarray(start, end),
  };
}

// The highest record number that is known, from everything that knows one. Pure.
import type { Cursor } from "./cursor.ts";
import type { Recovery } from "./recovery.ts";
import type { SegmentInfo } from "./segment_writer.ts";

export function lastSeqIn(info: SegmentInfo): number {
  return Math.max(0, ...[...info.tables.values()].map(({ lastSeq }) => lastSeq));
}

/** A cursor may know a higher seq than the segments: all of them delivered and deleted. */
export function lastSeqOf(
  recovery: Recovery,
  { loaded }: Cursor,
  witness: { readonly seq: number } | undefined,
): number {
  const delivered = [...loaded.values()].map(({ acked }) => acked);
  return Math.max(recovery.nextSeq - 1, witness?.seq ?? 0, ...delivered);
}

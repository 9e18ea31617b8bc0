// Stable ids made from content, for events that come without one: the same event always gets the same id, so a
// producer that repeats itself (retry, reconnect) writes one row. Pure: no clock, no randomness.
import { createHash } from "node:crypto";

/**
 * 16 hex digits (64 bits of SHA-256) over the given parts. Two different events of one table and one microsecond
 * would have to collide for a row to be lost; at 64 bits that is beyond practice.
 */
export function contentId(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** `contentId` over all columns of a row, in the order of their names; null and absent are the same. */
export function rowId(row: Readonly<Record<string, unknown>>): string {
  const parts = Object.keys(row)
    .sort()
    .filter((name) => row[name] !== undefined && row[name] !== null)
    .map((name) => [name, row[name]]);
  return contentId(parts);
}

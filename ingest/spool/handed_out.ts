// Records that were read from disk and handed out for delivery, by table: their sizes are needed when they are
// acknowledged, their memory only until the delivery is over.
import type { ScannedRecord } from "./segment_scan.ts";

/** Records of one table and what lets their memory go. */
export interface ReadRecords {
  readonly records: readonly ScannedRecord[];
  release(): void;
}

export class HandedOut {
  readonly #tables = new Map<string, ReadRecords>();

  /** Those of a table that are handed out; only their sizes may be used once they were let go. */
  recordsOf(table: string): readonly ScannedRecord[] {
    return this.#tables.get(table)?.records ?? [];
  }

  set(table: string, read: ReadRecords): void {
    this.letGo(table);
    this.#tables.set(table, read);
  }

  /** The bytes of the table's records are not read any more. */
  letGo(table: string): void {
    this.#tables.get(table)?.release();
  }

  /** Everything up to `seq` is acknowledged. */
  acknowledged(table: string, seq: number): void {
    if ((this.recordsOf(table).at(-1)?.seq ?? 0) <= seq) this.forget(table);
  }

  forget(table: string): void {
    this.letGo(table);
    this.#tables.delete(table);
  }
}

// Keys that are not in a block yet, by table and minute. Memory only.
import type { EventDefinition } from "../../schema/define.ts";
import { type KeyColumn, keyColumns, keyFingerprint } from "../encode/key_hash.ts";
import { lineKeyReader, lineTime, type ReadLineKey } from "../encode/line_key.ts";
import type { Frame } from "../spool/frame.ts";
import { type KeyGroup, KIND_ACCEPTED, KIND_DROPPED } from "./block.ts";
import { GrowingKeys } from "./growing_keys.ts";

const US_PER_MINUTE = 60_000_000;

/** What the keys of a table's rows are made of. */
export interface TableKeys {
  readonly columns: readonly KeyColumn[];
  /** Changes when the columns do. */
  readonly fingerprint: number;
}

/** What the keys of an event's rows are made of. */
export function tableKeys(event: Pick<EventDefinition, "keys" | "wire">): TableKeys {
  const columns = keyColumns(event);
  return { columns, fingerprint: keyFingerprint(columns) };
}

/** Minutes since 1970 UTC of a time in microseconds. */
export function minuteOf(ts: number): number {
  return Math.floor(ts / US_PER_MINUTE);
}

export class OpenKeys {
  readonly #tables: ReadonlyMap<string, TableKeys>;
  readonly #readers = new Map<string, ReadLineKey>();
  readonly #groups = new Map<string, Map<number, GrowingKeys>>();
  #dropped: KeyGroup[] = [];
  #count = 0;

  constructor(tables: ReadonlyMap<string, TableKeys>) {
    this.#tables = tables;
  }

  /** Keys since the last `take`. */
  get count(): number {
    return this.#count;
  }

  /** Adds the keys of a frame's rows. Rows of a table that is not known have none. */
  add(frame: Frame): void {
    const { table, minTs, maxTs } = frame;
    const known = this.#tables.get(table);
    if (known === undefined) return;
    const keys = frame.keys ?? this.#readKeys(frame, known);
    this.#count += frame.rowCount;
    const first = minuteOf(minTs);
    if (first === minuteOf(maxTs)) {
      this.#group(table, first).add(keys);
      return;
    }
    const { payload, rowOffsets, rowCount } = frame;
    for (let row = 0; row < rowCount; row++) {
      const minute = minuteOf(lineTime(payload, rowOffsets[row + 1] ?? payload.length));
      this.#group(table, minute).add(keys.subarray(2 * row, 2 * row + 2));
    }
  }

  /** Adds the key of a refused row, given by its line, whose dead letter is deleted. */
  addDropped(table: string, line: Buffer): void {
    const known = this.#tables.get(table);
    if (known === undefined) return;
    const keys = new Int32Array(2);
    const view = new DataView(line.buffer, line.byteOffset, line.length);
    const ts = this.#reader(table, known)(line, view, 0, line.length, keys, 0);
    if (Number.isNaN(ts)) return;
    const { fingerprint } = known;
    this.#dropped.push({ table, fingerprint, kind: KIND_DROPPED, minute: minuteOf(ts), keys });
    this.#count += 1;
  }

  /** What was added, for a block. Empty afterwards. */
  take(): KeyGroup[] {
    const groups: KeyGroup[] = [];
    for (const [table, minutes] of this.#groups) {
      const fingerprint = this.#tables.get(table)?.fingerprint ?? 0;
      for (const [minute, keys] of minutes)
        groups.push({ table, fingerprint, kind: KIND_ACCEPTED, minute, keys: keys.keys() });
    }
    groups.push(...this.#dropped);
    this.#dropped = [];
    this.#groups.clear();
    this.#count = 0;
    return groups;
  }

  #group(table: string, minute: number): GrowingKeys {
    let minutes = this.#groups.get(table);
    if (minutes === undefined) {
      minutes = new Map();
      this.#groups.set(table, minutes);
    }
    let keys = minutes.get(minute);
    if (keys === undefined) {
      keys = new GrowingKeys();
      minutes.set(minute, keys);
    }
    return keys;
  }

  #reader(table: string, { columns }: TableKeys): ReadLineKey {
    let read = this.#readers.get(table);
    if (read === undefined) {
      read = lineKeyReader(columns);
      this.#readers.set(table, read);
    }
    return read;
  }

  #readKeys({ table, payload, rowOffsets, rowCount }: Frame, known: TableKeys): Int32Array {
    const read = this.#reader(table, known);
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const keys = new Int32Array(2 * rowCount);
    for (let row = 0; row < rowCount; row++)
      read(payload, view, rowOffsets[row] ?? 0, rowOffsets[row + 1] ?? payload.length, keys, 2 * row);
    return keys;
  }
}

// Keys that are not in a block yet, by table and minute. Memory only.
import type { EventDefinition } from "../../schema/define.ts";
import { type KeyColumn, keyColumns, keyFingerprint } from "../encode/key_hash.ts";
import { keyOfLine, lineKeyReader, lineTime, type ReadLineKey } from "../encode/line_key.ts";
import type { Frame } from "../spool/frame.ts";
import { type KeyGroup, KIND_ACCEPTED, KIND_DROPPED } from "./block.ts";
import { MinuteKeys, minuteOf } from "./minute_keys.ts";

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

export class OpenKeys {
  readonly #tables: ReadonlyMap<string, TableKeys>;
  readonly #readers = new Map<string, ReadLineKey>();
  #accepted = new MinuteKeys();
  #dropped = new MinuteKeys();
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
      this.#accepted.add({ table, minute: first, keys });
      return;
    }
    const { payload, rowOffsets, rowCount } = frame;
    for (let row = 0; row < rowCount; row++) {
      const minute = minuteOf(lineTime(payload, rowOffsets[row + 1] ?? payload.length));
      this.#accepted.add({ table, minute, keys: keys.subarray(2 * row, 2 * row + 2) });
    }
  }

  /** Adds the key of a refused row, given by its line, whose dead letter is deleted. */
  addDropped(table: string, line: Buffer): void {
    const known = this.#tables.get(table);
    if (known === undefined) return;
    const key = keyOfLine(this.#reader(table, known), line);
    if (key === undefined) return;
    this.#dropped.add({ table, minute: minuteOf(key.ts), keys: key.keys });
    this.#count += 1;
  }

  /** What was added, for a block. Empty afterwards. */
  take(): KeyGroup[] {
    const groups = [
      ...this.#groups(KIND_ACCEPTED, this.#accepted),
      ...this.#groups(KIND_DROPPED, this.#dropped),
    ];
    this.#accepted = new MinuteKeys();
    this.#dropped = new MinuteKeys();
    this.#count = 0;
    return groups;
  }

  *#groups(kind: number, all: MinuteKeys): Generator<KeyGroup> {
    for (const table of all.tables()) {
      const fingerprint = this.#tables.get(table)?.fingerprint ?? 0;
      for (const [minute] of all.minutes(table))
        yield { table, fingerprint, kind, minute, keys: all.keys(table, minute) };
    }
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

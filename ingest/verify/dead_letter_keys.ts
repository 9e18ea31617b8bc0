// Keys of the rows in the dead-letter files: of accepted rows that QuestDB refused, and of those that were refused again
// at their replay.
import { join } from "node:path";
import { findEvent } from "../../schema/registry.ts";
import { keyOfLine, lineKeyReader, type ReadLineKey } from "../encode/line_key.ts";
import { keyWriter, type WriteKey } from "../encode/value_key.ts";
import { type DeadLetter, deadLetterFiles, linesOf, parseDeadLetter } from "../intake/dead_letter.ts";
import { minuteOf } from "../ledger/minute_keys.ts";
import type { TableKeys } from "../ledger/open_keys.ts";

/** A key, where it belongs, and how many dead letters have it. */
export interface LetterKey {
  readonly table: string;
  readonly minute: number;
  readonly keys: Int32Array;
  readonly letters: number;
}

/** By key, as text. */
export type LetterKeys = ReadonlyMap<string, LetterKey>;

/** The keys in all files of a folder. Entries that are no row of a known table have none. */
export async function deadLetterKeys(
  folder: string,
  tables: ReadonlyMap<string, TableKeys>,
): Promise<LetterKeys> {
  const found = new Map<string, LetterKey>();
  const keyOf = keyReader(tables);
  for (const name of await deadLetterFiles(folder)) {
    for await (const line of linesOrNone(join(folder, name))) {
      const entry = parseDeadLetter(line);
      const key = entry === undefined ? undefined : keyOf(entry);
      if (key === undefined) continue;
      const text = `${key.table} ${key.keys.join()}`;
      found.set(text, { ...key, letters: 1 + (found.get(text)?.letters ?? 0) });
    }
  }
  return found;
}

/** Of two readings of the same files, what either saw: a replay may have moved entries in between. */
export function unitedLetters(one: LetterKeys, other: LetterKeys): LetterKeys {
  const united = new Map(one);
  for (const [text, key] of other) {
    const letters = Math.max(key.letters, one.get(text)?.letters ?? 0);
    united.set(text, { ...key, letters });
  }
  return united;
}

type KeyOf = (entry: DeadLetter) => Omit<LetterKey, "letters"> | undefined;

/** The key of a dead letter's row, if it is one of a known table. */
function keyReader(tables: ReadonlyMap<string, TableKeys>): KeyOf {
  const lines = new Map<string, ReadLineKey>();
  const rows = new Map<string, WriteKey>();
  return ({ table, bytes, row }) => {
    const known = tables.get(table);
    if (known === undefined) return undefined;
    if (bytes !== undefined) {
      const read = lines.get(table) ?? lineKeyReader(known.columns);
      lines.set(table, read);
      const key = keyOfLine(read, Buffer.from(bytes, "base64"));
      return key === undefined ? undefined : { table, minute: minuteOf(key.ts), keys: key.keys };
    }
    const event = findEvent(table);
    const outcome = event?.parse(row);
    if (event === undefined || outcome?.ok !== true) return undefined;
    const write = rows.get(table) ?? keyWriter(event);
    rows.set(table, write);
    const keys = new Int32Array(2);
    write(outcome.row, keys, 0);
    return { table, minute: minuteOf(outcome.row.ts), keys };
  };
}

/** A file that is replayed meanwhile may be gone: its rows are in the spool then. */
async function* linesOrNone(path: string): AsyncGenerator<string> {
  try {
    yield* linesOf(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

// The dead-letter files: every input that was refused and every row that QuestDB would not take, with the reason, so
// that it can be found and brought back. Newline-delimited JSON in numbered files; bounded, the oldest file goes first.
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { microsToIso } from "../../schema/timestamp_text.ts";

const EntrySchema = z.object({
  /** When it was refused, ISO 8601. */
  at: z.string(),
  /** Who refused it: our intake, or QuestDB. */
  stage: z.enum(["intake", "questdb"]),
  table: z.string(),
  reason: z.string(),
  message: z.string(),
  /** The input as it came (intake), or the decoded row (questdb). NaN, infinities and bigints are strings. */
  row: z.unknown().optional(),
  /** The bytes that QuestDB refused, base64. */
  bytes: z.string().optional(),
});

/** One refused input or row. */
export type DeadLetter = z.output<typeof EntrySchema>;

/** Splits the cap into files, so that making room loses a small part only. */
const FILES = 8;

export interface DeadLetterOptions {
  readonly folder: string;
  readonly bytesMax: number;
  readonly nowUs: () => number;
  /** Hears how many entries were deleted to make room. */
  readonly onDropped: (entries: number) => void;
  /** Hears of each of them that is a row which had been accepted. */
  readonly onDroppedRow?: (table: string, line: Buffer) => void;
}

export interface DeadLetterWriter {
  /** Appends entries, in order. Resolves when the system has them; when they are on disk if they are QuestDB's. */
  write(entries: readonly Omit<DeadLetter, "at">[]): Promise<void>;
  /** Appends an entry as it is, its time included. Resolves when it is on disk. */
  keep(entry: DeadLetter): Promise<void>;
  /** Closes the current file: later entries go into a new one. Returns the files that are complete now. */
  rotate(): Promise<string[]>;
}

/** Opens the folder for writing; it is created when it is missing. */
export async function openDeadLetters(options: DeadLetterOptions): Promise<DeadLetterWriter> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const existing = await deadLetterFiles(options.folder);
  let id = 1 + Math.max(0, ...existing.map((name) => Number.parseInt(name, 10)));
  let bytes = 0;
  let queue: Promise<void> = Promise.resolve();

  async function append(text: string, sync: boolean): Promise<void> {
    if (bytes > 0 && bytes + text.length > options.bytesMax / FILES) {
      id += 1;
      bytes = 0;
      await makeRoom(options);
    }
    const file = await open(join(options.folder, fileName(id)), "a", 0o600);
    try {
      await file.appendFile(text);
      if (sync) await file.datasync();
      bytes += Buffer.byteLength(text);
    } catch (error) {
      // Half a line, on a full disk, would spoil the next entry as well.
      await file.truncate(bytes);
      throw error;
    } finally {
      await file.close();
    }
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work);
    queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  return {
    write: (entries) =>
      inTurn(() => {
        const at = microsToIso(options.nowUs());
        const lines = entries.map((entry) => lineOf({ at, ...entry }));
        // After a row of the spool is written here, the spool forgets it.
        const sync = entries.some((entry) => entry.stage === "questdb");
        return append(lines.join(""), sync);
      }),
    keep: (entry) => inTurn(() => append(`${JSON.stringify(entry)}\n`, true)),
    rotate: () =>
      inTurn(async () => {
        if (bytes > 0) {
          id += 1;
          bytes = 0;
        }
        return (await deadLetterFiles(options.folder)).filter((name) => Number.parseInt(name, 10) < id);
      }),
  };
}

/** Names of the files of a folder, oldest first; none when there is no folder. */
export async function deadLetterFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => /^\d{8}\.ndjson$/.test(name)).sort();
}

/** One entry, or undefined when the line is not one (cut short by a crash). */
export function parseDeadLetter(line: string): DeadLetter | undefined {
  try {
    const outcome = EntrySchema.safeParse(JSON.parse(line));
    return outcome.success ? outcome.data : undefined;
  } catch {
    return undefined;
  }
}

function fileName(id: number): string {
  return `${String(id).padStart(8, "0")}.ndjson`;
}

/** Deletes the oldest files until one more fits the cap. */
async function makeRoom({ folder, bytesMax, onDropped, onDroppedRow }: DeadLetterOptions): Promise<void> {
  const files = await Promise.all(
    (await deadLetterFiles(folder)).map(async (name) => ({
      path: join(folder, name),
      size: (await stat(join(folder, name))).size,
    })),
  );
  let total = files.reduce((sum, file) => sum + file.size, 0);
  for (const { path, size } of files) {
    if (total <= bytesMax - bytesMax / FILES) return;
    let entries = 0;
    for await (const line of linesOf(path)) {
      entries += 1;
      const { table, bytes } = parseDeadLetter(line) ?? {};
      if (table !== undefined && bytes !== undefined) onDroppedRow?.(table, Buffer.from(bytes, "base64"));
    }
    onDropped(entries);
    await unlink(path);
    total -= size;
  }
}

/** The lines of a file, one after the other, without reading it whole. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
}

/** An input may be nested so deeply that it can be read and not be written again: then its nested values are left out. */
function lineOf(entry: DeadLetter): string {
  try {
    return `${JSON.stringify(entry, readable)}\n`;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `${JSON.stringify({ ...entry, row: withoutNested(entry.row) }, readable)}\n`;
  }
}

const TOO_DEEP = "(nested too deeply to be kept)";

function withoutNested(row: unknown): unknown {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return TOO_DEEP;
  const isNested = (value: unknown) => typeof value === "object" && value !== null;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, isNested(value) ? TOO_DEEP : value]),
  );
}

/** What JSON cannot say is said in words: it must be visible why a value was refused. */
function readable(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value === "bigint") return String(value);
  return value;
}

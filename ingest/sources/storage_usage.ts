// How much disk the spool and QuestDB's tables take, into storage_usage. Asks for QuestDB's figures through a function
// and knows no SQL.
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { SYMBOL_LENGTH_MAX } from "../../schema/columns.ts";
import type { EventInput } from "../../schema/registry.ts";
import { linkAbort } from "../daemon/linked_abort.ts";
import { createOutage } from "../daemon/outage.ts";
import { createSampler } from "../daemon/sampler.ts";
import type { Source, SourceContext } from "./source.ts";

/** One table of QuestDB, as its `table_partitions()` sums up. */
export interface TableSize {
  readonly table: string;
  readonly bytes: number;
  readonly partitions: number;
}

export interface StorageUsageOptions {
  readonly context: SourceContext;
  /** Folder of the spool, measured with everything below it. */
  readonly spoolDir: string;
  /** Rejects while QuestDB is away; should give up when the signal aborts. */
  readonly tableSizes: (signal: AbortSignal) => Promise<readonly TableSize[]>;
  /** Default 60 s. */
  readonly everyMs?: number;
}

type Row = EventInput<"storage_usage">;

/** QuestDB counts as away when it has not answered by then; the spool's row must not wait for it. */
const ANSWER_MS_MAX = 10_000;

/**
 * A row for the spool and one per table at once, then every `everyMs`. While QuestDB is away only the spool's row
 * comes, with one log line when that begins and one when it ends.
 */
export function createStorageUsageSource(options: StorageUsageOptions): Source {
  const { context, spoolDir, everyMs = 60_000 } = options;
  const log = context.log.child({ source: "storage_usage" });
  const away = createOutage(
    { clock: context.clock, log },
    {
      began: "the sizes of the tables are not recorded: QuestDB did not tell them",
      ended: "the sizes of the tables are recorded again",
    },
  );

  async function tableRows(ts: number, signal: AbortSignal): Promise<readonly Row[]> {
    try {
      const sizes = await answerInTime(options.tableSizes, context, signal);
      away.succeeded();
      return sizes.map(({ table, bytes, partitions }) => ({
        ts,
        store: "questdb",
        path: table,
        bytes,
        partitions,
      }));
    } catch (error) {
      if (!signal.aborted) away.failed(error);
      return [];
    }
  }

  return createSampler({
    name: "storage_usage",
    table: "storage_usage",
    everyMs,
    context,
    begin: () => ({
      async sample(ts, signal) {
        const spool = await measureFolder(spoolDir);
        const row: Row = { ts, store: "spool", path: asSymbol(spoolDir), ...spool };
        return [row, ...(await tableRows(ts, signal))];
      },
    }),
  });
}

/** Bytes and number of the files in a folder and below. What disappears while it looks counts as gone. */
export async function measureFolder(folder: string): Promise<{ bytes: number; files: number }> {
  let bytes = 0;
  let files = 0;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = await measureFolder(path);
      bytes += below.bytes;
      files += below.files;
    } else {
      const size = await lstat(path).then((stat) => stat.size, unlessGone);
      if (size === undefined) continue;
      bytes += size;
      files += 1;
    }
  }
  return { bytes, files };
}

async function entriesOf(folder: string) {
  return (await readdir(folder, { withFileTypes: true }).catch(unlessGone)) ?? [];
}

function unlessGone(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}

/** The call's result; rejects when it takes too long or the signal aborts, and then tells the call to give up. */
async function answerInTime<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { clock }: SourceContext,
  signal: AbortSignal,
): Promise<T> {
  const attempt = linkAbort(signal);
  const answer = call(attempt.signal);
  const late = clock.sleep(ANSWER_MS_MAX, attempt.signal).then(() => {
    throw new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    // Whichever lost the race still ends, in one of these handlers.
    answer.catch(() => {});
    late.catch(() => {});
    attempt.release();
  }
}

/** A path as a symbol: the end of a long one tells more than its beginning. */
function asSymbol(path: string): string {
  return path.length <= SYMBOL_LENGTH_MAX ? path : `…${path.slice(1 - SYMBOL_LENGTH_MAX)}`;
}

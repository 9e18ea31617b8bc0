// Reads a ledger from outside, also one that is being written: what it shows is then a moment that has passed. Files that
// are deleted meanwhile stay readable, because they are kept open.
import type { Storage, StorageFile } from "../spool/storage.ts";
import type { ReadBlock } from "./block.ts";
import { ledgerId, ledgerName, type ReadFile, readLedgerBytes } from "./ledger_file.ts";

/** How many keys a ledger has of one table, made of the same columns. */
export interface TableExtent {
  readonly table: string;
  readonly fingerprint: number;
  /** Keys by hour of their row's ts, in hours since 1970 UTC. */
  readonly hours: ReadonlyMap<number, number>;
  /** Rows with a later ts have keys that were made after all of these, µs. */
  readonly horizonUs: number;
}

export interface LedgerReader {
  /** The last record whose keys were in it at the time of opening; undefined when there is no ledger. */
  readonly toSeq: number | undefined;
  /** Every row with a later `ts` that was ever accepted is in it, µs; 0: every row. */
  readonly completeFromUs: number;
  readonly tables: readonly TableExtent[];
  /** The blocks of the time of opening that may have keys of these hours. */
  blocks(fromHour: number, toHour: number): AsyncGenerator<ReadBlock>;
  /** Blocks that were written since. */
  newer(): AsyncGenerator<ReadBlock>;
  close(): Promise<void>;
}

const MINUTES_PER_HOUR = 60;

interface OpenFile {
  readonly id: number;
  readonly file: StorageFile;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly end: number;
  readonly completeFromUs: number;
  readonly tables: ReadonlyMap<string, GrowingExtent>;
}

interface GrowingExtent {
  readonly table: string;
  readonly fingerprint: number;
  readonly hours: Map<number, number>;
  horizonUs: number;
}

/** Reads all of a ledger once. */
export async function openLedgerReader(storage: Storage): Promise<LedgerReader> {
  let files: OpenFile[] = [];
  for (const id of await ledgerIds(storage)) {
    const opened = await openFile(storage, id);
    if (opened === undefined) continue;
    if (opened.fromSeq !== files.at(-1)?.toSeq) {
      // What lies before a gap does not tell anything for certain.
      await closeAll(files);
      files = [];
    }
    files.push(opened);
  }
  const toSeq = files.at(-1)?.toSeq;
  return {
    toSeq,
    completeFromUs: files[0]?.completeFromUs ?? 0,
    tables: merged(files),
    async *blocks(fromHour, toHour) {
      for (const one of files) {
        const hours = [...one.tables.values()].flatMap((extent) => [...extent.hours.keys()]);
        if (!hours.some((hour) => hour >= fromHour && hour < toHour)) continue;
        yield* (await readFile(one.file, one.end))?.blocks ?? [];
      }
    },
    async *newer() {
      const seq = toSeq ?? 0;
      for (const id of await ledgerIds(storage)) {
        if (id < (files.at(-1)?.id ?? 0)) continue;
        const file = await storage.open(ledgerName(id)).catch(() => undefined);
        if (file === undefined) continue;
        const read = await readFile(file).finally(() => file.close());
        yield* read?.blocks.filter((block) => block.fromSeq >= seq) ?? [];
      }
    },
    close: () => closeAll(files),
  };
}

async function ledgerIds(storage: Storage): Promise<number[]> {
  return (await storage.list()).flatMap((name) => ledgerId(name) ?? []).sort((a, b) => a - b);
}

async function openFile(storage: Storage, id: number): Promise<OpenFile | undefined> {
  const file = await storage.open(ledgerName(id)).catch(() => undefined);
  const read = file === undefined ? undefined : await readFile(file);
  if (file === undefined || read === undefined) {
    await file?.close();
    return undefined;
  }
  const { header, toSeq, end } = read;
  const { fromSeq, completeFromUs } = header;
  return { ...{ id, file, fromSeq, toSeq, end, completeFromUs }, tables: extentsOf(read) };
}

async function readFile(file: StorageFile, end?: number): Promise<ReadFile | undefined> {
  return readLedgerBytes(await file.read(0, end ?? (await file.size())));
}

function extentsOf({ blocks }: ReadFile): ReadonlyMap<string, GrowingExtent> {
  const tables = new Map<string, GrowingExtent>();
  for (const { groups, horizonUs } of blocks) {
    for (const { table, fingerprint, minute, keys } of groups)
      addHour(
        tables,
        { table, fingerprint },
        Math.floor(minute / MINUTES_PER_HOUR),
        keys.length / 2,
        horizonUs,
      );
  }
  return tables;
}

function addHour(
  tables: Map<string, GrowingExtent>,
  { table, fingerprint }: Pick<TableExtent, "table" | "fingerprint">,
  hour: number,
  rows: number,
  horizonUs: number,
): void {
  const name = `${table} ${fingerprint}`;
  let extent = tables.get(name);
  if (extent === undefined) {
    extent = { table, fingerprint, hours: new Map(), horizonUs };
    tables.set(name, extent);
  }
  extent.hours.set(hour, (extent.hours.get(hour) ?? 0) + rows);
  extent.horizonUs = Math.max(extent.horizonUs, horizonUs);
}

function merged(files: readonly OpenFile[]): readonly TableExtent[] {
  const tables = new Map<string, GrowingExtent>();
  for (const extent of files.flatMap((file) => [...file.tables.values()])) {
    for (const [hour, rows] of extent.hours) addHour(tables, extent, hour, rows, extent.horizonUs);
  }
  return [...tables.values()];
}

async function closeAll(files: readonly OpenFile[]): Promise<void> {
  for (const { file } of files) await file.close();
}

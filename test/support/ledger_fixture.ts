// A spool with a key ledger beside it, on one storage, and what both together know of accepted rows.
import { keyColumns } from "../../ingest/encode/key_hash.ts";
import { type KeyLedger, type KeyLedgerOptions, openKeyLedger } from "../../ingest/ledger/key_ledger.ts";
import { OpenKeys, type TableKeys } from "../../ingest/ledger/open_keys.ts";
import { openLedgerReader } from "../../ingest/ledger/read_ledger.ts";
import type { Frame } from "../../ingest/spool/frame.ts";
import type { Spool, SpoolOptions } from "../../ingest/spool/spool.ts";
import type { Storage } from "../../ingest/spool/storage.ts";
import { openTestSpool } from "./spool_fixture.ts";

/** The key columns of `frameOf`'s rows. */
const COLUMNS = keyColumns({
  keys: ["n", "row"],
  wire: [
    { name: "n", type: "SYMBOL" },
    { name: "row", type: "LONG" },
  ],
});
const KEYS: TableKeys = { columns: COLUMNS, fingerprint: 1 };

const LEDGER_TABLES: ReadonlyMap<string, TableKeys> = new Map([
  ["a", KEYS],
  ["b", KEYS],
]);

export interface Witnessed {
  readonly spool: Spool;
  readonly ledger: KeyLedger;
  readonly gaps: readonly string[];
}

export async function openWitnessedSpool(
  storage: Storage,
  ledgerOptions: Partial<KeyLedgerOptions> = {},
  spoolOptions: Partial<SpoolOptions> = {},
): Promise<Witnessed> {
  const gaps: string[] = [];
  const ledger = await openKeyLedger({
    ...{ storage, bytesMax: 1 << 20, sync: true, futureMaxS: 60, tables: LEDGER_TABLES },
    nowUs: () => 5_000,
    monotonicMs: () => 0,
    onGap: (reason) => void gaps.push(reason),
    ...ledgerOptions,
  });
  const spool = await openTestSpool(storage, { ...spoolOptions, witness: ledger });
  await ledger.catchUp(spool);
  return { spool, ledger, gaps };
}

/** The keys of a frame's rows, as text. */
export function keysOf(frame: Frame): string[] {
  const open = new OpenKeys(LEDGER_TABLES);
  open.add(frame);
  return open.take().flatMap(({ table, keys }) => keyTexts(table, keys));
}

function keyTexts(table: string, keys: Int32Array): string[] {
  return Array.from(
    { length: keys.length / 2 },
    (_, row) => `${table} ${keys[2 * row]} ${keys[2 * row + 1]}`,
  );
}

/** Every key that ledger and spool know of, as often as they do, and since when they know all. */
export async function knownKeys(
  storage: Storage,
  spool: Spool,
): Promise<{ readonly keys: ReadonlyMap<string, number>; readonly completeFromUs: number }> {
  const reader = await openLedgerReader(storage);
  const keys = new Map<string, number>();
  const count = (texts: readonly string[]) => {
    for (const text of texts) keys.set(text, (keys.get(text) ?? 0) + 1);
  };
  for await (const { groups } of reader.blocks(0, Number.POSITIVE_INFINITY))
    for (const { table, keys: found } of groups) count(keyTexts(table, found));
  for await (const { frame } of spool.since(reader.toSeq ?? 0)) count(keysOf(frame));
  await reader.close();
  return { keys, completeFromUs: reader.completeFromUs };
}

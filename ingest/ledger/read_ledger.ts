// Reads a ledger from outside, also one that is being written: what it shows is then a moment that has passed.
import type { Storage } from "../spool/storage.ts";
import { ledgerId, ledgerName, type ReadFile, readLedgerBytes } from "./ledger_file.ts";

/** The intact files, oldest first, one at a time; files that were deleted meanwhile are left out. */
export async function* ledgerFiles(storage: Storage): AsyncGenerator<ReadFile> {
  const ids = (await storage.list()).flatMap((name) => ledgerId(name) ?? []).sort((a, b) => a - b);
  for (const name of ids.map(ledgerName)) {
    const file = await storage.open(name).catch(() => undefined);
    if (file === undefined) continue;
    const bytes = await file.read(0, await file.size()).finally(() => file.close());
    const read = readLedgerBytes(bytes);
    if (read !== undefined) yield read;
  }
}

/** How far a ledger goes, found by passing its files through `pass` in order. */
export class LedgerExtent {
  #toSeq: number | undefined;
  #completeFromUs = 0;

  /** The last record whose keys are in it; undefined when there is no file. */
  get toSeq(): number | undefined {
    return this.#toSeq;
  }

  /** Every row with a later `ts` that was ever accepted is in it; 0: every row. */
  get completeFromUs(): number {
    return this.#completeFromUs;
  }

  pass({ header, toSeq }: Pick<ReadFile, "header" | "toSeq">): void {
    if (header.fromSeq !== this.#toSeq) this.#completeFromUs = header.completeFromUs;
    this.#toSeq = toSeq;
  }
}

// The writer of the key ledger (README.md): hears of every stored frame, writes its keys in blocks, and lets a segment of
// the spool go only after its keys are on disk. A ledger that cannot be written begins anew rather than fill the spool.
import type { Frame } from "../spool/frame.ts";
import type { SpoolWitness } from "../spool/spool.ts";
import type { Storage } from "../spool/storage.ts";
import { encodeBlock } from "./block.ts";
import { ledgerId } from "./ledger_file.ts";
import { isFullDisk, type LedgerFiles, openLedgerFiles } from "./ledger_files.ts";
import { OpenKeys, type TableKeys } from "./open_keys.ts";

export interface KeyLedgerOptions {
  readonly storage: Storage;
  /** Of all files together. */
  readonly bytesMax: number;
  /** false: durability is left to the operating system, as the spool's. */
  readonly sync: boolean;
  /** How far ahead of the clock a row's ts may be. */
  readonly futureMaxS: number;
  /** The keys of each table that rows are accepted for. */
  readonly tables: ReadonlyMap<string, TableKeys>;
  readonly nowUs: () => number;
  readonly monotonicMs: () => number;
  /** The ledger begins anew: rows accepted until now cannot be told from other writers' any more. */
  readonly onGap: (reason: LedgerGap, error?: unknown) => void;
}

/** Why a ledger begins anew. `behind`: more rows were stored without it than it can catch up with. */
export type LedgerGap = "behind" | "unwritable";

/** What the spool holds, for catching up. */
export interface StoredFrames {
  /** The highest number that a record can have; 0 when nothing was ever stored. */
  readonly lastSeq: number;
  /** Intact records behind `seq`, in order. */
  since(seq: number): AsyncIterable<{ readonly seq: number; readonly frame: Frame }>;
}

export interface KeyLedger extends SpoolWitness {
  /** Brings the ledger up to a spool that was just opened with it. Nothing is appended meanwhile. */
  catchUp(spool: StoredFrames): Promise<void>;
  /** A dead letter of an accepted row is deleted to make room; `line` is what QuestDB had refused. */
  dropped(table: string, line: Buffer): void;
  /** Writes a block when it is time for one. To be called every second or so; never rejects. */
  tick(): Promise<void>;
  /** Bytes of all files. */
  readonly bytes: number;
  /** Writes what is left. Never rejects. */
  close(): Promise<void>;
}

/** Two megabytes of keys: after a crash as many rows may have to be read again. */
const BLOCK_KEYS = 262_144;
const BLOCK_MS = 60_000;
/** With more rows stored without it the ledger does not catch up: the start would wait for it. */
const CATCH_UP_ROWS_MAX = 2_000_000;
/** Keys in memory while the disk refuses to take them: 64 MB. */
const WAITING_KEYS_MAX = 8_388_608;
/** Segments are held back no longer than this by a ledger that cannot be written. */
const FAILING_MS_MAX = 60_000;

/** Opens the ledger's files. Rejects when the disk refuses to be read. */
export async function openKeyLedger(options: KeyLedgerOptions): Promise<KeyLedger> {
  return new DiskLedger(options, await openLedgerFiles(options));
}

/** Deletes a ledger, when none is wanted any more: it would have a gap that it does not know of. */
export async function removeKeyLedger(storage: Storage): Promise<void> {
  for (const name of await storage.list()) if (ledgerId(name) !== undefined) await storage.remove(name);
}

interface WaitingBlock {
  readonly bytes: Buffer;
  readonly keys: number;
  readonly toSeq: number;
  readonly horizonUs: number;
}

class DiskLedger implements KeyLedger {
  readonly #options: KeyLedgerOptions;
  readonly #files: LedgerFiles;
  readonly #keys: OpenKeys;
  #seq: number;
  /** A block that could not be written yet. */
  #waiting: WaitingBlock | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #lastBlockMs: number;
  #failingSinceMs: number | undefined;

  constructor(options: KeyLedgerOptions, files: LedgerFiles) {
    this.#options = options;
    this.#files = files;
    this.#keys = new OpenKeys(options.tables);
    this.#seq = files.writtenSeq ?? 0;
    this.#lastBlockMs = options.monotonicMs();
  }

  get seq(): number {
    return this.#seq;
  }

  get bytes(): number {
    return this.#files.bytes;
  }

  stored(frames: Parameters<SpoolWitness["stored"]>[0]): void {
    for (const { seq, frame } of frames) {
      this.#keys.add(frame);
      this.#seq = seq;
    }
  }

  dropped(table: string, line: Buffer): void {
    this.#keys.addDropped(table, line);
  }

  async catchUp(spool: StoredFrames): Promise<void> {
    const written = this.#files.writtenSeq;
    if (written === undefined) {
      // A spool that never held anything: nothing was accepted before, so the ledger knows all there is.
      await this.#beginAnew(spool.lastSeq, spool.lastSeq === 0 ? 0 : this.#horizonUs());
      return;
    }
    let rows = 0;
    let isBehind = false;
    for await (const stored of spool.since(written)) {
      isBehind = rows === 0 && stored.seq > written + 1;
      rows += stored.frame.rowCount;
      isBehind ||= rows > CATCH_UP_ROWS_MAX;
      if (isBehind) break;
      this.stored([stored]);
    }
    if (isBehind || (rows === 0 && spool.lastSeq > written)) {
      this.#options.onGap("behind");
      this.#keys.take();
      await this.#files.removeAll();
      await this.#beginAnew(spool.lastSeq, this.#horizonUs());
    }
    // Of records at the end that are damaged nothing will ever be known.
    this.#seq = Math.max(this.#seq, spool.lastSeq);
  }

  async covers(seq: number): Promise<boolean> {
    if (this.#files.syncedSeq >= seq) return true;
    try {
      await this.#inTurn(() => this.#write(true));
    } catch (error) {
      // Deleting segments is what makes room on a full disk.
      if (!isFullDisk(error) && !this.#failsForLong()) return false;
      await this.#abandon(error);
      return true;
    }
    return this.#files.syncedSeq >= seq;
  }

  async tick(): Promise<void> {
    const isDue =
      this.#keys.count >= BLOCK_KEYS || this.#options.monotonicMs() - this.#lastBlockMs >= BLOCK_MS;
    if (!isDue || (this.#seq === this.#files.writtenSeq && this.#keys.count === 0)) return;
    try {
      await this.#inTurn(() => this.#write(false));
    } catch (error) {
      if (this.#keys.count + (this.#waiting?.keys ?? 0) > WAITING_KEYS_MAX) await this.#abandon(error);
    }
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#write(true)).catch(() => undefined);
    await this.#files.close();
  }

  /** Writes all keys that are known now; a block that waits goes first, alone. */
  async #write(sync: boolean): Promise<void> {
    this.#lastBlockMs = this.#options.monotonicMs();
    const { writtenSeq = 0 } = this.#files;
    if (this.#waiting === undefined && (this.#seq > writtenSeq || this.#keys.count > 0)) {
      const keys = this.#keys.count;
      const header = { fromSeq: writtenSeq, toSeq: this.#seq, horizonUs: this.#horizonUs() };
      this.#waiting = { ...header, keys, bytes: encodeBlock(header, this.#keys.take()) };
    }
    try {
      if (this.#waiting !== undefined) {
        const { bytes, toSeq, horizonUs } = this.#waiting;
        await this.#files.append(bytes, toSeq, horizonUs);
        this.#waiting = undefined;
      }
      if (sync) await this.#files.sync();
      this.#failingSinceMs = undefined;
    } catch (error) {
      this.#failingSinceMs ??= this.#options.monotonicMs();
      throw error;
    }
  }

  /** Gives up what is on disk and in memory; segments may be deleted without it. */
  async #abandon(error: unknown): Promise<void> {
    await this.#inTurn(async () => {
      this.#options.onGap("unwritable", error);
      this.#failingSinceMs = undefined;
      this.#keys.take();
      this.#waiting = undefined;
      await this.#files.removeAll();
      await this.#beginAnew(this.#seq, this.#horizonUs());
    });
  }

  async #beginAnew(seq: number, horizonUs: number): Promise<void> {
    this.#seq = Math.max(this.#seq, seq);
    await this.#files.beginAnew(this.#seq, horizonUs);
  }

  #failsForLong(): boolean {
    const sinceMs = this.#failingSinceMs ?? Number.POSITIVE_INFINITY;
    return this.#options.monotonicMs() - sinceMs >= FAILING_MS_MAX;
  }

  /** Never goes back, whatever the clock does. */
  #horizonUs(): number {
    const { nowUs, futureMaxS } = this.#options;
    return Math.max(this.#files.horizonUs, nowUs() + futureMaxS * 1e6);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }
}

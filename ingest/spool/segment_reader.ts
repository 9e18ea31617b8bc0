// Reads segments back: whole files, scanned and grouped by table, the last few kept. Sealed segments never change; the
// one being written is read up to its durable end, and from there on when it has grown.
import { segmentName } from "./segment.ts";
import { type ScannedRecord, scanSegment } from "./segment_scan.ts";
import type { SegmentInfo } from "./segment_writer.ts";
import type { Storage } from "./storage.ts";

/** Records of one segment by table, in order. */
export type SegmentRecords = ReadonlyMap<string, readonly ScannedRecord[]>;

/** Damage found in a segment that was intact when it was written. */
export interface DamageReport {
  readonly segment: string;
  readonly at: number;
  /** Rows lost, where the header still told. */
  readonly rows: number | undefined;
}

export type OnDamage = (report: DamageReport) => void;

/** The same place is found again at every reading of its segment, and told only once. */
export function onceEach(onDamage: OnDamage): OnDamage {
  const told = new Set<string>();
  return (report) => {
    const place = `${report.segment}@${report.at}`;
    if (told.has(place)) return;
    told.add(place);
    onDamage(report);
  };
}

/** What was read. The frames' bytes may be read until `release`; their memory is used again afterwards. */
export interface LoadedSegment {
  readonly records: SegmentRecords;
  release(): void;
}

export interface SegmentReader {
  /** Reads up to what is durable at the time of the call. Whoever is done with it releases it. */
  read(info: SegmentInfo): Promise<LoadedSegment>;
  /** Forgets a deleted segment. */
  drop(id: number): void;
  /** Lets memory go if nothing was read since the last call. Call it now and then. */
  trim(): void;
}

/** Segments kept in memory: several tables usually drain from the same one. */
const KEPT = 2;

/**
 * Memory for one segment, whatever its size: what was never written to is not resident, and blocks of more than 32 MiB go
 * back to the system at once when they are dropped, where the C library would keep smaller ones for itself.
 */
const MEMORY_BYTES = 34 * 1024 * 1024;

/** `onDamage` hears of the same damage at every reading. */
export function createSegmentReader(
  storage: Storage,
  segmentBytes: number,
  onDamage: OnDamage,
): SegmentReader {
  // Small segments, of a small spool, take memory of their own size.
  return new Reader(storage, Math.min(MEMORY_BYTES, 4 * segmentBytes), onDamage);
}

/** A segment in memory. */
interface Entry {
  readonly id: number;
  memory: Buffer;
  /** So much of the file is read and scanned. */
  readBytes: number;
  records: Map<string, ScannedRecord[]>;
  /** Readings go one after the other. */
  reading: Promise<void>;
  users: number;
  isKept: boolean;
}

class Reader implements SegmentReader {
  readonly #storage: Storage;
  readonly #memoryBytes: number;
  readonly #onDamage: OnDamage;
  /** In the order of their last use. */
  readonly #kept = new Map<number, Entry>();
  #spare: Buffer[] = [];
  #wasUsed = false;

  constructor(storage: Storage, memoryBytes: number, onDamage: OnDamage) {
    this.#storage = storage;
    this.#memoryBytes = memoryBytes;
    this.#onDamage = onDamage;
  }

  async read({ id, durableBytes }: SegmentInfo): Promise<LoadedSegment> {
    this.#wasUsed = true;
    const entry = this.#kept.get(id) ?? newEntry(id);
    this.#kept.delete(id);
    this.#kept.set(id, entry);
    entry.users += 1;
    this.#forgetOldest();
    entry.reading = entry.reading.then(() => this.#extend(entry, durableBytes));
    try {
      await entry.reading;
    } catch (error) {
      this.drop(id);
      this.#leave(entry);
      throw error;
    }
    let isReleased = false;
    return {
      records: entry.records,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#leave(entry);
      },
    };
  }

  drop(id: number): void {
    const entry = this.#kept.get(id);
    if (entry === undefined) return;
    this.#kept.delete(id);
    entry.isKept = false;
    this.#reuse(entry);
  }

  trim(): void {
    if (!this.#wasUsed) {
      for (const id of [...this.#kept.keys()]) this.drop(id);
      this.#spare = [];
    }
    this.#wasUsed = false;
  }

  #forgetOldest(): void {
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) return;
      this.drop(oldest);
    }
  }

  #leave(entry: Entry): void {
    entry.users -= 1;
    this.#reuse(entry);
  }

  #reuse(entry: Entry): void {
    if (entry.users > 0 || entry.isKept) return;
    if (this.#spare.length < KEPT && entry.memory.length === this.#memoryBytes)
      this.#spare.push(entry.memory);
    entry.memory = NO_MEMORY;
  }

  async #extend(entry: Entry, durableBytes: number): Promise<void> {
    if (entry.readBytes >= durableBytes) return;
    this.#makeRoom(entry, durableBytes);
    const name = segmentName(entry.id);
    const file = await this.#storage.open(name);
    const from = entry.readBytes;
    const read = await file
      .readInto(entry.memory.subarray(from, durableBytes), from)
      .finally(() => file.close());
    const bytes = entry.memory.subarray(0, from + read);
    const scan = scanSegment(bytes, from);
    entry.readBytes = durableBytes;
    // Here nothing is an unfinished write: every byte up to the durable end was acknowledged.
    const tail = scan.end < durableBytes ? [{ at: scan.end, rows: undefined }] : [];
    const places = [...scan.damaged, ...(scan.doubtful.length > 0 ? scan.doubtful : tail)];
    for (const { at, rows } of places) this.#onDamage({ segment: name, at, rows });
    for (const record of scan.records) {
      const list = entry.records.get(record.frame.table);
      if (list === undefined) entry.records.set(record.frame.table, [record]);
      else list.push(record);
    }
  }

  /** A segment that has outgrown its memory is read anew: records that were handed out keep the old one. */
  #makeRoom(entry: Entry, bytes: number): void {
    if (entry.memory.length >= bytes) return;
    entry.memory =
      bytes > this.#memoryBytes
        ? Buffer.allocUnsafeSlow(bytes)
        : (this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#memoryBytes));
    entry.readBytes = 0;
    entry.records = new Map();
  }
}

const NO_MEMORY = Buffer.alloc(0);

function newEntry(id: number): Entry {
  return {
    id,
    memory: NO_MEMORY,
    readBytes: 0,
    records: new Map(),
    reading: Promise.resolve(),
    users: 0,
    isKept: true,
  };
}

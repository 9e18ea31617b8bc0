// Streams of rows in the order of their event time, one per table or pair of tables; w90.ts merges them. Times are integer
// microseconds, and every stream begins at the start of a UTC day.
import type { RandomStream } from "../../../ingest/demo/simulator/random.ts";
import type { EventInput, EventName } from "../../../schema/registry.ts";

export const SECOND_US = 1_000_000;
export const MINUTE_US = 60 * SECOND_US;
export const DAY_US = 86_400 * SECOND_US;

/** A row of any table; whoever sends it at another time than its own may set `ts`. */
export type TimedRow = { ts: number } & Record<string, unknown>;

/** Rows of one table and one moment. */
export interface Slot {
  readonly table: EventName;
  readonly tsUs: number;
  readonly rows: readonly TimedRow[];
}

/** `take` returns the slot that is due at `dueUs` and goes on to the next one. */
export interface Stream {
  readonly dueUs: number;
  take(): Slot;
}

/** A slot whose rows are checked by the compiler against their table. */
export function slot<N extends EventName>(table: N, tsUs: number, rows: readonly EventInput<N>[]): Slot {
  return { table, tsUs, rows: rows.map((row) => ({ ...row })) };
}

/** Rows at fixed intervals. */
export class PeriodicStream<N extends EventName> implements Stream {
  dueUs: number;
  readonly #table: N;
  readonly #everyUs: number;
  readonly #rowsAt: (tsUs: number) => EventInput<N>[];

  constructor(table: N, startUs: number, everyUs: number, rowsAt: (tsUs: number) => EventInput<N>[]) {
    this.#table = table;
    this.dueUs = startUs;
    this.#everyUs = everyUs;
    this.#rowsAt = rowsAt;
  }

  take(): Slot {
    const tsUs = this.dueUs;
    this.dueUs += this.#everyUs;
    return { table: this.#table, tsUs, rows: this.#rowsAt(tsUs) };
  }
}

/** Single rows at irregular times, with an exact number a day. */
export class DailyStream implements Stream {
  readonly #offsetsOfDay: () => Float64Array;
  readonly #slotAt: (tsUs: number, index: number) => Slot;
  #dayUs: number;
  #offsets: Float64Array;
  #index = 0;

  /** `offsetsOfDay`: rising microseconds since midnight. `slotAt` gets the place of the row within its day. */
  constructor(
    startUs: number,
    offsetsOfDay: () => Float64Array,
    slotAt: (tsUs: number, index: number) => Slot,
  ) {
    this.#dayUs = startUs;
    this.#offsetsOfDay = offsetsOfDay;
    this.#slotAt = slotAt;
    this.#offsets = offsetsOfDay();
  }

  get dueUs(): number {
    return this.#dayUs + (this.#offsets[this.#index] ?? 0);
  }

  take(): Slot {
    const taken = this.#slotAt(this.dueUs, this.#index);
    this.#index += 1;
    if (this.#index === this.#offsets.length) {
      this.#index = 0;
      this.#dayUs += DAY_US;
      this.#offsets = this.#offsetsOfDay();
    }
    return taken;
  }
}

/** So many rising times of a day, evenly likely, and different from each other. */
export function scattered(random: RandomStream, count: number, fromUs = 0, withinUs = DAY_US): number[] {
  const times = new Set<number>();
  while (times.size < count) times.add(fromUs + Math.floor(random.next() * withinUs));
  return [...times].sort((a, b) => a - b);
}

/** One of the values, all equally likely. */
export function pick<const T extends readonly [unknown, ...unknown[]]>(
  random: RandomStream,
  values: T,
): T[number] {
  return values[Math.floor(random.next() * values.length)] ?? values[0];
}

/** Rounded to a number of decimals, as programs log measurements. */
export function decimals(value: number, count: number): number {
  const scale = 10 ** count;
  return Math.round(value * scale) / scale;
}

// How a value of QuestDB becomes a JavaScript value. Pure. The driver's own parsers are not used: they turn a timestamp
// into a Date in local time, without its microseconds, and a LONG into text.
import pg from "pg";

/**
 * TIMESTAMP and DATE are integer microseconds since 1970 UTC, as everywhere in tickwatch (exact until the year 2255);
 * of a TIMESTAMP_NS the nanoseconds below are cut off. LONG and INT are numbers, a LONG beyond ±2^53 is a bigint.
 * DOUBLE is a number, BOOLEAN a boolean, all else (SYMBOL, VARCHAR, UUID, CHAR …) text. NULL is null.
 */
type SqlValue = string | number | bigint | boolean | null;

export type SqlRow = Readonly<Record<string, SqlValue>>;

const OID = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  timestamp: 1114,
  timestamptz: 1184,
};

type Parse = (text: string) => SqlValue;

const PARSERS: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [OID.bool, (text) => text === "t"],
  [OID.int8, longOf],
  [OID.int2, Number],
  [OID.int4, Number],
  [OID.float4, Number],
  [OID.float8, doubleOf],
  [OID.timestamp, microsOf],
  [OID.timestamptz, microsOf],
]);

const TEXT: Parse = (text) => text;

/** For the driver's `types` option. Binary results are never asked for. */
export const SQL_TYPES: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    return format === "binary" ? pg.types.getTypeParser(oid, "binary") : (PARSERS.get(oid) ?? TEXT);
  },
};

/** A LONG: a number when it is one exactly, else a bigint. */
export function longOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function doubleOf(text: string): number {
  return Number(text);
}

const TIMESTAMP = /^(\d{4,6})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00(?::?00)?)?$/;

/** "2026-11-21 10:00:00.123456" → 1795255200123456. Throws on a text that is no UTC timestamp. */
export function microsOf(text: string): number {
  const match = TIMESTAMP.exec(text);
  if (match === null) throw new Error(`"${text}" is no timestamp`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const ms = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  const micros = Number((match[7] ?? "").padEnd(6, "0").slice(0, 6));
  return ms * 1000 + micros;
}

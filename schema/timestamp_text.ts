// Reads points in time as people and other languages write them. Pure.

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|z|[+-]\d{2}:?\d{2})$/;

/**
 * ISO 8601 with a zone (`2026-11-21T10:00:00.123456Z`, `…+02:00`) → integer microseconds since 1970; undefined when it
 * is not one. Digits beyond microseconds are cut. A time without a zone is not accepted: it would mean another moment
 * on another machine.
 */
export function isoToMicros(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, date, time, fraction = "", zone = "Z"] = match;
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** Integer microseconds → `2026-11-21T10:00:00.123456Z`. */
export function microsToIso(micros: number): string {
  const ms = Math.floor(micros / 1000);
  const rest = String(micros - ms * 1000).padStart(3, "0");
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`;
}

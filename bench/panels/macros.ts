// What the QuestDB data source puts in the place of its macros before it sends a query, and which bucket Grafana asks for at a
// range. Written from observed answers of plugin 0.1.8 and Grafana 13. Pure.

export interface QueryWindow {
  /** µs since 1970. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Length of a bucket, as Grafana computes it from the range and the panel's width. */
  readonly intervalMs: number;
}

const MACRO = /\$__(\w+)/;

type Expand = (window: QueryWindow, argument: string | undefined) => string;

const MACROS: Readonly<Record<string, Expand>> = {
  timeFilter: ({ fromUs, toUs }, column) => `${column} >= ${cast(fromUs)} AND ${column} <= ${cast(toUs)}`,
  fromTime: ({ fromUs }) => cast(fromUs),
  toTime: ({ toUs }) => cast(toUs),
  sampleByInterval: ({ intervalMs }) => sampleBy(intervalMs),
  interval_ms: ({ intervalMs }) => String(intervalMs),
  timeFrom: ({ fromUs }, column) => `${column} >= '${isoSeconds(fromUs)}'`,
  timeTo: ({ toUs }, column) => `${column} <= '${isoSeconds(toUs)}'`,
};
const WITH_ARGUMENT = new Set(["timeFilter", "timeFrom", "timeTo"]);

/** Throws for a macro that the data source does not know, or that comes out as something QuestDB cannot read. */
export function expandMacros(sql: string, window: QueryWindow): string {
  const found = MACRO.exec(sql);
  if (found === null) return sql;
  const [text, name = ""] = found;
  const expand = MACROS[name];
  if (expand === undefined) throw new Error(`${text} comes out as nothing that QuestDB understands`);
  const after = found.index + text.length;
  if (!WITH_ARGUMENT.has(name)) {
    // Empty brackets belong to the macro.
    const rest = sql.slice(after).replace(/^\(\s*\)/, "");
    return sql.slice(0, found.index) + expand(window, undefined) + expandMacros(rest, window);
  }
  const close = closingBracket(sql, after);
  if (close === undefined) throw new Error(`${text} needs a column in brackets`);
  const column = sql.slice(after + 1, close).trim();
  return sql.slice(0, found.index) + expand(window, column) + expandMacros(sql.slice(close + 1), window);
}

/** Where the bracket that opens at `open` closes. */
function closingBracket(sql: string, open: number): number | undefined {
  if (sql[open] !== "(") return undefined;
  let depth = 0;
  for (let at = open; at < sql.length; at++) {
    if (sql[at] === "(") depth += 1;
    if (sql[at] === ")") depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

function cast(us: number): string {
  return `cast(${us} as timestamp)`;
}

function isoSeconds(us: number): string {
  return `${new Date(us / 1000).toISOString().slice(0, 19)}Z`;
}

/** Whole units only, rounded down: 90 minutes come out as an hour. Milliseconds are T in QuestDB. */
export function sampleBy(intervalMs: number): string {
  const hours = Math.floor(intervalMs / 3_600_000);
  const seconds = Math.floor(intervalMs / 1000);
  if (hours >= 24 && intervalMs === hours * 3_600_000) return `${Math.floor(hours / 24)}d`;
  if (hours > 0) return `${hours}h`;
  if (seconds > 0) return `${seconds}s`;
  return `${Math.max(1, Math.floor(intervalMs))}T`;
}

/** Lengths of buckets that Grafana uses, ms. A wanted length goes to the nearest one, and only from here on to the longest. */
const STEPS_MS: readonly number[] = [
  ...[10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 20, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 20, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3_600_000),
];
const DAY_MS = 86_400_000;
const LONG_STEPS_MS: readonly (readonly [fromMs: number, stepMs: number])[] = [
  [42 * DAY_MS, 365 * DAY_MS],
  [21 * DAY_MS, 30 * DAY_MS],
  [7 * DAY_MS, 7 * DAY_MS],
  [DAY_MS, DAY_MS],
];

/**
 * The bucket for a range, a number of points (a panel's width in pixels unless it says otherwise) and the shortest bucket
 * that panel and data source allow.
 */
export function bucketMs(rangeMs: number, pointsMax: number, shortestMs: number): number {
  return Math.max(nearestStep(rangeMs / Math.max(1, pointsMax)), shortestMs);
}

function nearestStep(wantedMs: number): number {
  if (wantedMs < 10) return 1;
  const long = LONG_STEPS_MS.find(([fromMs]) => wantedMs >= fromMs);
  if (long !== undefined) return long[1];
  return STEPS_MS.findLast((step, index) => wantedMs >= (step + (STEPS_MS[index - 1] ?? step)) / 2) ?? 10;
}

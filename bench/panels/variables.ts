// What Grafana's page puts into a query before it leaves the browser: the dashboard's variables and the range. Macros of the data
// source come after it (macros.ts). Pure.
import type { QueryWindow } from "./macros.ts";

/** Chosen values of each variable; for All that is every value. */
export type VariableValues = ReadonlyMap<string, readonly string[]>;

/** `$name`, `${name}`, `${name:format}`, `[[name]]`, `[[name:format]]`. */
const REFERENCE = /\$(\w+)|\$\{(\w+)(?::([^}]*))?\}|\[\[(\w+)(?::([^\]]*))?\]\]/g;

export interface Reference {
  readonly text: string;
  readonly name: string;
  /** Behind the colon, if there is one. */
  readonly format: string | undefined;
}

/** Every mention of a variable or macro. */
export function referencesIn(text: string): readonly Reference[] {
  return [...text.matchAll(REFERENCE)].map(([all, plain, braced, format, old, oldFormat]) => ({
    text: all,
    name: plain ?? braced ?? old ?? "",
    format: format ?? oldFormat,
  }));
}

/** Leaves alone what it does not know: macros, and names that mean nothing. */
export function interpolate(sql: string, values: VariableValues, window: QueryWindow): string {
  return sql.replaceAll(REFERENCE, (text, plain, braced, format, old, oldFormat) => {
    const name: string = plain ?? braced ?? old;
    const builtIn = BUILT_IN[name];
    if (builtIn !== undefined) return builtIn(window);
    const chosen = values.get(name);
    return chosen === undefined ? text : formatted(chosen, format ?? oldFormat);
  });
}

const BUILT_IN: Readonly<Record<string, (window: QueryWindow) => string>> = {
  __from: ({ fromUs }) => String(Math.floor(fromUs / 1000)),
  __to: ({ toUs }) => String(Math.floor(toUs / 1000)),
  __interval: ({ intervalMs }) => duration(intervalMs),
  __interval_ms: ({ intervalMs }) => String(intervalMs),
  __range_ms: ({ fromUs, toUs }) => String(Math.round((toUs - fromUs) / 1000)),
  __range_s: ({ fromUs, toUs }) => String(Math.round((toUs - fromUs) / 1e6)),
  __range: ({ fromUs, toUs }) => `${Math.round((toUs - fromUs) / 1e6)}s`,
  __timezone: () => "browser",
};

/** Without a format the data source's own rule holds: a list is quoted and not escaped, a single value goes in as it is. */
function formatted(chosen: readonly string[], format: string | undefined): string {
  switch (format) {
    case "sqlstring":
      return chosen.map((value) => `'${value.replaceAll("'", "''")}'`).join(",");
    case "singlequote":
      return chosen.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(",");
    case "doublequote":
      return chosen.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(",");
    case "csv":
    case "raw":
      return chosen.join(",");
    case "pipe":
      return chosen.join("|");
    case "regex":
      return chosen.length === 1 ? escaped(chosen[0] ?? "") : `(${chosen.map(escaped).join("|")})`;
    case undefined:
      return chosen.length === 1 ? (chosen[0] ?? "") : chosen.map((value) => `'${value}'`).join(",");
    default:
      throw new Error(`the format ":${format}" of a variable is not one of those we use`);
  }
}

function escaped(value: string): string {
  return value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
}

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];

function duration(ms: number): string {
  const [unit, length] = UNITS.find(([, one]) => ms >= one) ?? ["ms", 1];
  return `${Math.floor(ms / length)}${unit}`;
}

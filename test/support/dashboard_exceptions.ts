// Where the rendered dashboards are, and what they may do against the rules: each exception with its reason, and none that is not
// needed any more.
import { join } from "node:path";

/** The folder that Grafana reads. */
export const RENDERED = join(import.meta.dirname, "../../provisioning/dashboards/files/tickwatch");

const FIXED_WINDOW =
  "It is about the last hour and the last day before the end of the range, however long the range is.";

const LAST_MINUTES = "It reads a few minutes before the end of the range, however long the range is.";

const BY_COMPONENT = "Its rollup cannot tell components apart: they are no key of the table, which is small.";

/** `dashboard panel-id rule` → why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "health 301 rollup for long ranges": BY_COMPONENT,
  "risk 105 rollup for long ranges": FIXED_WINDOW,
  "tickwatch 102 rollup for long ranges": LAST_MINUTES,
  "tickwatch 503 rollup for long ranges": LAST_MINUTES,
  "tickwatch 504 rollup for long ranges": LAST_MINUTES,
  "tickwatch 505 rollup for long ranges": LAST_MINUTES,
  "trading 112 rollup for long ranges": FIXED_WINDOW,
};

const TAIL = "An hour has sixty returns of a minute: too few for the worst in a hundred.";

/** `dashboard panel-id`, and a column if it is about one → why there may be none, though there are rows of everything. */
const EMPTY: Readonly<Record<string, string>> = {
  "risk 402 var_99": TAIL,
  "risk 402 cvar_99": TAIL,
};

/** The findings that nobody has excused; an excuse without a finding is a finding too. */
export function withoutExceptions(findings: readonly string[]): readonly string[] {
  const excused = new Set<string>();
  const left = findings.filter((line) => {
    const key = `${placeOf(line)} ${/\[(.+)\]$/.exec(line)?.[1]}`;
    if (EXCEPTIONS[key] === undefined) return true;
    excused.add(key);
    return false;
  });
  const stale = Object.keys(EXCEPTIONS).filter((key) => !excused.has(key));
  return [...left, ...stale.map((key) => `the exception "${key}" is not needed: remove it`)];
}

const used = new Set<string>();

/** Whether a panel may be empty there; it is noted down that the excuse was needed. */
export function mayBeEmpty(line: string): boolean {
  const column = /: (\w+) is NULL in every row \[rows\]$/.exec(line)?.[1];
  const key = [placeOf(line), ...(column === undefined ? [] : [column])].join(" ");
  if (EMPTY[key] === undefined) return false;
  used.add(key);
  return true;
}

/** Excuses that nothing needed so far. */
export function unneededExcuses(): readonly string[] {
  return Object.keys(EMPTY).filter((key) => !used.has(key));
}

/** "health 101" of "health, panel 101 "Memory": …". */
function placeOf(line: string): string {
  const [, dashboard, panel] = /^(\S+?)(?:, panel (\d+)|[:,])/.exec(line) ?? [];
  return panel === undefined ? (dashboard ?? "") : `${dashboard} ${panel}`;
}

// What verify found, as data and as text for people. Pure.
import { microsToIso } from "../../schema/timestamp_text.ts";
import { US_PER_MINUTE } from "../ledger/minute_keys.ts";
import type { Tally } from "./compare.ts";

/** A row that does not fit. `key` is 64 bits in hex; `ts` and values are known where the row could be found. */
export interface Example {
  readonly what: "missing" | "doubled" | "foreign";
  readonly key: string;
  /** ISO 8601; of a row whose ts is not known, the minute. */
  readonly ts: string;
  readonly row?: Readonly<Record<string, unknown>>;
}

export interface TableAccount extends Readonly<Tally> {
  readonly table: string;
  readonly verdict: Verdict;
  /** Stored rows that may have been accepted before the ledger knew them: not judged. */
  readonly older: number;
  /** Accepted rows beyond the table's TTL: gone by design, not judged. */
  readonly expired: number;
  /** Missing rows that are still in a segment of the spool. */
  readonly stillInSpool: number;
  /** From when on the ledger knows every accepted row, ISO 8601; null: from the beginning. */
  readonly completeFrom: string | null;
  readonly notes: readonly string[];
  readonly examples: readonly Example[];
}

/** `empty`: nothing was accepted and nothing is stored. */
export type Verdict = "adds up" | "missing rows" | "doubled rows" | "foreign rows" | "empty";

export interface VerifyReport {
  readonly ok: boolean;
  /** The stretch of ts that was looked at, in whole minutes, ISO 8601; null where it is open. */
  readonly from: string | null;
  readonly to: string | null;
  readonly tables: readonly TableAccount[];
}

const COLUMNS = [
  ["accepted", (a: TableAccount) => a.accepted],
  ["replaced", (a: TableAccount) => a.replaced],
  ["stored", (a: TableAccount) => a.stored],
  ["dead-lettered", (a: TableAccount) => a.deadLettered],
  ["pending", (a: TableAccount) => a.pending],
  ["missing", (a: TableAccount) => a.missing],
  ["foreign", (a: TableAccount) => a.foreign],
] as const;

/** The report as lines. */
export function reportLines({ ok, from, to, tables }: VerifyReport): string[] {
  const shown = tables.filter(({ verdict }) => verdict !== "empty");
  const empty = tables.length - shown.length;
  const failed = shown.filter(({ verdict }) => verdict !== "adds up");
  const range = `ts ${from === null ? "" : `from ${from} `}${to === null ? "" : `to ${to}`}`.trim();
  return [
    ...(from === null && to === null ? [] : [`rows with ${range}`]),
    ...(shown.length === 0 ? [] : tableLines(shown)),
    ...(empty === 0 ? [] : [`${counted(empty, "table")} without rows`]),
    ...coverageLines(shown),
    ...shown.flatMap(accountLines),
    ok
      ? "every accepted row is accounted for"
      : `${failed.map(({ table }) => table).join(", ")}: does not add up`,
  ];
}

function tableLines(tables: readonly TableAccount[]): string[] {
  const head = ["table", ...COLUMNS.map(([name]) => name), "verdict"];
  const rows = tables.map((account) => [
    account.table,
    ...COLUMNS.map(([, figureOf]) => figureOf(account).toLocaleString("en-US")),
    account.verdict,
  ]);
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return at === 0 || at === row.length - 1 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Usually one moment for all tables. */
function coverageLines(tables: readonly TableAccount[]): string[] {
  const since = new Set(tables.flatMap(({ completeFrom }) => completeFrom ?? []));
  return [...since].map((moment) => {
    const those = tables.filter(({ completeFrom }) => completeFrom === moment).map(({ table }) => table);
    const of = those.length === tables.length ? "" : ` of ${those.join(", ")}`;
    return `the ledger knows every accepted row${of} with a ts after ${moment}, and some of the older ones`;
  });
}

function accountLines(account: TableAccount): string[] {
  const { table, missing, stillInSpool, doubled, older, expired, notes, examples } = account;
  const lines = [
    ...notes,
    ...(missing > 0 ? [`${counted(missing, "accepted row")} not in the table`] : []),
    ...(stillInSpool > 0
      ? [`${counted(stillInSpool, "of them")} still in the spool: sent again when QuestDB was away`]
      : []),
    ...(doubled > 0 ? [`${counted(doubled, "row")} more than once in the table, although it has DEDUP`] : []),
    ...(older > 0 ? [`${counted(older, "stored row")} from before the ledger: not judged`] : []),
    ...(expired > 0
      ? [`${counted(expired, "accepted row")} beyond the TTL: gone by design, not judged`]
      : []),
    ...examples.map(exampleLine),
  ];
  return lines.map((line) => `${table}: ${line}`);
}

function exampleLine({ what, key, ts, row }: Example): string {
  return `${what} ${ts} key ${key}${row === undefined ? "" : ` ${JSON.stringify(row)}`}`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 || noun.startsWith("of") ? "" : "s"}`;
}

/** A minute since 1970 as ISO 8601. */
export function minuteIso(minute: number): string {
  return microsToIso(minute * US_PER_MINUTE);
}

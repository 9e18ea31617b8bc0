// Judges what queries on QuestDB show against the journal: complete, not doubled, values equal, order kept per key. It
// knows nothing of how rows get there.
import { expect } from "vitest";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { type Batch, type Journal, readJournal } from "./fault_journal.ts";
import {
  FAULT_TABLES,
  type FaultTable,
  faultRow,
  GAP_KEYS,
  MARK_COLUMN,
  numberOf,
  type RowNumber,
} from "./fault_rows.ts";

/** Rows by what is wrong with them, each as `table/producer/number`. */
export interface Verdict {
  readonly acknowledged: number;
  readonly stored: number;
  /** Acknowledged and not there. Of a key with several values: its last acknowledged value or a later one is not there. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly doubled: readonly string[];
  /** There with a value that was not sent. */
  readonly wrong: readonly string[];
  /** There although nobody sent them. */
  readonly unsent: readonly string[];
  /** An older value than the last acknowledged one has the last word. */
  readonly reordered: readonly string[];
}

/** Compares now: whoever asks has waited until everything was delivered and applied. */
export async function judge(sql: Sql, journalPath: string): Promise<Verdict> {
  const journal = await readJournal(journalPath);
  const verdicts = await Promise.all(FAULT_TABLES.map((table) => judgeTable(sql, journal, table)));
  const all = (field: "lost" | "doubled" | "wrong" | "unsent" | "reordered") =>
    verdicts.flatMap((verdict) => verdict[field]);
  return {
    acknowledged: verdicts.reduce((sum, verdict) => sum + verdict.acknowledged, 0),
    stored: verdicts.reduce((sum, verdict) => sum + verdict.stored, 0),
    ...{ lost: all("lost"), doubled: all("doubled"), wrong: all("wrong") },
    ...{ unsent: all("unsent"), reordered: all("reordered") },
  };
}

/** Fails with the first few rows of each kind when the promise was broken, or when nothing was put to the proof. */
export function expectKept(verdict: Verdict, allowedLost: ReadonlySet<string> = new Set()): void {
  const { acknowledged, stored: _, ...faults } = verdict;
  expect(acknowledged, "a load without acknowledged rows proves nothing").toBeGreaterThan(0);
  const unexpected = { ...faults, lost: faults.lost.filter((row) => !allowedLost.has(row)) };
  const told = Object.fromEntries(
    Object.entries(unexpected).map(([kind, rows]) => [kind, { rows: rows.length, first: rows.slice(0, 8) }]),
  );
  const nothing = { rows: 0, first: [] };
  expect(told).toEqual({
    ...{ lost: nothing, doubled: nothing, wrong: nothing, unsent: nothing, reordered: nothing },
  });
}

export function nameOf({ table, producer, number }: RowNumber): string {
  return `${table}/${producer}/${number}`;
}

async function judgeTable(sql: Sql, journal: Journal, table: FaultTable): Promise<Verdict> {
  const query = `SELECT * FROM ${table} WHERE ${MARK_COLUMN[table]} = $1`;
  const rows = await sql.query(query, [journal.workload.mark]);
  const sent = numbersOf(journal.sent, table);
  const acknowledged = numbersOf(journal.acknowledged, table);
  const times = new Map<string, number>();
  const wrong: string[] = [];
  for (const row of rows) {
    const number = numberOf(table, row);
    const name = nameOf(number);
    times.set(name, (times.get(name) ?? 0) + 1);
    const expected = faultRow(number, journal.workload);
    if (Object.entries(expected).some(([column, value]) => row[column] !== value)) wrong.push(name);
  }
  const stored = [...times.keys()];
  const common = {
    acknowledged: acknowledged.size,
    stored: rows.length,
    wrong,
    unsent: stored.filter((name) => !sent.has(name)),
  };
  if (table === "data_gaps") {
    return { ...common, ...judgeLastWords([...acknowledged.values()], rows) };
  }
  const lost = [...acknowledged.keys()].filter((name) => !times.has(name));
  return { ...common, lost, doubled: stored.filter((name) => times.get(name) !== 1), reordered: [] };
}

/** Of each key the last acknowledged value, or a later one that was sent, must be the one that is there. */
function judgeLastWords(
  acknowledged: readonly RowNumber[],
  rows: readonly Readonly<Record<string, unknown>>[],
): Pick<Verdict, "lost" | "doubled" | "reordered"> {
  const keyOf = ({ producer, number }: RowNumber) => `${producer}/${number % GAP_KEYS}`;
  const due = new Map<string, RowNumber>();
  for (const number of acknowledged) {
    if (number.number > (due.get(keyOf(number))?.number ?? 0)) due.set(keyOf(number), number);
  }
  const found = new Map<string, RowNumber[]>();
  for (const row of rows) {
    const number = numberOf("data_gaps", row);
    found.set(keyOf(number), [...(found.get(keyOf(number)) ?? []), number]);
  }
  const older = (number: RowNumber) =>
    (found.get(keyOf(number)) ?? []).some((there) => there.number < number.number);
  return {
    lost: [...due.values()].filter((number) => !found.has(keyOf(number))).map(nameOf),
    doubled: [...found.values()].filter((numbers) => numbers.length > 1).flatMap((all) => all.map(nameOf)),
    reordered: [...due.values()].filter(older).map(nameOf),
  };
}

function numbersOf(batches: readonly Batch[], table: FaultTable): Map<string, RowNumber> {
  const numbers = new Map<string, RowNumber>();
  for (const { producer, from, to } of batches.filter((batch) => batch.table === table)) {
    for (let number = from; number <= to; number++) {
      const row = { table, producer, number };
      numbers.set(nameOf(row), row);
    }
  }
  return numbers;
}

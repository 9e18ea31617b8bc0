// What QuestDB has, against what was promised: every acknowledged row is there, once, with its value, and nothing that
// nobody sent.
import { expect } from "vitest";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { readWalProgress } from "../../ingest/questdb/wal_progress.ts";
import { until } from "./questdb_until.ts";
import { idOf, type Load } from "./service_load.ts";

type StoredRow = {
  readonly id: string;
  readonly price: number;
  readonly times: number;
};

/** Compares what queries show now; see `delivered`. */
export async function provesEveryRowOnce(sql: Sql, load: Load): Promise<void> {
  const stored = [
    ...(await storedRows(
      sql,
      `SELECT event_id AS id, price, count() AS times FROM signals WHERE strategy = $1`,
      load,
    )),
    ...(await storedRows(
      sql,
      `SELECT order_id AS id, price, count() AS times FROM orders WHERE account = $1`,
      load,
    )),
  ];
  const ids = new Set(stored.map((row) => row.id));
  const lost = [...load.acknowledged].filter((number) => !ids.has(idOf(load.mark, number)));
  const doubled = stored.filter((row) => row.times !== 1);
  const wrong = stored.filter((row) => !load.sent.has(row.price) || row.id !== idOf(load.mark, row.price));
  expect(load.acknowledged.size, "a load without rows proves nothing").toBeGreaterThan(0);
  const found = { lost: lost.slice(0, 5), doubled: doubled.slice(0, 5), wrong: wrong.slice(0, 5) };
  const counts = { lost: lost.length, doubled: doubled.length, wrong: wrong.length };
  expect({ ...counts, found }).toEqual({
    ...{ lost: 0, doubled: 0, wrong: 0 },
    found: { lost: [], doubled: [], wrong: [] },
  });
  expect(ids.size).toBe(stored.length);
}

/** Resolves when the service at `http`, if one is given, has nothing left to deliver, and all that QuestDB took is visible. */
export async function delivered(sql: Sql, http?: string): Promise<void> {
  if (http !== undefined) {
    await until(
      "the spool to be delivered",
      async () => sum(byTable(await metricsText(http), "tickwatch_spool_pending_rows")) === 0,
      60_000,
    );
  }
  await until(
    "QuestDB to apply its log",
    async () => [...(await readWalProgress(sql)).values()].every((wal) => wal.writerTxn >= wal.sequencerTxn),
    60_000,
  );
}

function storedRows(sql: Sql, select: string, load: Load): Promise<readonly StoredRow[]> {
  return sql.query<StoredRow>(`${select} GROUP BY id, price`, [load.mark]);
}

export async function metricsText(http: string): Promise<string> {
  return await (await fetch(`${http}/metrics`)).text();
}

/** Values of one metric by table, summed over its other labels. */
export function byTable(text: string, metric: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const table = /\btable="(\w+)"/.exec(labels)?.[1];
    if (name !== metric || table === undefined) continue;
    values.set(table, (values.get(table) ?? 0) + Number(value));
  }
  return values;
}

function sum(values: ReadonlyMap<string, number>): number {
  return [...values.values()].reduce((total, value) => total + value, 0);
}

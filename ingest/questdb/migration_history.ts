// The table that remembers which statements of which migration have been dealt with. One row a statement, so that a
// migration that was cut short goes on where it stopped.
import * as z from "zod";
import type { Clock } from "../clock.ts";
import { waitUntilListed } from "./live_schema.ts";
import type { Sql } from "./sql.ts";

export const HISTORY_TABLE = "tickwatch_migrations";

/**
 * What became of a statement. `applied`: run. `built_in`: its table did not exist, and was then made in its newest form.
 * `found`: its column was there already, from a run that was cut short before it could note it down.
 */
export type Outcome = "applied" | "built_in" | "found";

export interface HistoryEntry {
  /** File name of the migration. */
  readonly name: string;
  /** Position in the file, from 1. */
  readonly statement: number;
  readonly checksum: string;
  readonly outcome: Outcome;
}

const Row = z.object({
  name: z.string(),
  checksum: z.string(),
  statement: z.number(),
  outcome: z.enum(["applied", "built_in", "found"]),
});

/** Without WAL: a row is there for every reader as soon as its INSERT is answered. Only the holder of the claim writes. */
export async function createHistory(sql: Sql, clock: Clock, signal?: AbortSignal): Promise<void> {
  const text = `CREATE TABLE IF NOT EXISTS ${HISTORY_TABLE} (
    ts TIMESTAMP, name VARCHAR, statement LONG, checksum VARCHAR, outcome VARCHAR, owner VARCHAR
  ) TIMESTAMP(ts) PARTITION BY NONE BYPASS WAL`;
  await sql.query(text, [], signal);
  await waitUntilListed(sql, [HISTORY_TABLE], clock, signal);
}

export async function readHistory(sql: Sql, signal?: AbortSignal): Promise<readonly HistoryEntry[]> {
  const text = `SELECT name, checksum, statement, outcome FROM ${HISTORY_TABLE}`;
  return await sql.select(Row, text, [], signal);
}

export async function noteDown(
  sql: Sql,
  entry: HistoryEntry,
  owner: string,
  signal?: AbortSignal,
): Promise<void> {
  const text = `INSERT INTO ${HISTORY_TABLE} (ts, name, statement, checksum, outcome, owner) VALUES (systimestamp(), $1, $2, $3, $4, $5)`;
  await sql.query(text, [entry.name, entry.statement, entry.checksum, entry.outcome, owner], signal);
}

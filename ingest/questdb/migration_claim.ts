// Lets one process at a time run migrations, on a database that has no locks.
//
// What QuestDB does have is CREATE TABLE, which succeeds for exactly one of any number of callers. So a claim is an
// (almost empty) table tickwatch_claim_<n>, and whoever creates the one with the highest number holds it:
//   free     the newest claim table has a row with done = true, or there is none   → create n + 1
//   held     its rows, the heartbeats, still become more                           → wait
//   dead     no new heartbeat for 15 s of the waiter's own clock                    → create n + 1
// Two waiters that both see n as free or dead both try n + 1, and one of them is refused. Numbers are never used twice,
// because the newest table always stays; the holder removes older ones. A holder that was only very slow finds a higher
// number before its next statement and stops.
import { hostname } from "node:os";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { readTableNames, waitUntilListed } from "./live_schema.ts";
import type { Sql } from "./sql.ts";

const PREFIX = "tickwatch_claim_";
const POLL_MS = 100;

export interface ClaimOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Time between two heartbeats of a holder. */
  readonly beatMs?: number;
  /** Silence after which a holder counts as dead; many times `beatMs`. */
  readonly deadAfterMs?: number;
}

export interface Claim {
  /** Who holds it, for the records: host and process. */
  readonly owner: string;
  /** Throws DB_UNAVAILABLE when another process has taken over. To be called before every statement. */
  assertHeld(): Promise<void>;
}

/** Waits for the claim, runs `work` while holding it, gives it back also when `work` throws. */
export async function withClaim<T>(
  sql: Sql,
  options: ClaimOptions,
  work: (claim: Claim) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const owner = `${hostname()} process ${process.pid}`;
  const number = await acquire(sql, owner, options, signal);
  const over = new AbortController();
  const beating = beat(sql, number, owner, options, over.signal);
  try {
    const assertHeld = async () => {
      if ((await newestClaim(sql, signal)) <= number) return;
      const message =
        "another process took over the migration, because this one was silent for too long: start again";
      throw new TickwatchError("DB_UNAVAILABLE", message);
    };
    return await work({ owner, assertHeld });
  } finally {
    over.abort();
    await beating;
    await release(sql, number, owner, options);
  }
}

async function acquire(sql: Sql, owner: string, options: ClaimOptions, signal: AbortSignal): Promise<number> {
  const { clock, log, deadAfterMs = 15_000 } = options;
  const seen = { number: 0, beats: -1, sinceMs: 0 };
  let announced = false;
  for (;;) {
    signal.throwIfAborted();
    const newest = await newestClaim(sql, signal);
    const state = newest === 0 ? { beats: 0, done: true } : await readClaim(sql, newest, signal);
    if (state === undefined) continue; // removed just now: there is a newer one
    if (newest !== seen.number || state.beats !== seen.beats) {
      Object.assign(seen, { number: newest, beats: state.beats, sinceMs: clock.monotonicMs() });
    }
    const dead = clock.monotonicMs() - seen.sinceMs > deadAfterMs;
    if (state.done || dead) {
      if (!state.done) log.warn({ claim: newest }, "taking over a migration whose process is gone");
      if (await create(sql, newest + 1, owner, clock, signal)) return newest + 1;
      continue;
    }
    if (!announced) log.info({ claim: newest }, "waiting for another process that is migrating");
    announced = true;
    await clock.sleep(POLL_MS, signal);
  }
}

/** True for the one caller that made the table, if there is no newer one then. */
async function create(
  sql: Sql,
  number: number,
  owner: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const text = `CREATE TABLE ${PREFIX}${number} (ts TIMESTAMP, owner VARCHAR, done BOOLEAN) TIMESTAMP(ts) PARTITION BY NONE BYPASS WAL`;
  try {
    await sql.query(text, [], signal);
  } catch (error) {
    // A name is taken a moment before its table is listed; any other refusal is an error.
    if (await waitUntilListed(sql, [`${PREFIX}${number}`], clock, signal)) return false;
    throw error;
  }
  // A waiter that was asleep for long may have made a number below the newest one.
  if ((await newestClaim(sql, signal)) > number) {
    await sql.query(`DROP TABLE IF EXISTS ${PREFIX}${number}`, [], signal);
    return false;
  }
  await writeRow(sql, number, owner, false, signal);
  return true;
}

async function newestClaim(sql: Sql, signal: AbortSignal): Promise<number> {
  const numbers = (await claimNumbers(sql, signal)).filter(Number.isSafeInteger);
  return Math.max(0, ...numbers);
}

async function claimNumbers(sql: Sql, signal: AbortSignal): Promise<readonly number[]> {
  const names = [...(await readTableNames(sql, signal))].filter((name) => name.startsWith(PREFIX));
  return names.map((name) => Number(name.slice(PREFIX.length)));
}

const ClaimRow = z.object({ done: z.boolean() });

/** The heartbeats so far and whether the last word was said; undefined when the table is gone. */
async function readClaim(
  sql: Sql,
  number: number,
  signal: AbortSignal,
): Promise<{ readonly beats: number; readonly done: boolean } | undefined> {
  const table = `${PREFIX}${number}`;
  try {
    const rows = await sql.select(ClaimRow, `SELECT done FROM ${table}`, [], signal);
    return { beats: rows.length, done: rows.some((row) => row.done) };
  } catch (error) {
    if (!(await readTableNames(sql, signal)).has(table)) return undefined;
    throw error;
  }
}

async function beat(
  sql: Sql,
  number: number,
  owner: string,
  { clock, log, beatMs = 2_000 }: ClaimOptions,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(beatMs, over);
    if (over.aborted) return;
    // A beat that fails is no harm by itself: silence is noticed by the others, and by assertHeld().
    await writeRow(sql, number, owner, false, over).catch((error: unknown) => {
      if (!over.aborted) log.warn({ err: error }, "the claim on the migration could not be renewed");
    });
  }
}

async function release(sql: Sql, number: number, owner: string, { log }: ClaimOptions): Promise<void> {
  // Not with the caller's signal: also an aborted migration gives its claim back. The statement's own time-out ends it.
  const signal = new AbortController().signal;
  try {
    await writeRow(sql, number, owner, true, signal);
    for (const older of await claimNumbers(sql, signal)) {
      if (older < number) await sql.query(`DROP TABLE IF EXISTS ${PREFIX}${older}`, [], signal);
    }
  } catch (error) {
    log.warn({ err: error }, "the claim on the migration was not given back; the next one waits 15 s for it");
  }
}

async function writeRow(
  sql: Sql,
  number: number,
  owner: string,
  done: boolean,
  signal: AbortSignal,
): Promise<void> {
  const text = `INSERT INTO ${PREFIX}${number} (ts, owner, done) VALUES (systimestamp(), $1, $2)`;
  await sql.query(text, [owner, done], signal);
}

// A QuestDB with the real tables and rollups and days of the reference workload in them, as a long-used installation has it.
import * as z from "zod";
import { createLog } from "../../ingest/log.ts";
import { shippedPath } from "../../ingest/package_root.ts";
import { migrate } from "../../ingest/questdb/migrate.ts";
import { createMissingRollups } from "../../ingest/questdb/rollup_create.ts";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { quotedName } from "../../ingest/questdb/sql_text.ts";
import { EVENTS } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import type { Bench } from "../harness/bench.ts";
import { until } from "../harness/bench_questdb.ts";
import { loadSlots } from "../workload/load_slots.ts";
import { otherRows } from "../workload/other_rows.ts";
import { DAY_US, type Slot } from "../workload/w90/stream.ts";
import { W90_ROWS_PER_DAY, w90Days } from "../workload/w90.ts";

const SEED = 1;
const SAY_EVERY_ROWS = 5_000_000;
const READY_MS = 1_800_000;

/**
 * Makes the tables, writes W90 and what it leaves out from `days` days ago, midnight, until now, and waits until queries and
 * rollups see all of it. Throws when a table has rows already: nobody's data is touched.
 */
export async function fillDatabase(bench: Bench, days: number): Promise<void> {
  const { sql, address, count } = await bench.questdb();
  await makeTables(bench, sql);
  for (const { name } of EVENTS) {
    if ((await count(name)) > 0)
      throw new Error(`table ${name} has rows already: this needs an empty server`);
  }
  const nowUs = bench.clock.nowUs();
  const startUs = Math.floor(nowUs / DAY_US) * DAY_US - (days - 1) * DAY_US;
  let rows = 0;
  const onRows = (more: number) => {
    bench.throwIfAborted();
    if (Math.floor((rows + more) / SAY_EVERY_ROWS) > Math.floor(rows / SAY_EVERY_ROWS))
      bench.say(`${Math.round((rows + more) / 1e6)} million rows`);
    rows += more;
  };
  const target = { http: address.http, httpAuthorization: address.httpAuthorization };
  const written = new Map([
    ...(await loadSlots(target, before(nowUs, w90Days({ seed: SEED, startUs }, days)), onRows)),
    ...(await loadSlots(target, otherRows({ seed: SEED, fromUs: startUs, toUs: nowUs }), onRows)),
  ]);
  bench.say("waiting for tables and rollups");
  await until("all rows to be applied", () => areApplied(sql), READY_MS);
  for (const [table, expected] of written) {
    const seen = await count(table);
    if (seen !== expected) throw new Error(`queries see ${seen} of ${expected} rows of ${table}`);
  }
  for (const { name } of ROLLUPS)
    await sql.query(`REFRESH MATERIALIZED VIEW ${quotedName(name)} INCREMENTAL`);
  await until("all rollups to be refreshed", () => areRefreshed(sql), READY_MS);
}

async function makeTables(bench: Bench, sql: Sql): Promise<void> {
  const { signal } = new AbortController();
  const log = createLog({ level: "error", format: "text" });
  const ttlDaysByTable = new Map(EVENTS.map(({ name, ttlDays }) => [name, ttlDays]));
  const migrationsDir = shippedPath("schema", "migrations");
  await migrate(sql, EVENTS, { ttlDaysByTable, migrationsDir, log, clock: bench.clock }, signal);
  const { refused } = await createMissingRollups(sql, ROLLUPS, { log, clock: bench.clock }, signal);
  if (refused.length > 0) throw new Error(`QuestDB refuses rollups: ${JSON.stringify(refused)}`);
}

function* before(endUs: number, slots: Iterable<Slot>): Generator<Slot> {
  for (const slot of slots) {
    if (slot.tsUs >= endUs) return;
    yield slot;
  }
}

const WalSchema = z.object({ name: z.string(), suspended: z.boolean(), behind: z.boolean() });

async function areApplied(sql: Sql): Promise<boolean> {
  const text = "SELECT name, suspended, writerTxn < sequencerTxn AS behind FROM wal_tables()";
  const tables = await sql.select(WalSchema, text);
  const stuck = tables.find(({ suspended }) => suspended);
  if (stuck !== undefined) throw new Error(`table ${stuck.name} is suspended`);
  return tables.every(({ behind }) => !behind);
}

const ViewSchema = z.object({ name: z.string(), status: z.string(), behind: z.boolean() });

async function areRefreshed(sql: Sql): Promise<boolean> {
  const text =
    "SELECT view_name AS name, view_status AS status, refresh_base_table_txn < base_table_txn AS behind FROM materialized_views()";
  const views = await sql.select(ViewSchema, text);
  const broken = views.find(({ status }) => status === "invalid");
  if (broken !== undefined) throw new Error(`rollup ${broken.name} is invalid`);
  return views.every(({ status, behind }) => status === "valid" && !behind);
}

const SizeSchema = z.object({ bytes: z.number().nullable() });

/** Bytes on disk of the tables of W90, without rollups, as QuestDB counts them. */
export async function w90Bytes(sql: Sql): Promise<number> {
  let sum = 0;
  for (const table of Object.keys(W90_ROWS_PER_DAY)) {
    const [row] = await sql.select(
      SizeSchema,
      `SELECT sum(diskSize) AS bytes FROM table_partitions('${table}')`,
    );
    sum += row?.bytes ?? 0;
  }
  return sum;
}

/** Bytes on disk of the rollups. */
export async function rollupBytes(sql: Sql): Promise<number> {
  let sum = 0;
  for (const { name } of ROLLUPS) {
    const [row] = await sql.select(
      SizeSchema,
      `SELECT sum(diskSize) AS bytes FROM table_partitions('${name}')`,
    );
    sum += row?.bytes ?? 0;
  }
  return sum;
}

// `tickwatch migrate`: makes missing tables, applies migrations, and reports by name what still differs from the schema.
// Uses the QuestDB that `start` would use; one that it had to start is stopped again.
import { EVENTS } from "../../schema/registry.ts";
import { ROLLUPS } from "../../schema/rollups.ts";
import { dataFolders } from "../config/data_dir.ts";
import type { Config } from "../config/schema.ts";
import { ttlDaysByTable } from "../database.ts";
import { EXIT_CODE } from "../errors.ts";
import { createLog } from "../log.ts";
import { shippedPath } from "../package_root.ts";
import { type Drift, describeDrift, findDrift } from "../questdb/drift.ts";
import { findQuestdb } from "../questdb/local.ts";
import { type MigrateReport, migrate as migrateTables } from "../questdb/migrate.ts";
import { createMissingRollups, type RollupReport } from "../questdb/rollup_create.ts";
import { findRollupDrift } from "../questdb/rollup_drift.ts";
import type { RunningQuestdb } from "../questdb/running.ts";
import { openSql } from "../questdb/sql.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";
import { type Progress, showProgress } from "./progress.ts";

/** 0 when the tables are as the schema says, or differ only in ways that lose nothing; SCHEMA_DRIFT's code otherwise. */
export async function migrate(io: CliIo, options: GlobalOptions): Promise<number> {
  const { config, warnings } = configurationFor(io, options);
  for (const warning of warnings) io.err(`warning: ${warning}`);
  const stop = io.takeSignals();
  const progress = await showProgress(io);
  try {
    const server = await find(io, config, progress, stop.signal);
    try {
      progress.step(`migrating ${server.http}`);
      const { report, rollups, drift } = await bringUp(io, config, server, stop.signal);
      progress.end();
      for (const line of [...reportLines(report, rollups), ...driftLines(drift)]) io.out(line);
      return drift.some((difference) => difference.losesRows) ? EXIT_CODE.SCHEMA_DRIFT : 0;
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    io.err("interrupted; run it again to finish what is left");
    return stop.interruptedCode;
  } finally {
    progress.end();
    stop.release();
  }
}

function find(io: CliIo, config: Config, progress: Progress, signal: AbortSignal): Promise<RunningQuestdb> {
  const { env, cwd, clock } = io;
  const root = dataFolders(config.dataDir, cwd, false).questdbDir;
  const log = silentLog();
  const onProgress = (message: string) => progress.step(message);
  return findQuestdb({ questdb: config.questdb, root, env, clock, log, onProgress }, signal);
}

async function bringUp(
  { clock }: CliIo,
  { retention }: Config,
  server: RunningQuestdb,
  signal: AbortSignal,
): Promise<{
  readonly report: MigrateReport;
  readonly rollups: RollupReport;
  readonly drift: readonly Drift[];
}> {
  const sql = openSql(server.pg);
  try {
    const ttlDays = ttlDaysByTable(retention);
    const migrationsDir = shippedPath("schema", "migrations");
    const options = { ttlDaysByTable: ttlDays, migrationsDir, log: silentLog(), clock };
    const report = await migrateTables(sql, EVENTS, options, signal);
    const rollups = await createMissingRollups(sql, ROLLUPS, options, signal);
    const drift = await findDrift(sql, EVENTS, ttlDays, signal);
    return { report, rollups, drift: [...drift, ...(await findRollupDrift(sql, ROLLUPS, signal))] };
  } finally {
    await sql.close();
  }
}

/** What is logged is also in the report, which is printed. */
function silentLog() {
  return createLog({ level: "silent", format: "json" });
}

function reportLines(report: MigrateReport, rollups: RollupReport): string[] {
  const { createdTables, appliedMigrations, lengthenedTtls, changedMigrations, unknownMigrations } = report;
  const done = [
    ...[...createdTables, ...rollups.created].map((name) => `created ${name}`),
    ...appliedMigrations.map((name) => `applied ${name}`),
    ...lengthenedTtls.map((ttl) => `${ttl.table} is kept for ${ttl.toDays} days (was ${ttl.fromDays})`),
  ];
  return [
    ...(done.length === 0 ? ["nothing to do"] : done),
    ...rollups.refused.map(({ name, reason }) => `warning: ${name} cannot be made: ${reason}`),
    ...changedMigrations.map(
      (name) => `warning: ${name} was changed after it had been applied; it is not applied again`,
    ),
    ...unknownMigrations.map((name) => `warning: ${name} was applied by a newer tickwatch; use that version`),
  ];
}

function driftLines(drift: readonly Drift[]): string[] {
  if (drift.length === 0)
    return [`all ${EVENTS.length} tables and ${ROLLUPS.length} rollups are as the schema says`];
  return drift.flatMap((difference) => [
    `${difference.losesRows ? "loses rows: " : ""}${describeDrift(difference)}`,
    `  remedy: ${difference.remedy}`,
  ]);
}

// Brings the tables of a QuestDB up to the schema, as far as that cannot lose anything: makes missing tables, applies
// the migration files once each, lengthens retention. It never drops or rebuilds a table and never shortens retention;
// what is left over is for findDrift() to report. Safe when several processes start at once, and after a crash anywhere.
import type { Clock } from "../clock.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ExpectedTable, TtlDaysByTable } from "./drift.ts";
import {
  readColumns,
  readLiveTables,
  readTableNames,
  takesTtlInDays,
  ttlDaysOf,
  waitUntilListed,
} from "./live_schema.ts";
import { type Claim, withClaim } from "./migration_claim.ts";
import {
  addedColumn,
  type Migration,
  readMigrations,
  type Statement,
  targetTable,
} from "./migration_files.ts";
import {
  createHistory,
  type HistoryEntry,
  noteDown,
  type Outcome,
  readHistory,
} from "./migration_history.ts";
import type { Sql } from "./sql.ts";
import { quotedName } from "./sql_text.ts";
import { waitUntilApplied } from "./wal_progress.ts";

export interface MigrateOptions {
  /** Days to keep rows, for tables that keep them otherwise than their event says. */
  readonly ttlDaysByTable: TtlDaysByTable;
  /** Folder of the NNNN_*.sql files. */
  readonly migrationsDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /** For tests of two migrations at once; see migration_claim.ts. */
  readonly beatMs?: number;
  readonly deadAfterMs?: number;
}

/** What was done, and what a person should look at. */
export interface MigrateReport {
  readonly createdTables: readonly string[];
  /** Files of which this run dealt with at least one statement. */
  readonly appliedMigrations: readonly string[];
  readonly lengthenedTtls: readonly {
    readonly table: string;
    readonly fromDays: number;
    readonly toDays: number;
  }[];
  /** Files of which a statement is not any more what it was when it was applied. It is not applied again. */
  readonly changedMigrations: readonly string[];
  /** Applied here by a program that knew files this one does not: this program is older than the tables. */
  readonly unknownMigrations: readonly string[];
}

const APPLY_MS = 60_000;

/**
 * Runs to the end or throws: ENVIRONMENT for an unusable migration file, DB_SQL with file and statement for one that
 * QuestDB refuses (what came before it stays applied and is not repeated), DB_UNAVAILABLE when the server goes away.
 */
export async function migrate(
  sql: Sql,
  tables: readonly ExpectedTable[],
  options: MigrateOptions,
  signal: AbortSignal,
): Promise<MigrateReport> {
  const migrations = await readMigrations(options.migrationsDir);
  await createHistory(sql, options.clock, signal);
  const history = await readHistory(sql, signal);
  const pending = pendingOf(migrations, history);
  const made =
    pending.length === 0
      ? { createdTables: await createMissing(sql, tables, options, signal), appliedMigrations: [] }
      : await withClaim(
          sql,
          options,
          (claim) => applyPending(sql, tables, migrations, claim, options, signal),
          signal,
        );
  const lengthenedTtls = await lengthenTtls(sql, tables, options, signal);
  const report = { ...made, lengthenedTtls, ...strangers(migrations, history) };
  logReport(report, options.log);
  return report;
}

/** One statement that nobody has dealt with. */
interface Pending extends Statement {
  /** File name of its migration. */
  readonly name: string;
  /** Position in the file, from 1. */
  readonly statement: number;
}

function allStatements(migrations: readonly Migration[]): readonly Pending[] {
  return migrations.flatMap(({ name, statements }) =>
    statements.map((statement, i) => ({ ...statement, name, statement: i + 1 })),
  );
}

function idOf(entry: { readonly name: string; readonly statement: number }): string {
  return `${entry.name}:${entry.statement}`;
}

function pendingOf(migrations: readonly Migration[], history: readonly HistoryEntry[]): readonly Pending[] {
  const done = new Set(history.map(idOf));
  return allStatements(migrations).filter((statement) => !done.has(idOf(statement)));
}

async function applyPending(
  sql: Sql,
  tables: readonly ExpectedTable[],
  migrations: readonly Migration[],
  claim: Claim,
  options: MigrateOptions,
  signal: AbortSignal,
): Promise<{ readonly createdTables: readonly string[]; readonly appliedMigrations: readonly string[] }> {
  // Read again: while we waited for the claim, its holder may have done all of it.
  const pending = pendingOf(migrations, await readHistory(sql, signal));
  const present = await readTableNames(sql, signal);
  const ours = new Set(tables.map((table) => table.name));
  const isBuiltIn = (text: string) => {
    const target = targetTable(text);
    return target !== undefined && ours.has(target) && !present.has(target);
  };
  const note = (entry: Pending, outcome: Outcome) =>
    noteDown(sql, { ...entry, outcome }, claim.owner, signal);
  // Tables that are missing will be made in their newest form, which has these changes. Noted down before they are made:
  // a crash in between leaves a missing table, which is made next time; the other way round it would be altered twice.
  for (const entry of pending.filter(({ text }) => isBuiltIn(text))) await note(entry, "built_in");
  const createdTables = await createMissing(sql, tables, options, signal);
  for (const entry of pending.filter(({ text }) => !isBuiltIn(text))) {
    await claim.assertHeld();
    await note(entry, await apply(sql, entry, options, signal));
  }
  const appliedMigrations = [...new Set(pending.map(({ name }) => name))];
  return { createdTables, appliedMigrations };
}

async function apply(
  sql: Sql,
  { name, statement, text }: Pending,
  { clock }: MigrateOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const target = targetTable(text);
  const added = addedColumn(text);
  try {
    // QuestDB refuses to add a column that is there, even with IF NOT EXISTS.
    if (target !== undefined && added !== undefined) {
      const present = await readColumns(sql, target, signal);
      if (present.get(added.name)?.type === added.type) return "found";
    }
    await sql.query(text, [], signal);
    if (target !== undefined) {
      await waitUntilApplied(sql, target, { clock, timeoutMs: APPLY_MS }, signal);
    }
    return "applied";
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof TickwatchError ? cause.code : "DB_SQL";
    const message = `statement ${statement} of migration ${name} failed: ${messageOf(cause)}`;
    throw new TickwatchError(code, message, { cause });
  }
}

async function createMissing(
  sql: Sql,
  tables: readonly ExpectedTable[],
  { ttlDaysByTable, clock }: MigrateOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const present = await readTableNames(sql, signal);
  const missing = tables.filter((table) => !present.has(table.name));
  for (const table of missing) {
    const ttlDays = ttlDaysByTable.get(table.name) ?? table.ttlDays;
    // IF NOT EXISTS in it makes this safe beside another process that is creating the same tables.
    await sql.query(table.createTableSql({ ttlDays }), [], signal);
  }
  const names = missing.map((table) => table.name);
  await waitUntilListed(sql, names, clock, signal);
  return names;
}

/**
 * Longer retention is applied, because it deletes nothing and because rows would be lost without it: intake already
 * accepts what is younger than the configured days. Shorter retention deletes rows at once, perhaps for a typo in the
 * configuration: it is left to a person, who gets the statement from findDrift().
 */
async function lengthenTtls(
  sql: Sql,
  tables: readonly ExpectedTable[],
  { ttlDaysByTable, clock }: MigrateOptions,
  signal: AbortSignal,
): Promise<MigrateReport["lengthenedTtls"]> {
  const names = tables.map((table) => table.name);
  const live = await readLiveTables(sql, names, signal);
  const lengthened: { table: string; fromDays: number; toDays: number }[] = [];
  for (const table of tables) {
    const found = live.get(table.name);
    const toDays = ttlDaysByTable.get(table.name) ?? table.ttlDays;
    if (found?.ttl === undefined || found.materializedView || !takesTtlInDays(found)) continue;
    const { least } = ttlDaysOf(found.ttl);
    if (least >= toDays) continue;
    await sql.query(`ALTER TABLE ${quotedName(table.name)} SET TTL ${toDays} DAYS`, [], signal);
    await waitUntilApplied(sql, table.name, { clock, timeoutMs: APPLY_MS }, signal);
    lengthened.push({ table: table.name, fromDays: least, toDays });
  }
  return lengthened;
}

function strangers(
  migrations: readonly Migration[],
  history: readonly HistoryEntry[],
): Pick<MigrateReport, "changedMigrations" | "unknownMigrations"> {
  const files = new Set(migrations.map(({ name }) => name));
  const checksums = new Map(allStatements(migrations).map((entry) => [idOf(entry), entry.checksum]));
  const changed = history.filter((e) => files.has(e.name) && checksums.get(idOf(e)) !== e.checksum);
  const unknown = history.filter((e) => !files.has(e.name));
  const names = (entries: readonly HistoryEntry[]) => [...new Set(entries.map(({ name }) => name))].sort();
  return { changedMigrations: names(changed), unknownMigrations: names(unknown) };
}

function logReport(report: MigrateReport, log: Log): void {
  const { createdTables, appliedMigrations, lengthenedTtls, changedMigrations, unknownMigrations } = report;
  if (createdTables.length > 0) log.info({ tables: createdTables }, "tables created");
  if (appliedMigrations.length > 0) log.info({ migrations: appliedMigrations }, "migrations applied");
  if (lengthenedTtls.length > 0) log.info({ tables: lengthenedTtls }, "retention lengthened");
  if (changedMigrations.length > 0) {
    log.warn({ migrations: changedMigrations }, "migrations were changed after they had been applied");
  }
  if (unknownMigrations.length > 0) {
    log.warn(
      { migrations: unknownMigrations },
      "a newer tickwatch has migrated these tables; use that version",
    );
  }
}

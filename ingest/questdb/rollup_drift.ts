// Compares the rollups as they are with their definitions, and names every difference with its remedy. Reads only. None
// of them loses rows: the tables are whole, only dashboards would show too little.
import type { RollupDefinition, RollupTtl } from "../../schema/define_rollup.ts";
import type { Drift } from "./drift.ts";
import { type LiveRollup, readLiveRollups } from "./live_rollups.ts";
import { type LiveTable, readLiveTables, ttlDaysOf } from "./live_schema.ts";
import type { Sql } from "./sql.ts";
import { quotedName } from "./sql_text.ts";

/** Every difference, rollups in the order of the schema. Empty when all is as it should be. */
export async function findRollupDrift(
  sql: Sql,
  rollups: readonly RollupDefinition[],
  signal?: AbortSignal,
): Promise<readonly Drift[]> {
  const names = rollups.map(({ name }) => name);
  const [tables, views] = [await readLiveTables(sql, names, signal), await readLiveRollups(sql, signal)];
  return rollups.flatMap((rollup) => driftOf(rollup, tables.get(rollup.name), views.get(rollup.name)));
}

/** What brings a rollup back that is not refreshed any more. */
export function refreshRemedy(name: string): string {
  return `REFRESH MATERIALIZED VIEW ${quotedName(name)} FULL (it is made anew from the rows that its table still has; to keep what is older, save it first: CREATE TABLE ${quotedName(`${name}_old`)} AS (SELECT * FROM ${quotedName(name)}))`;
}

function driftOf(
  rollup: RollupDefinition,
  table: LiveTable | undefined,
  view: LiveRollup | undefined,
): readonly Drift[] {
  const { name } = rollup;
  const common = { table: name, losesRows: false };
  if (table === undefined) {
    const remedy = "run `tickwatch migrate`";
    return [{ ...common, kind: "rollup_missing", expected: "a rollup", actual: "missing", remedy }];
  }
  if (view === undefined) {
    const remedy = `rename or drop the table ${name}, then run \`tickwatch migrate\``;
    return [{ ...common, kind: "not_a_rollup", expected: "a rollup", actual: "a table", remedy }];
  }
  const found: Drift[] = [];
  if (words(view.selectSql) !== words(rollup.selectSql)) {
    const remedy = `DROP MATERIALIZED VIEW ${quotedName(name)}; then run \`tickwatch migrate\` (it is made anew from the rows that its table still has)`;
    const [expected, actual] = [words(rollup.selectSql), words(view.selectSql)];
    found.push({ ...common, kind: "rollup_query", expected, actual, remedy });
  } else if (view.invalid) {
    const actual = `invalid: ${view.reason || "no reason given"}`;
    found.push({ ...common, kind: "rollup_invalid", expected: "valid", actual, remedy: refreshRemedy(name) });
  }
  if (view.refreshMinutes !== 1) {
    const actual = view.refreshMinutes === undefined ? "otherwise" : `every ${view.refreshMinutes} minutes`;
    const remedy = `ALTER MATERIALIZED VIEW ${quotedName(name)} SET REFRESH EVERY 1m`;
    found.push({ ...common, kind: "rollup_refresh", expected: "every minute", actual, remedy });
  }
  return [...found, ...ttlDrift(rollup, table)];
}

function ttlDrift({ name, ttl }: RollupDefinition, { ttl: live }: LiveTable): readonly Drift[] {
  // QuestDB tells 24 months as two years.
  const [wanted, span] = [ttlDaysOf(ttl), live && ttlDaysOf(live)];
  if (span !== undefined && span.least <= wanted.most && span.most >= wanted.least) return [];
  const actual = live === undefined ? "none" : `${live.value} × ${live.unit.toLowerCase()}`;
  const remedy = `ALTER MATERIALIZED VIEW ${quotedName(name)} SET TTL ${ttlText(ttl)}`;
  return [{ table: name, kind: "ttl", expected: ttlText(ttl), actual, losesRows: false, remedy }];
}

function ttlText({ value, unit }: RollupTtl): string {
  return `${value} ${unit}S`;
}

/** The text without differences of white space. */
function words(sql: string): string {
  return sql.replace(/\s+/g, " ").trim();
}

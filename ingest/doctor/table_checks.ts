// The tables in QuestDB: are they as the schema says, and does each apply what it takes. Reads only.
import type { RollupDefinition } from "../../schema/define_rollup.ts";
import {
  type Drift,
  describeDrift,
  type ExpectedTable,
  findDrift,
  type TtlDaysByTable,
} from "../questdb/drift.ts";
import { findRollupDrift } from "../questdb/rollup_drift.ts";
import type { Sql } from "../questdb/sql.ts";
import { readWalProgress, type WalProgress } from "../questdb/wal_progress.ts";
import { type Check, type Finding, failure, ok, warning } from "./check.ts";

export function tablesCheck(
  sql: Sql,
  tables: readonly ExpectedTable[],
  ttlDaysByTable: TtlDaysByTable,
): Check {
  return {
    name: "tables",
    run: async (signal) => driftFinding(await findDrift(sql, tables, ttlDaysByTable, signal), tables.length),
  };
}

/** Missing tables are made by `migrate` and by every start; other differences are for people. */
export function driftFinding(drift: readonly Drift[], tableCount: number): Finding {
  const isMissing = ({ kind }: Drift) => kind === "table_missing" || kind === "rollup_missing";
  const missing = drift.filter(isMissing);
  const others = drift.filter((difference) => !isMissing(difference));
  if (drift.length === 0) return ok(`all ${tableCount} are as the schema says`);
  const lines = [
    ...(missing.length === 0 ? [] : [`${missing.length} of ${tableCount} do not exist yet`]),
    ...others.map(describeDrift),
  ];
  const remedies = [
    ...(missing.length === 0 ? [] : ["run `tickwatch migrate`; `tickwatch start` does it too"]),
    ...others.map((difference) => difference.remedy),
  ];
  const losing = others.some((difference) => difference.losesRows);
  return (losing ? failure : warning)(lines.join("\n"), remedies.join("\n"));
}

/** Views that are missing, other than defined, or not refreshed any more. */
export function rollupsCheck(sql: Sql, rollups: readonly RollupDefinition[]): Check {
  return {
    name: "rollups",
    run: async (signal) => driftFinding(await findRollupDrift(sql, rollups, signal), rollups.length),
  };
}

export function suspendedCheck(sql: Sql, tables: readonly ExpectedTable[]): Check {
  const names = new Set(tables.map((table) => table.name));
  return {
    name: "suspended tables",
    async run(signal) {
      const progress = await readWalProgress(sql, signal);
      return suspendedFinding(new Map([...progress].filter(([name]) => names.has(name))));
    },
  };
}

/** A suspended table takes rows and shows none of them. */
export function suspendedFinding(progress: ReadonlyMap<string, WalProgress>): Finding {
  const suspended = [...progress].filter(([, { suspended: is }]) => is);
  const behind = [...progress].filter(([, p]) => p.sequencerTxn - p.writerTxn > BACKLOG_TXN_MAX);
  if (suspended.length > 0)
    return failure(
      suspended.map(([name, { reason }]) => `${name}: ${reason || "no reason given"}`).join("\n"),
      [
        "remove the cause (often a full disk or too few memory maps), then:",
        ...suspended.map(([name]) => `ALTER TABLE "${name}" RESUME WAL`),
      ].join("\n"),
    );
  if (behind.length > 0)
    return warning(
      behind
        .map(([name, p]) => `${name}: ${p.sequencerTxn - p.writerTxn} commits not yet applied`)
        .join("\n"),
      "wait and look again; if it grows, QuestDB needs more CPU or fewer, larger commits (writer.commitsPerSecond)",
    );
  return ok("none");
}

/** Commits that a healthy server has applied within seconds. */
const BACKLOG_TXN_MAX = 1_000;

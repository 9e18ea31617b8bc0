// `tickwatch alerts list`: the alerts that fire, from the table `alerts`; with `--all` also those that are over.
import { microsToIso } from "../../schema/timestamp_text.ts";
import { type AlertState, readNewestStates } from "../alerting/alert_states.ts";
import { dataFolders } from "../config/data_dir.ts";
import { findInstance } from "../doctor/instance_check.ts";
import { TickwatchError } from "../errors.ts";
import { createLog } from "../log.ts";
import { attachQuestdb } from "../questdb/local.ts";
import { openSql, type Sql } from "../questdb/sql.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export interface AlertsListFlags extends GlobalOptions {
  readonly all?: boolean;
  readonly json?: boolean;
  /** Alerts looked at, those that changed last first. */
  readonly limit: number;
}

const ATTACH_MS = 3_000;

export async function alertsList(io: CliIo, flags: AlertsListFlags): Promise<number> {
  return await withSql(io, flags, async (sql) => {
    const newest = await readNewestStates(sql, flags.limit);
    const shown = newest.filter(({ state }) => flags.all === true || state !== "resolved");
    if (flags.json) for (const state of shown) io.out(JSON.stringify(jsonOf(state)));
    else if (shown.length === 0) io.out(flags.all ? "no alerts" : "no alert fires");
    else for (const state of shown) io.out(textOf(state));
    return 0;
  });
}

/** On the QuestDB of the running service, or the one that the configuration names; none is started. */
async function withSql(io: CliIo, flags: GlobalOptions, use: (sql: Sql) => Promise<number>): Promise<number> {
  const { config } = configurationFor(io, flags);
  const { env, cwd, clock } = io;
  const { dataDir } = dataFolders(config.dataDir, cwd, false);
  const instance = await findInstance(dataDir);
  const { questdbDir } = dataFolders(config.dataDir, cwd, instance?.simulator !== undefined);
  const log = createLog({ level: "silent", format: "json" });
  const find = { questdb: config.questdb, root: questdbDir, env, clock, log, onProgress: () => undefined };
  const server = await attachQuestdb({ ...find, externalTimeoutMs: ATTACH_MS }, new AbortController().signal);
  if (server === undefined) {
    throw new TickwatchError("DB_UNAVAILABLE", "no QuestDB runs here: start tickwatch, or set QUESTDB_URL");
  }
  const sql = openSql(server.pg);
  try {
    return await use(sql);
  } finally {
    await sql.close();
    await server.stop();
  }
}

function textOf({ state, severity, rule, labels, ts, startedUs, fingerprint, summary }: AlertState): string {
  const since = microsToIso(startedUs ?? ts).replace(/\.\d+Z$/, "Z");
  const changed = microsToIso(ts).replace(/\.\d+Z$/, "Z");
  const when = state === "firing" ? `since ${since}` : `since ${since}, ${state} ${changed}`;
  const note = state === "acknowledged" && summary !== null ? ` (${summary})` : "";
  return `${fingerprint}  ${state}  ${severity ?? "none"}  ${rule}  ${whereText(labels)}  ${when}${note}`;
}

function whereText(labels: string | null): string {
  const parsed: unknown = labels === null ? {} : JSON.parse(labels);
  const entries = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  return entries.length === 0 ? "–" : entries.map(([name, value]) => `${name} ${String(value)}`).join(", ");
}

function jsonOf({ ts, startedUs, notifiedUs, ...state }: AlertState): object {
  const time = (micros: number | null) => (micros === null ? null : microsToIso(micros));
  return { ...state, changedAt: time(ts), startedAt: time(startedUs), notifiedAt: time(notifiedUs) };
}

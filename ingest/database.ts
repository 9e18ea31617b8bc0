// From "there may be a QuestDB" to "its tables are ready for rows": finds or starts the server, migrates, checks for
// drift. A configured server that is away at the start is waited for in the background; rows are spooled meanwhile.
import type { EventDefinition } from "../schema/define.ts";
import { EVENTS, findEvent } from "../schema/registry.ts";
import { ROLLUPS } from "../schema/rollups.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config/schema.ts";
import { createIlpHttp } from "./deliver/ilp_http.ts";
import { TickwatchError } from "./errors.ts";
import type { Log } from "./log.ts";
import { shippedPath } from "./package_root.ts";
import { type Database, ttlDaysOf } from "./pipeline.ts";
import { assertNoLosingDrift, describeDrift, findDrift } from "./questdb/drift.ts";
import { type FindOptions, findQuestdb, type RunningQuestdb } from "./questdb/local.ts";
import { migrate } from "./questdb/migrate.ts";
import { createMissingRollups } from "./questdb/rollup_create.ts";
import { findRollupDrift } from "./questdb/rollup_drift.ts";
import { openSql, type Sql } from "./questdb/sql.ts";
import { readTableIds } from "./questdb/table_ids.ts";
import { readWalProgress } from "./questdb/wal_progress.ts";

export interface ConnectOptions {
  readonly config: Pick<Config, "questdb" | "retention" | "writer">;
  readonly find: FindOptions;
  readonly clock: Clock;
  readonly log: Log;
}

/** A QuestDB whose tables are as the schema says. */
export interface ConnectedDatabase extends Database {
  readonly server: RunningQuestdb;
  readonly sql: Sql;
  /** Closes the connections; the server goes on. */
  close(): Promise<void>;
}

/** Days by table, for every table. */
export function ttlDaysByTable(retention: Config["retention"]): ReadonlyMap<string, number> {
  return new Map(EVENTS.map((event) => [event.name, ttlDaysOf(event, retention)]));
}

/**
 * Connects and migrates. Throws SCHEMA_DRIFT when differences would lose rows, DB_UNAVAILABLE when a configured server
 * does not answer, ENVIRONMENT when none can be started.
 */
export async function connectDatabase(
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<ConnectedDatabase> {
  const server = await findQuestdb(options.find, signal);
  const sql = openSql(server.pg);
  try {
    await prepareTables(sql, options, signal);
  } catch (error) {
    await sql.close();
    await server.stop();
    throw error;
  }
  const sender = createIlpHttp({
    url: server.http,
    authorization: server.httpAuthorization,
    // One more, for the second of two requests of a table that go at once.
    connections: options.config.writer.connections + 1,
    timeoutMs: options.config.writer.requestTimeoutMs,
  });
  return {
    server,
    sql,
    sender,
    tableProblem: (table) => tableProblem(sql, findEvent(table), options.config.retention),
    readProgress: (abort) => readWalProgress(sql, abort),
    readTableIds: (abort) => readTableIds(sql, abort),
    async close() {
      await sender.close();
      await sql.close();
    },
  };
}

async function prepareTables(
  sql: Sql,
  { config, clock, log }: ConnectOptions,
  signal: AbortSignal,
): Promise<void> {
  const ttl = ttlDaysByTable(config.retention);
  const migrationsDir = shippedPath("schema", "migrations");
  await migrate(sql, EVENTS, { ttlDaysByTable: ttl, migrationsDir, log, clock }, signal);
  const drift = await findDrift(sql, EVENTS, ttl, signal);
  assertNoLosingDrift(drift);
  await createMissingRollups(sql, ROLLUPS, { clock, log }, signal);
  for (const difference of [...drift, ...(await findRollupDrift(sql, ROLLUPS, signal))]) {
    log.warn(
      { difference: describeDrift(difference), remedy: difference.remedy },
      "a table differs from the schema",
    );
  }
}

/** What keeps a table from taking rows, in words; undefined when it is as it should be. */
async function tableProblem(
  sql: Sql,
  event: EventDefinition | undefined,
  retention: Config["retention"],
): Promise<string | undefined> {
  if (event === undefined) return "the schema knows no such table";
  const drift = await findDrift(sql, [event], ttlDaysByTable(retention));
  const losing = drift.filter((difference) => difference.losesRows);
  if (losing.length === 0) return undefined;
  return losing.map((difference) => `${describeDrift(difference)} (${difference.remedy})`).join("; ");
}

/** Waits between attempts to reach a configured server that was away at the start. */
const RETRY_MS = 5_000;

/**
 * Tries until it succeeds or the signal aborts. Each new kind of failure is logged once, `logged` being the code of one
 * that was already; drift is waited for as well, because a person may mend it while the rows are safe in the spool.
 */
export async function connectEventually(
  options: ConnectOptions,
  logged: string,
  signal: AbortSignal,
): Promise<ConnectedDatabase | undefined> {
  let last = logged;
  while (!signal.aborted) {
    try {
      return await connectDatabase(options, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      const code = error instanceof TickwatchError ? error.code : "DB_UNAVAILABLE";
      if (code !== last) options.log.warn({ err: error }, "QuestDB is not ready; rows wait in the spool");
      last = code;
      await options.clock.sleep(RETRY_MS, signal);
    }
  }
  return undefined;
}

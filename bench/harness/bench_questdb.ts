// The QuestDB of a benchmark: the one of QUESTDB_URL, or one of our own in a temporary folder, found and tuned as `tickwatch
// start` does. Asks it how many rows queries see: no figure is reported before all of them are there.
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { freePort } from "../../ingest/questdb/free_port.ts";
import { findQuestdb, type QuestdbChoice, type RunningQuestdb } from "../../ingest/questdb/local.ts";
import type { Env } from "../../ingest/questdb/run_command.ts";
import { openSql, type Sql } from "../../ingest/questdb/sql.ts";
import { QUESTDB_VERSION } from "../../ingest/questdb/version.ts";
import type { EventDefinition } from "../../schema/define.ts";
import { endWithUs, temporaryFolder } from "./leftovers.ts";
import type { ServerAddress } from "./server_address.ts";

export interface BenchQuestdb {
  readonly version: string;
  /** For the processes that are measured. */
  readonly address: ServerAddress;
  /** Undefined for a server that is not a process of this machine. */
  readonly pid: number | undefined;
  /** Only a server of our own can be stopped. */
  readonly isOurs: boolean;
  readonly sql: Sql;
  /** Stops the server; its data and its address stay for `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Creates the table when it is missing, and makes it empty. */
  emptyTable(event: EventDefinition): Promise<void>;
  /** Rows that queries see; 0 when there is no such table. */
  count(table: string): Promise<number>;
  /**
   * Resolves with the wall clock (µs) at which queries see `rows` rows of the table. Throws when that takes longer than
   * `timeoutMs`, or when there are more.
   */
  allQueryable(table: string, rows: number, timeoutMs: number): Promise<number>;
  close(): Promise<void>;
}

const COUNT_EVERY_MS = 5;
const clock = systemClock();

export async function openBenchQuestdb(
  env: Env,
  onProgress: (message: string) => void,
  signal: AbortSignal,
): Promise<BenchQuestdb> {
  const folder = await temporaryFolder("questdb");
  const choice = await choiceOf(env);
  const log = createLog({ level: "error", format: "text" });
  const find = () => findQuestdb({ questdb: choice, root: folder.path, env, clock, log, onProgress }, signal);
  let server: RunningQuestdb;
  try {
    server = await find();
  } catch (error) {
    await folder.remove();
    throw error;
  }
  let callOff = guarded(server);
  const sql = openSql(server.pg);

  async function count(table: string): Promise<number> {
    const known = await sql.query("SELECT table_name FROM tables() WHERE table_name = $1", [table]);
    if (known.length === 0) return 0;
    const [row] = await sql.query<{ n: number }>(`SELECT count() AS n FROM "${table}"`);
    return Number(row?.n ?? 0);
  }

  async function stop(): Promise<void> {
    await server.stop();
    callOff();
    callOff = () => undefined;
  }

  return {
    version: server.version,
    address: { http: server.http, pg: server.pg, httpAuthorization: server.httpAuthorization ?? null },
    get pid() {
      return server.pid;
    },
    isOurs: server.started,
    ...{ sql, count, stop },
    async start() {
      server = await find();
      callOff = guarded(server);
    },
    async emptyTable(event) {
      await sql.query(event.createTableSql());
      if ((await count(event.name)) === 0) return;
      await sql.query(`TRUNCATE TABLE "${event.name}"`);
      await until(`${event.name} to be empty`, async () => (await count(event.name)) === 0, 30_000);
    },
    async allQueryable(table, rows, timeoutMs) {
      let seen = -1;
      await until(
        () => `${rows} rows of ${table} to be queryable (queries see ${seen})`,
        async () => {
          seen = await count(table);
          if (seen > rows)
            throw new Error(`queries see ${seen} rows of ${table}, and only ${rows} were written`);
          return seen === rows;
        },
        timeoutMs,
      );
      return clock.nowUs();
    },
    async close() {
      await sql.close();
      await stop();
      await folder.remove();
    },
  };
}

/** Asks again and again, at short intervals; throws when the answer is not yes in time. */
export async function until(
  what: string | (() => string),
  isSo: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (!(await isSo())) {
    if (clock.monotonicMs() > deadlineMs) {
      throw new Error(`waited ${timeoutMs / 1000} s in vain for ${typeof what === "string" ? what : what()}`);
    }
    await clock.sleep(COUNT_EVERY_MS);
  }
}

/** The same ports at every start, so that the measured process finds the server again. */
async function choiceOf(env: Env): Promise<QuestdbChoice> {
  const start = env["TICKWATCH_QUESTDB_START"];
  const httpPort = await freePort(0, new Set());
  const base: QuestdbChoice = {
    start: start === "docker" || start === "java" ? start : "auto",
    version: env["TICKWATCH_QUESTDB_VERSION"] || QUESTDB_VERSION,
    httpPort,
    pgPort: await freePort(0, new Set([httpPort])),
  };
  if (!env["QUESTDB_URL"]) return base;
  const { QUESTDB_USER: user, QUESTDB_PASSWORD: password, TICKWATCH_QUESTDB_PG_PORT: pgPort } = env;
  return { ...base, url: env["QUESTDB_URL"], user, password, pgPort: Number(pgPort || 8812) };
}

function guarded(server: RunningQuestdb): () => void {
  return server.started && server.pid !== undefined ? endWithUs(server.pid) : () => undefined;
}

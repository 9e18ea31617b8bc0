// SQL over PGWire, for tables, checks and queries; rows are never written this way. A small pool that finds the server
// again after a restart. Knows nothing of tickwatch's tables.
import pg from "pg";
import type * as z from "zod";
import { messageOf, TickwatchError } from "../errors.ts";
import type { PgAddress } from "./running.ts";
import { SQL_TYPES, type SqlRow } from "./sql_values.ts";

export interface SqlOptions extends PgAddress {
  /** Connections at most; QuestDB has 64 for everybody. */
  readonly connectionsMax?: number;
  /** Longest time for one statement, waiting for a connection included. */
  readonly timeoutMs?: number;
}

type SqlParameter = string | number | bigint | boolean | null;

/**
 * Errors of both calls: DB_UNAVAILABLE when the server cannot be reached, goes away or is too slow; CONFIG_INVALID when
 * it refuses the login; DB_SQL when it refuses the statement. Abort rejects with the signal's reason and cuts the
 * connection, by which QuestDB ends the statement. Nothing is tried twice: a statement may have taken effect although
 * its answer was lost.
 */
export interface Sql {
  /** All rows of one statement, `$1` … from `params`. `T` is believed, not checked; values are those of sql_values.ts. */
  query<T extends SqlRow = SqlRow>(
    text: string,
    params?: readonly SqlParameter[],
    signal?: AbortSignal,
  ): Promise<readonly T[]>;
  /** The same, each row checked by `schema`; DB_SQL when a row does not fit. */
  select<S extends z.ZodType>(
    schema: S,
    text: string,
    params?: readonly SqlParameter[],
    signal?: AbortSignal,
  ): Promise<readonly z.output<S>[]>;
  /** Waits for statements under way, then closes all connections. Safe to call twice. */
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 3;
const TIMEOUT_MS = 30_000;
const CONNECT_MS = 5_000;
const IDLE_MS = 30_000;

/** Opens nothing yet: the first statement connects. */
export function openSql(options: SqlOptions): Sql {
  const { host, port, database, user, password } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const pool = new pg.Pool({
    ...{ host, port, database, user, password },
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    connectionTimeoutMillis: Math.min(CONNECT_MS, timeoutMs),
    idleTimeoutMillis: IDLE_MS,
    types: SQL_TYPES,
  });
  // An idle connection whose server went away: the pool drops it, the next statement opens another.
  pool.on("error", () => undefined);
  let closed: Promise<void> | undefined;

  async function query<T extends SqlRow = SqlRow>(
    text: string,
    params: readonly SqlParameter[] = [],
    signal?: AbortSignal,
  ): Promise<readonly T[]> {
    signal?.throwIfAborted();
    // One controller per statement, and listeners taken off again: callers pass signals that live as long as the service.
    const cut = new AbortController();
    let timedOut = false;
    const onAbort = () => cut.abort();
    const timer = setTimeout(() => {
      timedOut = true;
      cut.abort();
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const client = await connection(pool, cut.signal);
      return await execute<T>(client, text, params, cut.signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (timedOut) throw slow(text, timeoutMs, error);
      throw error instanceof LoginError ? loginRefused(options, error) : failed(options, text, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  return {
    query,
    async select(schema, text, params, signal) {
      const rows = await query(text, params, signal);
      return rows.map((row) => {
        const parsed = schema.safeParse(row);
        if (parsed.success) return parsed.data;
        const message = `an unexpected row of ${shortened(text)}: ${parsed.error.message}`;
        throw new TickwatchError("DB_SQL", message, { cause: parsed.error });
      });
    },
    close() {
      closed ??= pool.end();
      return closed;
    },
  };
}

/** The server answered the login with an error: it will not get better by trying again. */
class LoginError extends Error {}

async function connection(pool: pg.Pool, cut: AbortSignal): Promise<pg.PoolClient> {
  const connecting = pool.connect();
  try {
    return await Promise.race([connecting, rejectOn(cut)]);
  } catch (error) {
    // A connection that comes too late goes back to the pool.
    void connecting.then(
      (client) => client.release(),
      () => undefined,
    );
    if (error instanceof pg.DatabaseError) throw new LoginError(error.message, { cause: error });
    throw error;
  }
}

async function execute<T extends SqlRow>(
  client: pg.PoolClient,
  text: string,
  params: readonly SqlParameter[],
  cut: AbortSignal,
): Promise<readonly T[]> {
  let released = false;
  const release = (destroy: boolean) => {
    if (!released) client.release(destroy);
    released = true;
  };
  const onCut = () => release(true);
  const ignore = () => undefined;
  // A connection that breaks also emits an error, besides rejecting the statement.
  client.on("error", ignore);
  cut.addEventListener("abort", onCut, { once: true });
  try {
    cut.throwIfAborted();
    const result = await client.query<T>({ text, values: [...params] });
    client.off("error", ignore);
    release(false);
    return result.rows;
  } catch (error) {
    // After a refused statement the connection is as good as before.
    const sound = error instanceof pg.DatabaseError;
    if (sound) client.off("error", ignore);
    release(!sound);
    throw error;
  } finally {
    cut.removeEventListener("abort", onCut);
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function failed({ host, port }: SqlOptions, text: string, cause: unknown): TickwatchError {
  if (cause instanceof pg.DatabaseError) {
    return new TickwatchError("DB_SQL", `QuestDB refused ${shortened(text)}: ${cause.message}`, { cause });
  }
  const message = `QuestDB cannot be reached over PGWire at ${host}:${port}: ${messageOf(cause)}`;
  return new TickwatchError("DB_UNAVAILABLE", message, { cause });
}

function loginRefused({ host, port, user }: SqlOptions, cause: LoginError): TickwatchError {
  const message = `QuestDB at ${host}:${port} refuses the PGWire user ${user} (${cause.message}): correct questdb.user and questdb.password`;
  return new TickwatchError("CONFIG_INVALID", message, { cause });
}

function slow(text: string, timeoutMs: number, cause: unknown): TickwatchError {
  const message = `QuestDB took longer than ${timeoutMs} ms for ${shortened(text)}`;
  return new TickwatchError("DB_UNAVAILABLE", message, { cause });
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 120 ? `"${line.slice(0, 117)}…"` : `"${line}"`;
}

// When a server of ours counts as started: it answers over HTTP, suits, and knows the passwords of its data folder.
// Knows nothing of who started it.
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { loadCredentials, type PgCredentials } from "./credentials.ts";
import type { Engine } from "./engine.ts";
import { readFacts, waitUntilReady } from "./http_probe.ts";
import { checkLogin } from "./pg_probe.ts";
import type { PgAddress } from "./running.ts";
import type { ServerProcess } from "./server_process.ts";
import type { ServerPorts } from "./server_state.ts";

/** Servers of ours listen here and nowhere else. */
export const HOST = "127.0.0.1";

const READY_MS = 90_000;
const ANSWER_MS = 15_000;
const LOGIN_MS = 3_000;
const POLL_MS = 100;

export interface ReadinessOptions {
  readonly root: string;
  readonly clock: Clock;
}

/** Waits for a server that was just launched. Throws ENVIRONMENT with the end of its log when it ends or stays silent. */
export async function waitUntilUsable(
  engine: Engine,
  process: ServerProcess,
  ports: ServerPorts,
  options: ReadinessOptions,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  void process.ended().then(() => gone.abort());
  const limits = { clock: options.clock, timeoutMs: READY_MS, giveUp: gone.signal };
  const readiness = await waitUntilReady({ url: httpUrl(ports) }, limits, signal);
  if (readiness.is === "ready") return await answersAsOurs(ports, options, signal);
  const what =
    readiness.is === "late"
      ? `QuestDB did not answer within ${READY_MS / 1000} s (${readiness.reason}).`
      : "QuestDB ended while it was starting.";
  const tail = await engine.logTail();
  throw new TickwatchError("ENVIRONMENT", tail === "" ? what : `${what} ${tail}`);
}

/**
 * The server on these ports is a suitable QuestDB, and the one of this data folder: only that one knows the passwords.
 * Waits a little, for a server that an earlier run had only just started. Rejects with the reason.
 */
export async function answersAsOurs(
  ports: ServerPorts,
  options: ReadinessOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, root } = options;
  const address = { url: httpUrl(ports) };
  const readiness = await waitUntilReady(address, { clock, timeoutMs: ANSWER_MS }, signal);
  if (readiness.is === "late") throw new TickwatchError("DB_UNAVAILABLE", readiness.reason);
  await readFacts(address, signal);
  const login = pgAddress(ports, await loadCredentials(root));
  const untilMs = clock.monotonicMs() + LOGIN_MS;
  for (;;) {
    try {
      return await checkLogin(login, signal);
    } catch (error) {
      signal.throwIfAborted();
      // PGWire begins to listen a moment after HTTP.
      if (clock.monotonicMs() > untilMs) throw error;
      await clock.sleep(POLL_MS, signal);
    }
  }
}

export function httpUrl(ports: ServerPorts): string {
  return `http://${HOST}:${ports.http}`;
}

export function pgAddress(ports: ServerPorts, credentials: PgCredentials): PgAddress {
  const { user, password } = credentials;
  return { host: HOST, port: ports.pg, database: "qdb", user, password };
}

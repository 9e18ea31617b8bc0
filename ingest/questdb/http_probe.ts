// Asks a QuestDB over HTTP whether it answers and what it is. Knows nothing of how the server was started.
import { Client } from "undici";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import { compareVersions, QUESTDB_VERSION_MIN } from "./version.ts";

/** Where a server's HTTP is. `authorization` is the value of the header, for a server that wants one. */
export interface HttpAddress {
  readonly url: string;
  readonly authorization?: string;
}

/** What `/settings` tells about a server. */
export interface ServerFacts {
  readonly version: string;
}

const PROBE_MS = 2_000;
const POLL_MS = 50;

const Settings = z.object({
  config: z.object({
    "release.version": z.string(),
    "line.proto.support.versions": z.array(z.number()).optional(),
  }),
});

/** Resolves when `/ping` is answered with success; rejects with the reason when not, within two seconds. */
async function ping(address: HttpAddress, signal: AbortSignal): Promise<void> {
  const { status } = await get(address, "/ping", signal);
  if (status >= 300) throw new Error(`${address.url}/ping answered ${status}`);
}

/**
 * Reads `/settings` and checks that the server is one tickwatch can write to: QuestDB, not too old, line protocol v2.
 * Throws ENVIRONMENT with what to do when it is not, DB_UNAVAILABLE when it does not answer any more.
 */
export async function readFacts(address: HttpAddress, signal: AbortSignal): Promise<ServerFacts> {
  const { status, body } = await get(address, "/settings", signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw wentAway(address, messageOf(cause), cause);
  });
  if (status >= 500) throw wentAway(address, `its /settings answered ${status}`);
  const parsed = Settings.safeParse(jsonOf(body));
  if (!parsed.success) {
    const message = `${address.url} is no QuestDB: its /settings answered ${status} without a version`;
    throw new TickwatchError("ENVIRONMENT", message);
  }
  const { "release.version": version, "line.proto.support.versions": protocols } = parsed.data.config;
  if (compareVersions(version, QUESTDB_VERSION_MIN) < 0 || !protocols?.includes(2)) {
    const message = `${address.url} is QuestDB ${version}: tickwatch needs ${QUESTDB_VERSION_MIN} or newer; upgrade it, or let tickwatch start its own`;
    throw new TickwatchError("ENVIRONMENT", message);
  }
  return { version };
}

/** It has just answered /ping: whoever waits for a server waits on. */
function wentAway({ url }: HttpAddress, why: string, cause?: unknown): TickwatchError {
  return new TickwatchError("DB_UNAVAILABLE", `${url} answered, and then no more: ${why}`, { cause });
}

/** `ready`: the server answers. `late`: it did not within the time; `reason` is the last answer. `given up`: `giveUp` fired. */
export type Readiness =
  | { readonly is: "ready" }
  | { readonly is: "late"; readonly reason: string }
  | { readonly is: "given up" };

/** Asks until the server answers. `giveUp` ends the wait early (the server's process ended); `signal` rejects. */
export async function waitUntilReady(
  address: HttpAddress,
  limits: { readonly clock: Clock; readonly timeoutMs: number; readonly giveUp?: AbortSignal },
  signal: AbortSignal,
): Promise<Readiness> {
  const { clock, timeoutMs, giveUp } = limits;
  const untilMs = clock.monotonicMs() + timeoutMs;
  let reason = "no attempt was made";
  while (!giveUp?.aborted) {
    try {
      await ping(address, signal);
      return { is: "ready" };
    } catch (error) {
      signal.throwIfAborted();
      reason = messageOf(error);
    }
    if (clock.monotonicMs() >= untilMs) return { is: "late", reason };
    await clock.sleep(POLL_MS, signal);
  }
  return { is: "given up" };
}

/** One GET on a connection of its own, so that nothing stays open afterwards. */
async function get(
  address: HttpAddress,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  const client = new Client(new URL(address.url).origin);
  try {
    const headers = address.authorization === undefined ? {} : { authorization: address.authorization };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
    const response = await client.request({ method: "GET", path, headers, signal: limited });
    return { status: response.statusCode, body: await response.body.text() };
  } finally {
    await client.destroy();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// A QuestDB that somebody else runs: checks that it answers and suits, and starts, restarts and stops nothing.
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { type HttpAddress, readFacts, waitUntilReady } from "./http_probe.ts";
import type { QuestdbChoice, RunningQuestdb } from "./running.ts";

/** The login every QuestDB is shipped with, tried when none is configured; its use is reported. */
const SHIPPED = { user: "admin", password: "quest" };

/**
 * The server behind `url` (which may carry user and password of HTTP). Throws DB_UNAVAILABLE when it does not answer in
 * time, ENVIRONMENT when it is too old or no QuestDB, CONFIG_INVALID for an address that is none.
 */
export async function useExternal(
  url: string,
  choice: QuestdbChoice,
  limits: { readonly clock: Clock; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<RunningQuestdb> {
  const address = addressOf(url, choice);
  const readiness = await waitUntilReady(address, limits, signal);
  if (readiness.is !== "ready") {
    const reason = readiness.is === "late" ? `: ${readiness.reason}` : "";
    const message = `no QuestDB answers at ${address.url}${reason}; start it, or correct QUESTDB_URL`;
    throw new TickwatchError("DB_UNAVAILABLE", message);
  }
  const { version } = await readFacts(address, signal);
  const shipped = choice.user === undefined && choice.password === undefined;
  const note =
    "no PGWire user is configured: trying the one QuestDB is shipped with; give the server its own password";
  return {
    kind: "external",
    started: false,
    http: address.url,
    httpAuthorization: address.authorization,
    metricsUrl: undefined,
    pg: {
      host: choice.pgHost ?? new URL(address.url).hostname.replace(/^\[|\]$/g, ""),
      port: choice.pgPort,
      database: "qdb",
      user: choice.user ?? SHIPPED.user,
      password: choice.password ?? SHIPPED.password,
    },
    pgReadonly: undefined,
    credentialsFile: undefined,
    version,
    pid: undefined,
    notes: shipped ? [note] : [],
    onRestart: () => () => undefined,
    stop: async () => undefined,
  };
}

/** Address and header of an external server. The address never contains the password: it is logged and shown. */
export function addressOf(
  url: string,
  choice: Pick<QuestdbChoice, "httpUser" | "httpPassword">,
): HttpAddress {
  if (!URL.canParse(url)) {
    const message = `QUESTDB_URL is no address: write it like http://127.0.0.1:9000`;
    throw new TickwatchError("CONFIG_INVALID", message);
  }
  const parsed = new URL(url);
  const user = choice.httpUser ?? decodeURIComponent(parsed.username);
  const password = choice.httpPassword ?? decodeURIComponent(parsed.password);
  if (user === "") return { url: parsed.origin };
  const encoded = Buffer.from(`${user}:${password}`).toString("base64");
  return { url: parsed.origin, authorization: `Basic ${encoded}` };
}

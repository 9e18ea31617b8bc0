// One login over PGWire, to see whether it works. The only other user of the driver is sql.ts.
import pg from "pg";
import type { PgAddress } from "./running.ts";

const PROBE_MS = 5_000;

/** Resolves when the login works and the server computes; rejects with the reason, within five seconds or on abort. */
export async function checkLogin(address: PgAddress, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const client = new pg.Client({
    ...address,
    connectionTimeoutMillis: PROBE_MS,
    query_timeout: PROBE_MS,
  });
  // Errors of a socket that breaks between two calls; the call that follows reports it.
  client.on("error", () => undefined);
  const cut = () => void client.end().catch(() => undefined);
  signal.addEventListener("abort", cut, { once: true });
  try {
    await client.connect();
    await client.query("SELECT 1");
  } finally {
    signal.removeEventListener("abort", cut);
    await client.end().catch(() => undefined);
  }
  signal.throwIfAborted();
}

// Ends the WebSockets of an exchange object for good, in a short time and whatever state they are in.
import type { Clock } from "../../clock.ts";
import { type CcxtExchange, isConnectedClient, isRecord } from "./ccxt_exchange.ts";

/** For the closing handshakes; then the sockets are cut. */
const CLOSE_MS = 300;

/** Never rejects. Nothing of the exchange object's streams is left open or dials later. */
export async function closeExchange(ccxt: CcxtExchange, clock: Clock): Promise<void> {
  const all: unknown = Reflect.get(ccxt, "clients");
  const clients: unknown[] = isRecord(all) ? Object.values(all) : [];
  // A client that waits for its backoff can't be called off and dials when that is over: it then finds the door shut.
  for (const client of clients) {
    if (isRecord(client)) Reflect.set(client, "onConnectionOpen", () => terminate(client));
  }
  const enough = new AbortController();
  const closed = ccxt.close().then(
    () => enough.abort(),
    () => enough.abort(),
  );
  await Promise.race([closed, clock.sleep(CLOSE_MS, enough.signal)]);
  for (const client of clients) terminate(client);
}

function terminate(client: unknown): void {
  if (isConnectedClient(client)) client.connection.terminate();
}

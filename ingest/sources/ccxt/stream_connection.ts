// The WebSockets of one exchange object, seen through CCXT's hooks: keeps the state of the stream's channel, counts
// messages, pings, and can end a connection so that CCXT dials again. All sockets of our exchange objects carry the one
// stream, so they share its channel: connected as long as one is open.
import type { Clock } from "../../clock.ts";
import { type CcxtClient, type CcxtExchange, isConnectedClient } from "./ccxt_exchange.ts";
import { classifyError } from "./classify_error.ts";
import type { Channel } from "./connection_state.ts";

export interface StreamConnectionOptions {
  readonly ccxt: CcxtExchange;
  readonly channel: Channel;
  readonly clock: Clock;
  /** Something broke off; the exchange may be away altogether. */
  readonly onLost: () => void;
  readonly signal: AbortSignal;
}

export class StreamConnection {
  readonly #options: StreamConnectionOptions;
  /** Open sockets by CCXT's client object. */
  readonly #open = new Map<unknown, CcxtClient>();
  /** Clients whose socket we end ourselves: why, or null when it is to be renewed and is no outage. */
  readonly #ending = new Map<unknown, string | null>();
  /** Clients that have answered a ping: from then on a missing answer means something. */
  readonly #answering = new Set<unknown>();
  #openings = 0;
  #openedMs: number | undefined;

  /** Installs the hooks; CCXT binds them when it dials for the first time. */
  constructor(options: StreamConnectionOptions) {
    this.#options = options;
    const { ccxt, channel, signal } = options;
    const { onConnected, onError, onClose, handleMessage } = ccxt;
    ccxt.onConnected = (client, message) => {
      onConnected.call(ccxt, client, message);
      if (!signal.aborted) this.#opened(client);
    };
    ccxt.onError = (client, error) => {
      onError.call(ccxt, client, error);
      if (!signal.aborted) this.#lost(client, classifyError(error).reason, undefined);
    };
    ccxt.onClose = (client, event) => {
      onClose.call(ccxt, client, event);
      const code = closeCodeOf(event);
      if (!signal.aborted) this.#lost(client, closedBecause(code), code);
    };
    ccxt.handleMessage = (client, message) => {
      if (!signal.aborted) channel.countMessage();
      handleMessage.call(ccxt, client, message);
    };
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Monotonic; when the youngest open connection was made. */
  get openedMs(): number | undefined {
    return this.#openedMs;
  }

  /** Milliseconds from ping to pong; undefined when there is no connection, or no pong in time. */
  async ping(timeoutMs: number): Promise<number | undefined> {
    const [first] = this.#open;
    if (first === undefined) return undefined;
    const [client, { connection }] = first;
    const { clock } = this.#options;
    const sentMs = clock.monotonicMs();
    const answered = await this.#pongWithin(connection, timeoutMs);
    if (!answered) return undefined;
    this.#answering.add(client);
    return clock.monotonicMs() - sentMs;
  }

  /** Pings, and ends a connection that answered pings before and now is silent in every way. */
  async pingOrEnd(timeoutMs: number): Promise<number | undefined> {
    const [first] = this.#open;
    const messagesBefore = this.#options.channel.messages;
    const latencyMs = await this.ping(timeoutMs);
    const silent = latencyMs === undefined && this.#options.channel.messages === messagesBefore;
    if (silent && first && this.#answering.has(first[0])) this.endDead(timeoutMs);
    return latencyMs;
  }

  /** Cuts every connection as dead; the channel becomes disconnected and CCXT dials again. */
  endDead(silentMs: number): void {
    for (const [client, { connection }] of this.#open) {
      this.#ending.set(client, `no answer to a ping in ${silentMs} ms`);
      connection.terminate();
    }
  }

  /** Closes every connection so that CCXT dials and subscribes anew; no outage unless that fails. */
  renew(): void {
    for (const [client, { connection }] of this.#open) {
      this.#ending.set(client, null);
      connection.close();
    }
  }

  #opened(client: unknown): void {
    if (!isConnectedClient(client)) return;
    const { channel, clock } = this.#options;
    this.#open.set(client, client);
    this.#openedMs = clock.monotonicMs();
    this.#openings += 1;
    // A renewed connection stays degraded until it delivers; otherwise the change of state counts the reconnection.
    if (channel.state === "degraded" && this.#openings > 1) channel.countReconnect();
    else channel.set("connected");
  }

  /** CCXT reports an error and then a close for the same client. */
  #lost(client: unknown, reason: string, closeCode: number | undefined): void {
    const { channel, onLost } = this.#options;
    const wasOpen = this.#open.delete(client);
    this.#answering.delete(client);
    const ended = this.#ending.get(client);
    this.#ending.delete(client);
    if (this.#open.size > 0 || ended === null) return;
    if (!wasOpen && closeCode !== undefined) return;
    const cause = { reason: ended ?? reason, ...(closeCode === undefined ? {} : { closeCode }) };
    channel.set("disconnected", cause);
    onLost();
  }

  async #pongWithin(connection: CcxtClient["connection"], timeoutMs: number): Promise<boolean> {
    const { clock, signal } = this.#options;
    const giveUp = new AbortController();
    const abort = () => giveUp.abort();
    let answered = false;
    const onPong = () => {
      answered = true;
      abort();
    };
    signal.addEventListener("abort", abort, { once: true });
    connection.once("pong", onPong);
    try {
      connection.ping();
      await clock.sleep(timeoutMs, giveUp.signal);
    } catch {
      // The socket is closing: its close event says the rest.
    } finally {
      connection.removeListener("pong", onPong);
      signal.removeEventListener("abort", abort);
    }
    return answered;
  }
}

/** RFC 6455, 7.4.1; 1006 never travels: it stands for a connection that ended without a word. */
const CLOSE_MEANING: Readonly<Record<number, string>> = {
  1000: "normal end",
  1001: "the server goes away",
  1006: "cut without a closing handshake",
  1008: "against the server's policy",
  1011: "the server failed",
  1012: "the server restarts",
  1013: "the server is overloaded",
};

function closedBecause(code: number | undefined): string {
  if (code === undefined) return "closed";
  const meaning = CLOSE_MEANING[code];
  return meaning === undefined ? `closed with code ${code}` : `closed with code ${code}: ${meaning}`;
}

/** A CloseEvent's fields are getters of its class, not its own. */
function closeCodeOf(event: unknown): number | undefined {
  const code: unknown = typeof event === "object" && event !== null ? Reflect.get(event, "code") : undefined;
  return typeof code === "number" ? code : undefined;
}

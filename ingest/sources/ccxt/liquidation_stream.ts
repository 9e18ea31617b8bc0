// Public liquidations over WebSocket: keeps CCXT's watch methods going (each call dials or subscribes where needed, with
// CCXT's own backoff), turns what arrives into rows, and looks after a stream that has gone quiet.
//
// Quiet is not dead: nobody may have been liquidated. After `staleAfterMs` without a liquidation the connection is
// pinged. No pong: it is cut and dialled again (disconnected). A pong: the channel is degraded, with the reason, until
// the next liquidation, and the subscription is renewed by a new connection; then again after twice the time, four
// times, at most eight times, so that a quiet market costs little.
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Metrics } from "../../metrics/record.ts";
import type { StreamMethod } from "./capabilities.ts";
import { type CcxtExchange, isRecord } from "./ccxt_exchange.ts";
import { classifyError, type Failure } from "./classify_error.ts";
import type { Channel } from "./connection_state.ts";
import type { Lane } from "./lane.ts";
import { installLiquidationSink } from "./liquidation_sink.ts";
import { orAbort } from "./or_abort.ts";
import { liquidationRow, type Market } from "./rows.ts";
import type { StreamConnection } from "./stream_connection.ts";
import { quirksOf } from "./venue_quirks.ts";

export interface LiquidationStreamOptions {
  readonly ccxt: CcxtExchange;
  readonly method: StreamMethod;
  readonly markets: readonly Market[];
  readonly connection: StreamConnection;
  readonly channel: Channel;
  readonly lane: Lane<"liquidations">;
  readonly staleAfterMs: number;
  /** For a pong. */
  readonly pingTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

const RENEWAL_FACTOR_MAX = 8;
/** How long one unusable message keeps the channel degraded, so that good and bad ones in turn are no flood of changes. */
const MALFORMED_MEMORY_MS = 30_000;
/** Pause after a watch call that failed without dialling; CCXT paces the dials itself. */
const REFUSED_FIRST_MS = 1_000;
const REFUSED_MAX_MS = 30_000;
const REDIAL_MS = 100;

export class LiquidationStream {
  readonly #options: LiquidationStreamOptions;
  readonly #markets: ReadonlyMap<unknown, Market>;
  #deliveredMs = 0;
  #malformedMs = Number.NEGATIVE_INFINITY;
  #renewals = 0;

  constructor(options: LiquidationStreamOptions) {
    this.#options = options;
    this.#markets = new Map(options.markets.map((market) => [market.symbol, market]));
  }

  /** Resolves when the signal aborts, or when the exchange turns out not to have the stream. */
  async run(signal: AbortSignal): Promise<void> {
    const { ccxt, channel } = this.#options;
    installLiquidationSink(ccxt, (liquidation) => this.#receive(liquidation));
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    const watching = Promise.all(this.#calls().map((call) => this.#keepWatching(call, ended.signal)));
    try {
      const [unsupported] = await Promise.all([watching.finally(end), this.#lookAfter(ended.signal)]);
      const [reason] = unsupported;
      if (reason !== undefined && unsupported.every((one) => one !== undefined)) {
        channel.set("unsupported", { reason });
      }
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** A message came that can't be used: the venue's format changed, or something on the way spoils it. */
  malformed(what: string): void {
    const { channel, metrics, log, clock } = this.#options;
    metrics.count("tickwatch_source_discarded_total", {
      table: "liquidations",
      reason: "malformed_response",
    });
    log.debug({ what }, "unusable message in the stream");
    this.#malformedMs = clock.monotonicMs();
    channel.set("degraded", { reason: `the stream delivers unusable messages: ${what}` });
  }

  #calls(): readonly (() => Promise<unknown>)[] {
    const { ccxt, method } = this.#options;
    const symbols = this.#options.markets.map(({ symbol }) => symbol);
    if (method === "watchLiquidationsForSymbols") return [() => ccxt.watchLiquidationsForSymbols(symbols)];
    return symbols.map((symbol) => () => ccxt.watchLiquidations(symbol));
  }

  #receive(liquidation: unknown): void {
    const { ccxt, channel, lane, clock, staleAfterMs } = this.#options;
    this.#deliveredMs = clock.monotonicMs();
    this.#renewals = 0;
    // Some venues send the liquidations of all their contracts.
    const market = this.#markets.get(isRecord(liquidation) ? liquidation["symbol"] : undefined);
    if (market === undefined) return;
    const row = liquidationRow(ccxt.id, market, liquidation, quirksOf(ccxt.id));
    if (row === undefined) {
      this.malformed(`a liquidation of ${market.symbol} without usable values`);
      return;
    }
    const memoryMs = Math.min(MALFORMED_MEMORY_MS, staleAfterMs);
    if (this.#deliveredMs - this.#malformedMs > memoryMs) channel.set("connected");
    lane.offer([row]);
  }

  /** Resolves with a reason when the exchange hasn't the stream, else with undefined when the signal aborts. */
  async #keepWatching(watch: () => Promise<unknown>, signal: AbortSignal): Promise<string | undefined> {
    const { clock } = this.#options;
    let refusals = 0;
    while (!signal.aborted) {
      try {
        await orAbort(watch(), signal);
        refusals = 0;
      } catch (error) {
        if (signal.aborted) return undefined;
        const failure = classifyError(error);
        if (failure.kind === "unsupported") return failure.reason;
        refusals = this.#failed(failure) ? 0 : refusals + 1;
        const pauseMs = Math.min(REFUSED_FIRST_MS * 2 ** (refusals - 1), REFUSED_MAX_MS);
        await clock.sleep(refusals === 0 ? REDIAL_MS : pauseMs, signal);
      }
    }
    return undefined;
  }

  /** True when the connection was lost, false when the call failed on a good one. */
  #failed({ kind, errorCode, reason }: Failure): boolean {
    const { channel, connection } = this.#options;
    const lost = kind === "network" || kind === "timeout" || errorCode === "ExchangeClosedByUser";
    if (!lost) channel.set("degraded", { reason });
    // The hooks of the connection have set the state already, except when it never got as far as dialling.
    else if (!connection.isOpen && channel.state !== "degraded") channel.set("disconnected", { reason });
    return lost;
  }

  async #lookAfter(signal: AbortSignal): Promise<void> {
    const { connection, channel, staleAfterMs, pingTimeoutMs, clock } = this.#options;
    while (!signal.aborted) {
      const { isOpen } = connection;
      const remainingMs = isOpen ? this.#freshForMs() : Math.min(staleAfterMs, 1_000);
      if (remainingMs > 0) {
        await clock.sleep(Math.ceil(remainingMs), signal);
        continue;
      }
      const latencyMs = await connection.ping(pingTimeoutMs);
      if (signal.aborted || this.#freshForMs() > 0) continue;
      if (latencyMs === undefined) {
        connection.endDead(pingTimeoutMs);
      } else {
        const reason = `no liquidation for ${staleAfterMs} ms though the connection answers; subscribing anew`;
        channel.set("degraded", { reason });
        this.#renewals += 1;
        connection.renew();
      }
      // Until the old connection is gone; the new one is fresh when it opens.
      await clock.sleep(REDIAL_MS, signal);
    }
  }

  /** Milliseconds until the stream counts as stale. */
  #freshForMs(): number {
    const { connection, staleAfterMs, clock } = this.#options;
    const sinceMs = Math.max(connection.openedMs ?? 0, this.#deliveredMs);
    const patience = Math.min(2 ** this.#renewals, RENEWAL_FACTOR_MAX);
    return sinceMs + staleAfterMs * patience - clock.monotonicMs();
  }
}

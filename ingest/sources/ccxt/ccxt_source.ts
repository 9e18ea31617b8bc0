// One exchange as a source: loads CCXT's class and the markets, then polls, streams and samples until it is stopped.
// This file builds the parts and connects them. Without a network it keeps trying: that is a state, not a failure.
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Config, ExchangeConfig } from "../../config/schema.ts";
import type { Metrics } from "../../metrics/record.ts";
import type { Push, Source, SourceContext } from "../source.ts";
import { areLinear } from "./capabilities.ts";
import { Channels } from "./channels.ts";
import { closeExchange } from "./close_exchange.ts";
import { ExchangeRun } from "./exchange_run.ts";
import { createHttp } from "./http.ts";
import { openExchange } from "./load_exchange.ts";
import { keepOnlyMarkets } from "./markets.ts";
import { createOutbox, settleOutbox } from "./outbox.ts";

export interface CcxtSourceOptions {
  readonly exchange: ExchangeConfig;
  readonly pipeline: Config["pipeline"];
  readonly metrics: Metrics;
  /** Makes `fetch_id`s; a UUID each. */
  readonly newId?: () => string;
  /** Counts the changes of connection state; may be shared by several sources. By default the source counts its own. */
  readonly nextSeq?: () => number;
  /** Uniform in [0, 1); spreads retries. */
  readonly random?: () => number;
}

/**
 * A source named `ccxt:<id>` that writes open_interest, funding_rates, liquidations, fetches, connections and
 * connectivity of one exchange. `run` rejects only when the id is unknown to CCXT (CONFIG_INVALID), the installed CCXT
 * is not the expected one (ENVIRONMENT), or through a mistake in this program; every trouble with the exchange is a
 * state instead. It settles within a second of the abort, given that pushes do.
 */
export function createCcxtSource(options: CcxtSourceOptions, context: SourceContext): Source {
  const { exchange, metrics } = options;
  const name = `ccxt:${exchange.id}`;
  const log = context.log.child({ stage: name });
  const channels = new Channels({
    exchange: exchange.id,
    instance: context.instance,
    clock: context.clock,
    log,
    metrics,
    nextSeq: options.nextSeq ?? counter(),
  });
  const shared = { ...options, context: { ...context, log }, channels };
  return { name, run: (push, signal) => runOnce(shared, push, signal) };
}

interface Shared extends CcxtSourceOptions {
  readonly context: SourceContext;
  readonly channels: Channels;
}

async function runOnce(shared: Shared, push: Push, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { exchange, pipeline, metrics, channels, context, newId = randomUUID, random = Math.random } = shared;
  const { clock, log } = context;
  const stop = new AbortController();
  // Every wait and every request of the run listens while it lasts: a few dozen at most. Node warns from eleven on.
  setMaxListeners(100, stop.signal);
  const abort = () => stop.abort();
  signal.addEventListener("abort", abort, { once: true });

  const outbox = createOutbox({ push, clock, log, metrics, signal: stop.signal });
  channels.recordTo((row) => outbox.connections.offer([row]));
  const rest = channels.channel("rest");
  const timeoutMs = pipeline.fetchTimeoutMs;
  const http = createHttp({ clock, timeoutMs, signal: stop.signal, onAnswer: () => rest.countMessage() });
  let close = async () => {};
  try {
    let onLog = (words: readonly unknown[]) => log.debug({ words: words.map(String) }, "ccxt says");
    const ccxt = await openExchange({
      id: exchange.id,
      linearOnly: areLinear(exchange.symbols),
      urls: exchange.urls,
      rateLimitMs: exchange.rateLimitMs,
      timeoutMs,
      http,
      onLog: (words) => onLog(words),
    });
    close = () => closeExchange(ccxt, clock);
    if (stop.signal.aborted) return;
    keepOnlyMarkets(ccxt, exchange.symbols);
    const run = new ExchangeRun({
      ccxt,
      exchange,
      pipeline,
      metrics,
      channels,
      context,
      outbox,
      http,
      newId,
      random,
      stop,
    });
    onLog = (words) => run.ccxtSays(words);
    await run.work();
  } finally {
    abort();
    signal.removeEventListener("abort", abort);
    await Promise.all([http.close(), close()]);
    channels.recordTo(undefined);
    await settleOutbox(outbox);
  }
}

function counter(): () => number {
  let last = 0;
  return () => ++last;
}

// One run of one exchange, from the first try to load its markets until the abort: starts the pollers, the stream and
// the sampler that its capabilities call for, and keeps them together.
import type { Config, Dataset, ExchangeConfig } from "../../config/schema.ts";
import type { Metrics } from "../../metrics/record.ts";
import type { SourceContext } from "../source.ts";
import {
  checkSymbols,
  type DatasetPlan,
  marketsFor,
  planDataset,
  type StreamMethod,
  type SymbolCheck,
} from "./capabilities.ts";
import type { CcxtExchange } from "./ccxt_exchange.ts";
import type { Channels } from "./channels.ts";
import type { Channel } from "./connection_state.ts";
import { sampleConnectivity } from "./connectivity.ts";
import { attempt } from "./fetch_attempt.ts";
import { type FetchTask, fetchTasks, fundingIntervalsTask, type TaskContext } from "./fetch_tasks.ts";
import type { ExchangeHttp } from "./http.ts";
import { LiquidationStream } from "./liquidation_stream.ts";
import { loadMarkets } from "./markets.ts";
import { Marks } from "./marks.ts";
import type { Outbox } from "./outbox.ts";
import { poll } from "./poller.ts";
import { RateLimitMeter } from "./rate_limit.ts";
import { RestHealth } from "./rest_health.ts";
import { RestProbe } from "./rest_probe.ts";
import type { Market } from "./rows.ts";
import { phaseMs, retryDelayMs } from "./slots.ts";
import { StreamConnection } from "./stream_connection.ts";
import { TaskGroup } from "./task_group.ts";
import { quirksOf } from "./venue_quirks.ts";

export interface ExchangeRunOptions {
  readonly ccxt: CcxtExchange;
  readonly exchange: ExchangeConfig;
  readonly pipeline: Config["pipeline"];
  readonly metrics: Metrics;
  readonly channels: Channels;
  readonly context: SourceContext;
  readonly outbox: Outbox;
  readonly http: ExchangeHttp;
  readonly newId: () => string;
  readonly random: () => number;
  /** Ends the run; aborted by a task that fails, too. */
  readonly stop: AbortController;
}

/** The order in which pollers of one exchange begin: funding brings the mark prices that open interest is valued with. */
const POLL_ORDER: readonly Dataset[] = ["funding_rates", "open_interest", "liquidations"];

const MARKETS_RETRY_EVERY_MS = 30_000;
/** The hours between charges hardly ever change. */
const INTERVALS_EVERY_MS = 6 * 3_600_000;
const INTERVALS_RETRY_MS = 300_000;

export class ExchangeRun {
  readonly #options: ExchangeRunOptions;
  readonly #signal: AbortSignal;
  readonly #group: TaskGroup;
  readonly #health: RestHealth;
  readonly #probe: RestProbe;
  readonly #plans: ReadonlyMap<Dataset, DatasetPlan>;
  readonly #tasks: TaskContext;
  readonly #streamChannel: Channel | undefined;
  readonly #connection: StreamConnection | undefined;
  #stream: LiquidationStream | undefined;

  constructor(options: ExchangeRunOptions) {
    const { ccxt, exchange, pipeline, channels, context, http, stop, outbox } = options;
    const { clock } = context;
    const signal = stop.signal;
    this.#options = options;
    this.#signal = signal;
    this.#group = new TaskGroup(stop);
    this.#health = new RestHealth(channels.channel("rest"), clock);
    this.#probe = new RestProbe({ ccxt, http, health: this.#health, clock, signal });
    const quirks = quirksOf(exchange.id);
    this.#plans = new Map(exchange.datasets.map((set) => [set, planDataset(set, ccxt.has, quirks)]));
    this.#tasks = {
      ...options,
      ccxt,
      exchange: exchange.id,
      fetches: outbox.fetches,
      clock,
      log: context.log,
      marks: new Marks(clock, 2 * pipeline.fundingRatesEveryMs),
      intervals: new Map(),
      liquidationsEveryMs: pipeline.liquidationsEveryMs,
      signal,
    };
    if (this.#plans.get("liquidations")?.kind === "stream") {
      const channel = channels.channel("ws:liquidations");
      this.#streamChannel = channel;
      const onLost = () => this.#probe.suspect();
      this.#connection = new StreamConnection({ ccxt, channel, clock, onLost, signal });
    }
  }

  /** Resolves after the abort, when everything has ended; rejects when a part failed. */
  async work(): Promise<void> {
    for (const [dataset, plan] of this.#plans) {
      if (plan.kind === "unsupported") this.#unsupported(dataset, plan.reason);
    }
    this.#group.start(this.#probe.watchOutages());
    this.#group.start(this.#sample());
    this.#group.start(this.#record());
    await this.#group.settle();
  }

  /** Takes what CCXT would print: among it, messages of a stream that are no JSON. */
  ccxtSays(words: readonly unknown[]): void {
    this.#options.context.log.debug({ words: words.map(String) }, "ccxt says");
    if (words.includes("onMessage JSON.parse")) this.#stream?.malformed("no JSON");
  }

  #unsupported(channel: string, reason: string): void {
    this.#options.channels.channel(channel).set("unsupported", { reason });
  }

  async #record(): Promise<void> {
    const { exchange, context } = this.#options;
    const markets = await this.#loadMarkets();
    if (this.#signal.aborted) return;
    const check = checkSymbols(exchange.symbols, markets);
    for (const [symbol, reason] of check.missing) this.#unsupported(`symbol:${symbol}`, reason);
    if (check.missing.size > 0) {
      context.log.warn({ symbols: [...check.missing.keys()] }, "configured symbols that this exchange lacks");
    }
    for (const [dataset, plan] of this.#plans) this.#start(dataset, plan, check);
  }

  #start(dataset: Dataset, plan: DatasetPlan, check: SymbolCheck): void {
    if (plan.kind === "unsupported") return;
    const markets = marketsFor(dataset, check);
    if (markets.length === 0) {
      this.#unsupported(dataset, "none of the configured symbols is a contract of this kind");
    } else if (plan.kind === "stream") {
      this.#startStream(plan.method, markets);
    } else {
      const beforeSlot = dataset === "funding_rates" ? this.#intervalsRefresh(check) : undefined;
      this.#poll(dataset, fetchTasks(this.#tasks, dataset, plan, markets), beforeSlot);
    }
  }

  #startStream(method: StreamMethod, markets: readonly Market[]): void {
    const [channel, connection] = [this.#streamChannel, this.#connection];
    if (channel === undefined || connection === undefined) return;
    const { pipeline, outbox } = this.#options;
    this.#stream = new LiquidationStream({
      ...this.#tasks,
      method,
      markets,
      connection,
      channel,
      lane: outbox.liquidations,
      staleAfterMs: pipeline.staleAfterMs,
      pingTimeoutMs: pipeline.fetchTimeoutMs,
    });
    this.#group.start(this.#stream.run(this.#signal));
  }

  #poll(dataset: Dataset, tasks: readonly FetchTask[], beforeSlot: (() => Promise<void>) | undefined): void {
    const { pipeline, context, random } = this.#options;
    const everyMs = {
      open_interest: pipeline.openInterestEveryMs,
      funding_rates: pipeline.fundingRatesEveryMs,
      liquidations: pipeline.liquidationsEveryMs,
    }[dataset];
    const { index, count } = this.#place();
    const order = index * POLL_ORDER.length + POLL_ORDER.indexOf(dataset);
    const poller = poll(
      {
        dataset,
        everyMs,
        phaseMs: phaseMs(order, count * POLL_ORDER.length, everyMs),
        tasks,
        beforeSlot,
        health: this.#health,
        recoveryIsWatched: this.#probe.possible,
        onUnsupported: (reason) => this.#unsupported(dataset, reason),
        clock: context.clock,
        log: context.log,
        random,
      },
      this.#signal,
    );
    this.#group.start(poller);
  }

  #intervalsRefresh(check: SymbolCheck): (() => Promise<void>) | undefined {
    const task = fundingIntervalsTask(this.#tasks, marketsFor("funding_rates", check));
    if (task === undefined) return undefined;
    const { clock } = this.#options.context;
    let dueMs = Number.NEGATIVE_INFINITY;
    return async () => {
      if (clock.monotonicMs() < dueMs || this.#health.disconnected || this.#health.pauseMs > 0) return;
      const { kind } = await task.run(0);
      dueMs = clock.monotonicMs() + (kind === "ok" ? INTERVALS_EVERY_MS : INTERVALS_RETRY_MS);
    };
  }

  /** Tries until it succeeds; undefined after the abort. */
  async #loadMarkets(): Promise<unknown> {
    const { ccxt, context, random } = this.#options;
    const call = { dataset: "markets", method: "fetchMarkets", ask: () => loadMarkets(ccxt) };
    for (let retry = 0; !this.#signal.aborted; retry++) {
      await this.#health.waitWhilePaused(this.#signal);
      const outcome = await attempt(this.#tasks, call);
      if (outcome.kind === "ok") {
        this.#health.succeeded("markets");
        return outcome.answer;
      }
      if (outcome.kind === "aborted") return undefined;
      const { failure, retryAfterMs } = outcome;
      this.#health.failed("markets", failure, retryAfterMs);
      this.#streamChannel?.set("disconnected", { reason: `not dialled without markets: ${failure.reason}` });
      if (this.#health.disconnected && this.#probe.possible) {
        await this.#health.waitForRecovery(this.#signal, MARKETS_RETRY_EVERY_MS);
      } else {
        await context.clock.sleep(retryDelayMs(retry, MARKETS_RETRY_EVERY_MS, random), this.#signal);
      }
    }
    return undefined;
  }

  async #sample(): Promise<void> {
    const { ccxt, exchange, pipeline, context, http, channels, outbox } = this.#options;
    const { clock, instance } = context;
    const meter = new RateLimitMeter(ccxt, http, clock);
    const { index, count } = this.#place();
    const [channel, connection] = [this.#streamChannel, this.#connection];
    await sampleConnectivity({
      exchange: exchange.id,
      instance,
      everyMs: pipeline.connectivityEveryMs,
      phaseMs: phaseMs(index, count, pipeline.connectivityEveryMs),
      rest: { channel: channels.channel("rest"), probe: this.#probe, http, meter },
      stream: channel && connection ? { channel, connection } : undefined,
      pingTimeoutMs: pipeline.fetchTimeoutMs,
      lane: outbox.connectivity,
      clock,
      signal: this.#signal,
    });
  }

  /** This exchange among the configured ones, so that they take turns. */
  #place(): { readonly index: number; readonly count: number } {
    const { exchange, pipeline } = this.#options;
    const index = pipeline.exchanges.findIndex(({ id }) => id === exchange.id);
    return { index: Math.max(0, index), count: Math.max(1, pipeline.exchanges.length) };
  }
}

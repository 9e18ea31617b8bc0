// How much of an exchange's rate limit is used: what the venue says in its headers, else what passed CCXT's rate limiter
// in the last minute against what it lets through in one.
import type { Clock } from "../../clock.ts";
import type { CcxtExchange } from "./ccxt_exchange.ts";
import type { ExchangeHttp } from "./http.ts";
import { quirksOf } from "./venue_quirks.ts";

/** Both in the same unit: the venue's, or CCXT's cost points a minute. */
export interface RateLimitUse {
  readonly used: number;
  readonly capacity: number;
}

const WINDOW_MS = 60_000;

export class RateLimitMeter {
  readonly #exchange: CcxtExchange;
  readonly #http: ExchangeHttp;
  readonly #clock: Clock;
  #spent: { readonly atMs: number; readonly cost: number }[] = [];

  /** Starts counting what passes the exchange object's rate limiter. */
  constructor(exchange: CcxtExchange, http: ExchangeHttp, clock: Clock) {
    this.#exchange = exchange;
    this.#http = http;
    this.#clock = clock;
    const throttle = exchange.throttle.bind(exchange);
    exchange.throttle = async (cost) => {
      await throttle(cost);
      this.#spent.push({ atMs: clock.monotonicMs(), cost: cost ?? 1 });
      this.#forget();
    };
  }

  use(): RateLimitUse | undefined {
    return this.#byHeaders() ?? this.#byThrottler();
  }

  #byHeaders(): RateLimitUse | undefined {
    const { rateLimitHeaders } = quirksOf(this.#exchange.id);
    if (rateLimitHeaders === undefined) return undefined;
    if ("used" in rateLimitHeaders) {
      const used = this.#header(rateLimitHeaders.used);
      return used === undefined ? undefined : { used, capacity: rateLimitHeaders.capacity };
    }
    const remaining = this.#header(rateLimitHeaders.remaining);
    const capacity = this.#header(rateLimitHeaders.capacityHeader);
    if (remaining === undefined || capacity === undefined) return undefined;
    return { used: Math.max(0, capacity - remaining), capacity };
  }

  #byThrottler(): RateLimitUse | undefined {
    const { rateLimit } = this.#exchange;
    if (!(rateLimit > 0)) return undefined;
    this.#forget();
    return { used: this.#spent.reduce((sum, { cost }) => sum + cost, 0), capacity: WINDOW_MS / rateLimit };
  }

  #header(name: string): number | undefined {
    const text = this.#http.lastHeader(name);
    const number = text === undefined || text === "" ? Number.NaN : Number(text);
    return Number.isFinite(number) ? number : undefined;
  }

  #forget(): void {
    const oldestMs = this.#clock.monotonicMs() - WINDOW_MS;
    const alive = this.#spent.findIndex(({ atMs }) => atMs > oldestMs);
    this.#spent.splice(0, alive === -1 ? this.#spent.length : alive);
  }
}

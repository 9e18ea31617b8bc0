// Binance USDⓈ-M futures as CCXT's `binanceusdm` sees it without keys: per-symbol open interest, funding of all
// symbols in one answer, `<symbol>@forceOrder` streams. Shapes follow the venue's public documentation and what
// ccxt 4.5.84 reads. The real forceOrder stream shows one liquidation a second per symbol; this one shows all.

import { z } from "zod";
import { decimalsOf, INSTRUMENTS, type Instrument, onGrid } from "./instruments.ts";
import type { Liquidation } from "./liquidation_feed.ts";
import type { MarketModel } from "./market_model.ts";
import {
  type Endpoint,
  gatewayPage,
  type Json,
  parseJson,
  type RestAnswer,
  type StreamSession,
  type VenueApi,
} from "./venue_api.ts";

const WEIGHT_LIMIT = 2_400;
const ONBOARD_MS = 1_569_398_400_000;
/** Binance's mark for "never delivered". */
const PERPETUAL_DELIVERY_MS = 4_133_404_800_000;

const ClientMessage = z.object({
  method: z.enum(["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"]),
  params: z.array(z.string()).default([]),
  id: z.union([z.number(), z.string()]),
});

export class BinanceusdmApi implements VenueApi {
  readonly id = "binanceusdm";
  readonly #market: MarketModel;
  #weightMinute = 0;
  #weight = 0;

  readonly endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
    ["/fapi/v1/ping", () => ok({})],
    ["/fapi/v1/time", (_query, nowMs) => ok({ serverTime: nowMs })],
    ["/fapi/v1/exchangeInfo", (_query, nowMs) => ok(exchangeInfo(nowMs))],
    ["/fapi/v1/openInterest", (query, nowMs) => ofOneSymbol(query, (i) => this.#openInterest(i, nowMs))],
    ["/fapi/v1/premiumIndex", (query, nowMs) => this.#premiumIndexes(query, nowMs)],
    ["/fapi/v1/fundingInfo", () => ok(INSTRUMENTS.map(fundingInfo))],
    ["/sapi/v1/system/status", () => ok({ status: 0, msg: "normal" })],
  ]);

  constructor(market: MarketModel) {
    this.#market = market;
  }

  refusal(status: number, retryAfterS: number, nowMs: number): RestAnswer {
    const retryAfter = { "Retry-After": String(retryAfterS) };
    if (status === 429) {
      const overLimit = { ...retryAfter, "X-MBX-USED-WEIGHT-1M": String(WEIGHT_LIMIT + 1) };
      return venueError(
        status,
        -1003,
        `Too many requests; current limit is ${WEIGHT_LIMIT} requests per minute.`,
        overLimit,
      );
    }
    if (status === 418) {
      const until = nowMs + retryAfterS * 1_000;
      return venueError(status, -1003, `Way too many requests; IP banned until ${until}.`, retryAfter);
    }
    if (status === 404) return venueError(status, -5000, "Path is invalid.", {});
    return gatewayPage(status, status < 500 ? {} : retryAfter);
  }

  commonHeaders(path: string, query: URLSearchParams, nowMs: number): Readonly<Record<string, string>> {
    const minute = Math.floor(nowMs / 60_000);
    if (minute !== this.#weightMinute) this.#weight = 0;
    this.#weightMinute = minute;
    this.#weight += path === "/fapi/v1/premiumIndex" && !query.has("symbol") ? 10 : 1;
    return { "X-MBX-USED-WEIGHT-1M": String(this.#weight) };
  }

  /** `/market/ws/0`: ccxt inserts the category before `/ws` and adds the number of its connection. */
  hasStream(path: string): boolean {
    return /^(\/market|\/public|\/private)?\/ws(\/[^/]*)?$/.test(path);
  }

  openStream(): StreamSession {
    return new ForceOrderSession();
  }

  #premiumIndexes(query: URLSearchParams, nowMs: number): RestAnswer {
    if (!query.has("symbol")) return ok(INSTRUMENTS.map((i) => this.#premiumIndex(i, nowMs)));
    return ofOneSymbol(query, (i) => this.#premiumIndex(i, nowMs));
  }

  #openInterest(instrument: Instrument, nowMs: number): Json {
    const view = this.#market.view(this.id, instrument, nowMs);
    const { lot } = instrument.contracts[this.id];
    return { symbol: marketId(instrument), openInterest: onGrid(view.openInterest, lot), time: nowMs };
  }

  #premiumIndex(instrument: Instrument, nowMs: number): Json {
    const view = this.#market.view(this.id, instrument, nowMs);
    return {
      symbol: marketId(instrument),
      markPrice: view.markPrice.toFixed(8),
      indexPrice: view.indexPrice.toFixed(8),
      estimatedSettlePrice: view.indexPrice.toFixed(8),
      lastFundingRate: view.fundingRate.toFixed(8),
      interestRate: "0.00010000",
      nextFundingTime: view.nextFundingMs,
      time: nowMs,
    };
  }
}

function ofOneSymbol(query: URLSearchParams, answer: (instrument: Instrument) => Json): RestAnswer {
  const instrument = INSTRUMENTS.find((i) => marketId(i) === query.get("symbol"));
  if (instrument === undefined) return venueError(400, -1121, "Invalid symbol.", {});
  return ok(answer(instrument));
}

class ForceOrderSession implements StreamSession {
  readonly #streams = new Set<string>();

  receive(text: string): readonly Json[] {
    const message = ClientMessage.safeParse(parseJson(text));
    if (!message.success) return [{ error: { code: 2, msg: "Invalid request" } }];
    const { method, params, id } = message.data;
    if (method === "LIST_SUBSCRIPTIONS") return [{ result: [...this.#streams], id }];
    for (const stream of params) {
      if (method === "SUBSCRIBE") this.#streams.add(stream);
      else this.#streams.delete(stream);
    }
    return [{ result: null, id }];
  }

  announce(group: readonly Liquidation[], nowMs: number): readonly Json[] {
    return group.filter((l) => this.#wants(l)).map((l) => forceOrder(l, nowMs));
  }

  #wants({ instrument }: Liquidation): boolean {
    const stream = `${marketId(instrument).toLowerCase()}@forceOrder`;
    return this.#streams.has(stream) || this.#streams.has("!forceOrder@arr");
  }
}

function forceOrder({ instrument, side, price, amount, tsMs }: Liquidation, nowMs: number): Json {
  const { tick, lot } = instrument.contracts.binanceusdm;
  const quantity = onGrid(amount, lot);
  const limit = onGrid(price * (side === "sell" ? 0.996 : 1.004), tick);
  return {
    e: "forceOrder",
    E: Math.max(nowMs, tsMs),
    o: {
      s: marketId(instrument),
      S: side.toUpperCase(),
      o: "LIMIT",
      f: "IOC",
      q: quantity,
      p: limit,
      ap: onGrid(price, tick),
      X: "FILLED",
      l: quantity,
      z: quantity,
      T: tsMs,
    },
  };
}

function exchangeInfo(nowMs: number): Json {
  const rateLimits = [
    { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: WEIGHT_LIMIT },
  ];
  return {
    timezone: "UTC",
    serverTime: nowMs,
    rateLimits,
    exchangeFilters: [],
    symbols: INSTRUMENTS.map(symbolInfo),
  };
}

function symbolInfo(instrument: Instrument): Json {
  const { tick, lot } = instrument.contracts.binanceusdm;
  return {
    symbol: marketId(instrument),
    pair: marketId(instrument),
    contractType: "PERPETUAL",
    deliveryDate: PERPETUAL_DELIVERY_MS,
    onboardDate: ONBOARD_MS,
    status: "TRADING",
    baseAsset: instrument.coin.base,
    quoteAsset: "USDT",
    marginAsset: "USDT",
    pricePrecision: decimalsOf(tick),
    quantityPrecision: decimalsOf(lot),
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: "COIN",
    filters: [
      {
        filterType: "PRICE_FILTER",
        minPrice: onGrid(tick, tick),
        maxPrice: "10000000",
        tickSize: onGrid(tick, tick),
      },
      { filterType: "LOT_SIZE", minQty: onGrid(lot, lot), maxQty: "10000000", stepSize: onGrid(lot, lot) },
      {
        filterType: "MARKET_LOT_SIZE",
        minQty: onGrid(lot, lot),
        maxQty: "1000000",
        stepSize: onGrid(lot, lot),
      },
      { filterType: "MIN_NOTIONAL", notional: "5" },
    ],
    orderTypes: ["LIMIT", "MARKET"],
    timeInForce: ["GTC", "IOC", "FOK", "GTX"],
  };
}

function fundingInfo(instrument: Instrument): Json {
  return {
    symbol: marketId(instrument),
    adjustedFundingRateCap: "0.02000000",
    adjustedFundingRateFloor: "-0.02000000",
    fundingIntervalHours: instrument.coin.fundingIntervalH.binanceusdm,
    disclaimer: false,
  };
}

function marketId({ coin }: Instrument): string {
  return `${coin.base}USDT`;
}

function ok(body: Json): RestAnswer {
  return { status: 200, headers: {}, body };
}

function venueError(
  status: number,
  code: number,
  msg: string,
  headers: Readonly<Record<string, string>>,
): RestAnswer {
  return { status, headers, body: { code, msg } };
}

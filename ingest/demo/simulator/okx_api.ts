// OKX v5 as CCXT's `okx` sees it without keys: open interest and funding of all swaps in one answer, one
// `liquidation-orders` channel for the whole instrument type, text `ping`/`pong`. Shapes follow the venue's public
// documentation and what ccxt 4.5.84 reads.

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

const LISTED_MS = "1573557408000";
const HOUR_MS = 3_600_000;

const ClientMessage = z.object({
  op: z.enum(["subscribe", "unsubscribe"]),
  args: z.array(z.object({ channel: z.string(), instType: z.string().optional() })),
});

/** The venue's own code for an HTTP status, so that CCXT maps it to the class that the real venue causes. */
const CODE_OF_STATUS: Readonly<Record<number, readonly [code: string, msg: string]>> = {
  404: ["404", "Not Found"],
  418: ["50011", "Too Many Requests"],
  429: ["50011", "Too Many Requests"],
  500: ["50026", "System error. Try again later"],
};

export class OkxApi implements VenueApi {
  readonly id = "okx";
  readonly #market: MarketModel;

  readonly endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
    ["/api/v5/public/time", (_query, nowMs) => ok([{ ts: String(nowMs) }])],
    ["/api/v5/system/status", () => ok([])],
    ["/api/v5/public/instruments", (query) => instruments(query.get("instType"))],
    ["/api/v5/public/open-interest", (query, nowMs) => ofSwaps(query, (i) => this.#openInterest(i, nowMs))],
    ["/api/v5/public/funding-rate", (query, nowMs) => ofSwaps(query, (i) => this.#fundingRate(i, nowMs))],
    ["/api/v5/public/mark-price", (query, nowMs) => ofSwaps(query, (i) => this.#markPrice(i, nowMs))],
  ]);

  constructor(market: MarketModel) {
    this.#market = market;
  }

  refusal(status: number, retryAfterS: number): RestAnswer {
    if (status < 500 && CODE_OF_STATUS[status] === undefined) return gatewayPage(status, {});
    const [code, msg] = CODE_OF_STATUS[status] ?? ["50013", "Systems are busy. Please try again later."];
    const headers: Record<string, string> = status === 404 ? {} : { "Retry-After": String(retryAfterS) };
    return { status, headers, body: { code, data: [], msg } };
  }

  /** OKX tells nothing about its limits while they hold. */
  commonHeaders(): Readonly<Record<string, string>> {
    return {};
  }

  hasStream(path: string): boolean {
    return path === "/ws/v5/public" || path === "/ws/v5/business";
  }

  openStream(): StreamSession {
    return new LiquidationOrdersSession();
  }

  #openInterest(instrument: Instrument, nowMs: number): Json {
    const { markPrice, openInterest } = this.#market.view(this.id, instrument, nowMs);
    const { contractSize, lot } = instrument.contracts.okx;
    const contracts = onGrid(openInterest / contractSize, lot);
    const coins = Number(contracts) * contractSize;
    return {
      instId: swapId(instrument),
      instType: "SWAP",
      oi: contracts,
      oiCcy: coins.toFixed(8),
      oiUsd: (coins * markPrice).toFixed(4),
      ts: String(nowMs),
    };
  }

  #fundingRate(instrument: Instrument, nowMs: number): Json {
    const view = this.#market.view(this.id, instrument, nowMs);
    const periodMs = view.fundingIntervalH * HOUR_MS;
    return {
      instId: swapId(instrument),
      instType: "SWAP",
      method: "current_period",
      formulaType: "withRate",
      fundingRate: view.fundingRate.toFixed(10),
      fundingTime: String(view.nextFundingMs),
      nextFundingRate: "",
      nextFundingTime: String(view.nextFundingMs + periodMs),
      prevFundingTime: String(view.nextFundingMs - periodMs),
      interestRate: "0.0001000000",
      maxFundingRate: "0.0150000000",
      minFundingRate: "-0.0150000000",
      settState: "settled",
      ts: String(nowMs),
    };
  }

  #markPrice(instrument: Instrument, nowMs: number): Json {
    const { markPrice } = this.#market.view(this.id, instrument, nowMs);
    return {
      instId: swapId(instrument),
      instType: "SWAP",
      markPx: onGrid(markPrice, instrument.contracts.okx.tick),
      ts: String(nowMs),
    };
  }
}

/** All swaps, or the one named; OKX answers a type it has nothing of with an empty list. */
function ofSwaps(query: URLSearchParams, answer: (instrument: Instrument) => Json): RestAnswer {
  const instId = query.get("instId");
  if (instId === null && query.get("instType") !== "SWAP") return ok([]);
  if (instId === null || instId === "ANY") return ok(INSTRUMENTS.map(answer));
  const instrument = INSTRUMENTS.find((i) => swapId(i) === instId);
  if (instrument === undefined) return refused("51001", `Instrument ID ${instId} does not exist`);
  return ok([answer(instrument)]);
}

class LiquidationOrdersSession implements StreamSession {
  #subscribed = false;

  receive(text: string): readonly Json[] {
    if (text === "ping") return ["pong"];
    const message = ClientMessage.safeParse(parseJson(text));
    if (!message.success)
      return [{ event: "error", code: "60012", msg: `Illegal request: ${text}`, connId: "sim" }];
    const { op, args } = message.data;
    return args.map(({ channel, instType }) => {
      if (channel !== "liquidation-orders" || instType === undefined) {
        return { event: "error", code: "60018", msg: `channel:${channel} doesn't exist`, connId: "sim" };
      }
      if (instType === "SWAP") this.#subscribed = op === "subscribe";
      return { event: op, arg: { channel, instType }, connId: "sim" };
    });
  }

  announce(group: readonly Liquidation[]): readonly Json[] {
    const first = group[0];
    if (!this.#subscribed || first === undefined) return [];
    const record = {
      details: group.map(detail),
      instFamily: spotId(first.instrument),
      instId: swapId(first.instrument),
      instType: "SWAP",
      uly: spotId(first.instrument),
    };
    return [{ arg: { channel: "liquidation-orders", instType: "SWAP" }, data: [record] }];
  }
}

function detail({ instrument, side, price, amount, tsMs }: Liquidation): Json {
  const { tick, lot } = instrument.contracts.okx;
  return {
    bkLoss: "0",
    bkPx: onGrid(price, tick),
    ccy: "",
    posSide: side === "sell" ? "long" : "short",
    side,
    sz: onGrid(amount, lot),
    ts: String(tsMs),
  };
}

function instruments(instType: string | null): RestAnswer {
  if (instType === "SWAP") return ok(INSTRUMENTS.map(swapInfo));
  if (instType === "SPOT") return ok(INSTRUMENTS.map(spotInfo));
  // CCXT loads dated futures and options too; this venue lists none.
  if (instType === "FUTURES" || instType === "OPTION") return ok([]);
  return refused("51000", "Parameter instType error");
}

function swapInfo(instrument: Instrument): Json {
  const { tick, lot, contractSize } = instrument.contracts.okx;
  return {
    alias: "",
    baseCcy: "",
    category: "1",
    ctMult: "1",
    ctType: "linear",
    ctVal: String(contractSize),
    ctValCcy: instrument.coin.base,
    expTime: "",
    instFamily: spotId(instrument),
    instId: swapId(instrument),
    instType: "SWAP",
    lever: "50",
    listTime: LISTED_MS,
    lotSz: onGrid(lot, lot),
    maxLmtSz: "100000000",
    minSz: onGrid(lot, lot),
    optType: "",
    quoteCcy: "",
    ruleType: "normal",
    settleCcy: "USDT",
    state: "live",
    stk: "",
    tickSz: onGrid(tick, tick),
    uly: spotId(instrument),
  };
}

function spotInfo(instrument: Instrument): Json {
  const { tick, lot, contractSize } = instrument.contracts.okx;
  const step = lot * contractSize;
  return {
    baseCcy: instrument.coin.base,
    category: "1",
    instId: spotId(instrument),
    instType: "SPOT",
    lever: "10",
    listTime: LISTED_MS,
    lotSz: step.toFixed(decimalsOf(step)),
    minSz: step.toFixed(decimalsOf(step)),
    quoteCcy: "USDT",
    ruleType: "normal",
    settleCcy: "",
    state: "live",
    tickSz: onGrid(tick, tick),
    uly: "",
  };
}

function swapId(instrument: Instrument): string {
  return `${spotId(instrument)}-SWAP`;
}

function spotId({ coin }: Instrument): string {
  return `${coin.base}-USDT`;
}

function ok(data: readonly Json[]): RestAnswer {
  return { status: 200, headers: {}, body: { code: "0", data, msg: "" } };
}

/** OKX refuses with HTTP 200 or 400; CCXT reads the code either way. */
function refused(code: string, msg: string): RestAnswer {
  return { status: 400, headers: {}, body: { code, data: [], msg } };
}

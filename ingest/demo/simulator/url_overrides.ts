// Points a CCXT exchange class at the simulator: the `urls` to pass to its constructor. Every address the pinned
// ccxt (4.5.84) knows for these venues is replaced, so that nothing can reach the real exchange by accident;
// a test compares this list with the class.

import type { VenueId } from "./instruments.ts";

/** Mirrors the nesting of `exchange.urls.api`. */
export interface UrlTree {
  readonly [key: string]: string | UrlTree;
}

const BINANCE_REST: Readonly<Record<string, string>> = {
  sapi: "/sapi/v1",
  sapiV2: "/sapi/v2",
  sapiV3: "/sapi/v3",
  sapiV4: "/sapi/v4",
  dapiPublic: "/dapi/v1",
  dapiPrivate: "/dapi/v1",
  dapiPrivateV2: "/dapi/v2",
  dapiData: "/dapi/futures/data",
  eapiPublic: "/eapi/v1",
  eapiPrivate: "/eapi/v1",
  fapiPublic: "/fapi/v1",
  fapiPublicV2: "/fapi/v2",
  fapiPublicV3: "/fapi/v3",
  fapiPrivate: "/fapi/v1",
  fapiPrivateV2: "/fapi/v2",
  fapiPrivateV3: "/fapi/v3",
  fapiData: "/futures/data",
  public: "/api/v3",
  private: "/api/v3",
  v1: "/api/v1",
  papi: "/papi/v1",
  papiV2: "/papi/v2",
};

/** CCXT turns `…/ws` of `future` into `…/market/ws/<n>`; the others are taken as they are and lead nowhere here. */
const BINANCE_WS = [
  "spot",
  "margin",
  "future",
  "delivery",
  "stock",
  "option",
  "optionMarket",
  "optionPrivate",
  "papi",
];
const BINANCE_WS_API = ["spot", "future", "delivery"];

/**
 * The `urls` option for `new binanceusdm({ urls })` or `new okx({ urls })`; CCXT merges it deeply into its own.
 * `baseUrl` is the simulator's `url` (`http://127.0.0.1:<port>`). The streams are plain `ws://`, so call
 * `await exchange.loadHttpProxyAgent()` before the first `watch*`, or CCXT throws NotSupported.
 */
export function simulatorUrlOverrides(venueId: VenueId, baseUrl: string): { readonly api: UrlTree } {
  const rest = `${baseUrl.replace(/\/+$/, "")}/${venueId}`;
  const ws = rest.replace(/^http/, "ws");
  if (venueId === "okx") return { api: { rest, ws: `${ws}/ws/v5` } };
  const restUrls = Object.entries(BINANCE_REST).map(([key, path]) => [key, `${rest}${path}`] as const);
  const streams = BINANCE_WS.map((key) => [key, `${ws}/${key === "future" ? "ws" : `${key}/ws`}`] as const);
  const wsApi = BINANCE_WS_API.map((key) => [key, `${ws}/ws-api/${key}`] as const);
  const wsUrls = { ...Object.fromEntries(streams), "ws-api": Object.fromEntries(wsApi) };
  return { api: { ...Object.fromEntries(restUrls), ws: wsUrls } };
}

// What we use of a CCXT exchange object, declared by us, and the checks that an object of the pinned version has it.
// CCXT's own types are far wider and promise more than its answers hold; everything that comes back is unknown here.

/** CCXT's `has`: true, false, "emulated" or absent. */
export type CcxtHas = Readonly<Record<string, unknown>>;

/** Methods that answer a question. All of them exist on every exchange object and throw NotSupported where `has` says no. */
export interface CcxtMethods {
  fetchTime(): Promise<unknown>;
  fetchStatus(): Promise<unknown>;
  fetchMarkets(params?: object): Promise<unknown>;
  loadMarkets(reload?: boolean): Promise<unknown>;
  fetchOpenInterest(symbol: string): Promise<unknown>;
  fetchOpenInterests(symbols: readonly string[]): Promise<unknown>;
  fetchFundingRate(symbol: string): Promise<unknown>;
  fetchFundingRates(symbols: readonly string[]): Promise<unknown>;
  fetchFundingIntervals(symbols: readonly string[]): Promise<unknown>;
  fetchLiquidations(symbol: string, sinceMs?: number, limit?: number, params?: object): Promise<unknown>;
  watchLiquidations(symbol: string): Promise<unknown>;
  watchLiquidationsForSymbols(symbols: readonly string[]): Promise<unknown>;
}

/** An exchange object. The hooks are methods that CCXT calls on itself and that may be replaced on the object. */
export interface CcxtExchange extends CcxtMethods {
  readonly id: string;
  readonly has: CcxtHas;
  /** Milliseconds between two calls of cost 1. */
  readonly rateLimit: number;
  onConnected(client: unknown, message?: unknown): void;
  onError(client: unknown, error: unknown): void;
  onClose(client: unknown, event: unknown): void;
  handleMessage(client: unknown, message: unknown): void;
  log(...args: unknown[]): void;
  throttle(cost?: number): Promise<unknown>;
  close(): Promise<unknown>;
  loadHttpProxyAgent(): Promise<unknown>;
}

/** One WebSocket of an exchange object: CCXT's client, and the socket under it once it dials. */
export interface CcxtClient {
  readonly url: string;
  readonly connection: CcxtSocket;
}

/** The socket of the `ws` package. */
interface CcxtSocket {
  ping(): void;
  close(): void;
  terminate(): void;
  once(event: "pong", listener: () => void): unknown;
  removeListener(event: "pong", listener: () => void): unknown;
}

const METHODS = [
  "fetchTime",
  "fetchStatus",
  "fetchMarkets",
  "loadMarkets",
  "fetchOpenInterest",
  "fetchOpenInterests",
  "fetchFundingRate",
  "fetchFundingRates",
  "fetchFundingIntervals",
  "fetchLiquidations",
  "watchLiquidations",
  "watchLiquidationsForSymbols",
  "onConnected",
  "onError",
  "onClose",
  "handleMessage",
  "log",
  "throttle",
  "close",
  "loadHttpProxyAgent",
] as const satisfies readonly (keyof CcxtExchange)[];

/** What an object lacks to be a CcxtExchange; empty when it is one. */
export function missingMembers(value: unknown): readonly string[] {
  if (!isRecord(value)) return ["everything"];
  const missing: string[] = METHODS.filter((name) => typeof value[name] !== "function");
  if (typeof value["id"] !== "string") missing.push("id");
  if (typeof value["rateLimit"] !== "number") missing.push("rateLimit");
  if (!isRecord(value["has"])) missing.push("has");
  return missing;
}

export function isCcxtExchange(value: unknown): value is CcxtExchange {
  return missingMembers(value).length === 0;
}

/** True once the client has a socket: before its first dial, and while it waits to dial again, it has none. */
export function isConnectedClient(value: unknown): value is CcxtClient {
  if (!isRecord(value) || typeof value["url"] !== "string") return false;
  const connection = value["connection"];
  const needed = ["ping", "close", "terminate", "once", "removeListener"];
  return isRecord(connection) && needed.every((name) => typeof connection[name] === "function");
}

/** Any object that is no array, for reading fields of unknown answers. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

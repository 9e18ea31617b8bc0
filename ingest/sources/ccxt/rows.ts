// CCXT's unified structures → rows. Every value is looked at: CCXT leaves undefined what it could not read, and a venue
// that changes its format must not become wrong numbers. Pure.
import type { EventInput } from "../../../schema/registry.ts";
import { isRecord } from "./ccxt_exchange.ts";
import type { VenueQuirks } from "./venue_quirks.ts";

/** What we keep of a CCXT market. */
export interface Market {
  readonly symbol: string;
  /** Base currency of one contract (quote currency if inverse). */
  readonly contractSize: number;
  readonly inverse: boolean;
  readonly swap: boolean;
}

/** A CCXT open interest → a row of the slot; undefined when it has no usable amount. `markPrice` is used where the venue gives no value. */
export function openInterestRow(
  ts: number,
  exchange: string,
  { symbol, contractSize, inverse }: Market,
  entry: unknown,
  markPrice: number | undefined,
): EventInput<"open_interest"> | undefined {
  if (!isRecord(entry)) return undefined;
  // Where both are given (okx), `baseVolume` is in coins and the amount in contracts; elsewhere the amount is in coins.
  const coins = atLeastZero(entry["baseVolume"]);
  const amount = atLeastZero(entry["openInterestAmount"]);
  const value = atLeastZero(entry["openInterestValue"]);
  const common = { ts, exchange, symbol };
  if (inverse && coins === undefined) {
    // Contracts of an inverse market are worth a fixed number of dollars each.
    const usd = value ?? (amount === undefined ? undefined : amount * contractSize);
    if (usd === undefined || markPrice === undefined) return undefined;
    return { ...common, open_interest: usd / markPrice, open_interest_usd: usd };
  }
  const inCoins = coins ?? amount;
  if (inCoins === undefined) return undefined;
  const byMark = markPrice === undefined ? undefined : tidy(inCoins * markPrice);
  return { ...common, open_interest: inCoins, open_interest_usd: value ?? byMark };
}

/** A CCXT funding rate → a row of the slot; undefined when it has no rate. `intervalH` is used where the entry has none. */
export function fundingRateRow(
  ts: number,
  exchange: string,
  { symbol }: Market,
  entry: unknown,
  intervalH: number | undefined,
): EventInput<"funding_rates"> | undefined {
  if (!isRecord(entry)) return undefined;
  const rate = finite(entry["fundingRate"]);
  if (rate === undefined) return undefined;
  return {
    ts,
    exchange,
    symbol,
    funding_rate: rate,
    next_funding_ts: nextChargeUs(ts, entry),
    interval_h: hoursOf(entry["interval"]) ?? intervalH,
    mark_price: aboveZero(entry["markPrice"]),
    index_price: aboveZero(entry["indexPrice"]),
  };
}

/** A CCXT liquidation → a row at the venue's time; undefined when time, side, price or size is missing. */
export function liquidationRow(
  exchange: string,
  { symbol, contractSize, inverse }: Market,
  entry: unknown,
  quirks: VenueQuirks,
): EventInput<"liquidations"> | undefined {
  if (!isRecord(entry)) return undefined;
  const ts = microsOf(entry["timestamp"]);
  const side = sideOf(entry["side"], quirks);
  const price = aboveZero(entry["price"]);
  // CCXT's baseValue is computed only where its parser was given the market, and as if the contract were linear.
  const contracts = aboveZero(entry["contracts"]);
  if (ts === undefined || side === undefined || price === undefined || contracts === undefined)
    return undefined;
  const size = contracts * contractSize;
  const amount = tidy(inverse ? size / price : size);
  const row = { ts, exchange, symbol, side, price, amount, value_usd: tidy(inverse ? size : size * price) };
  const id = quirks.liquidationIdField === undefined ? undefined : rawId(entry, quirks.liquidationIdField);
  return id === undefined ? row : { ...row, event_id: id };
}

/** "8h" → 8; CCXT passes milliseconds through for lengths it has no name for. */
export function hoursOf(interval: unknown): number | undefined {
  if (typeof interval !== "string") return undefined;
  const match = /^(\d+(?:\.\d+)?)([hmd]?)$/.exec(interval);
  const hours = Number(match?.[1]) * (HOURS_OF_UNIT[match?.[2] ?? ""] ?? Number.NaN);
  return hours > 0 ? hours : undefined;
}

const HOURS_OF_UNIT: Readonly<Record<string, number>> = { h: 1, m: 1 / 60, d: 24, "": 1 / 3_600_000 };

/**
 * CCXT's `fundingTimestamp` is the charge of the rate it comes with, `nextFundingTimestamp` the one after; a venue may
 * still name the last charge for a moment.
 */
function nextChargeUs(nowUs: number, entry: Readonly<Record<string, unknown>>): number | undefined {
  const candidates = [microsOf(entry["fundingTimestamp"]), microsOf(entry["nextFundingTimestamp"])];
  return candidates.find((us) => us !== undefined && us > nowUs);
}

function sideOf(side: unknown, { liquidationSide }: VenueQuirks): "buy" | "sell" | undefined {
  if (side !== "buy" && side !== "sell") return undefined;
  if (liquidationSide === "order") return side;
  return side === "buy" ? "sell" : "buy";
}

function rawId(entry: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const info = entry["info"];
  const id = isRecord(info) ? info[field] : undefined;
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}

/** Without the last digit's noise of a product: 2.413, not 2.4130000000000003. */
function tidy(product: number): number {
  return Number(product.toPrecision(15));
}

export function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function atLeastZero(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && number >= 0 ? number : undefined;
}

function aboveZero(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && number > 0 ? number : undefined;
}

/** Milliseconds since 1970 → microseconds; undefined unless it is a plausible whole number. */
function microsOf(ms: unknown): number | undefined {
  const micros = typeof ms === "number" ? Math.trunc(ms) * 1000 : Number.NaN;
  return Number.isSafeInteger(micros) && micros > 0 ? micros : undefined;
}

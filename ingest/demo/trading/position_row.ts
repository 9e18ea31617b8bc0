// Rows of `positions`: one mark of what a strategy holds. Pure.
import type { EventInput } from "../../../schema/registry.ts";
import type { Margin } from "./margin.ts";
import type { Listing } from "./market_walk.ts";
import { money, type Position } from "./portfolio.ts";

type Row = EventInput<"positions">;

/** Whose position it is. */
export interface Holder {
  readonly account: string;
  readonly strategy: string;
}

/** A mark of an open position. */
export function openRow(
  ts: number,
  holder: Holder,
  { venue, symbol, amountOf }: Listing,
  position: Position,
  markPrice: number,
  margin: Margin,
): Row {
  const side = sideOf(position);
  return {
    ts,
    ...holder,
    exchange: venue,
    symbol,
    position_id: positionId(symbol, side),
    side,
    amount: amountOf(Math.abs(position.lots)),
    entry_price: position.entryPrice,
    mark_price: markPrice,
    notional_usd: money(margin.notional),
    unrealized_pnl: money(margin.unrealizedPnl),
    leverage: margin.leverage,
    margin_ratio: margin.marginRatio,
    liquidation_price: margin.liquidationPrice,
  };
}

/** The last mark of a position that was closed: without it, the newest row would show it open for ever. */
export function closedRow(
  ts: number,
  holder: Holder,
  { venue, symbol }: Listing,
  closed: Position,
  price: number,
): Row {
  const side = sideOf(closed);
  return {
    ts,
    ...holder,
    exchange: venue,
    symbol,
    position_id: positionId(symbol, side),
    side,
    amount: 0,
    mark_price: price,
    notional_usd: 0,
    unrealized_pnl: 0,
  };
}

function sideOf({ lots }: Position): "long" | "short" {
  return lots < 0 ? "short" : "long";
}

function positionId(symbol: string, side: string): string {
  return `${symbol}:${side}`;
}

// Isolated margin of a linear perpetual, as exchanges define it. Pure.

/** Maintenance margin as a fraction of notional: the lowest tier of the big venues. */
export const MAINTENANCE_RATE = 0.005;

export interface MarginInput {
  /** 1 long, −1 short. */
  readonly direction: 1 | -1;
  /** Base currency, positive. */
  readonly amount: number;
  readonly entryPrice: number;
  readonly markPrice: number;
  /** Notional at entry ÷ margin posted. */
  readonly entryLeverage: number;
}

export interface Margin {
  readonly notional: number;
  readonly unrealizedPnl: number;
  /** Posted when the position was opened. */
  readonly margin: number;
  /** Notional now ÷ margin posted. */
  readonly leverage: number;
  /** Maintenance margin ÷ (margin + unrealized); 1 is liquidation. */
  readonly marginRatio: number;
  /** The mark price at which the ratio is 1; 0 when a long cannot be liquidated. */
  readonly liquidationPrice: number;
}

export function marginOf({ direction, amount, entryPrice, markPrice, entryLeverage }: MarginInput): Margin {
  const notional = amount * markPrice;
  const margin = (amount * entryPrice) / entryLeverage;
  const unrealizedPnl = direction * amount * (markPrice - entryPrice);
  // margin + direction × amount × (P − entry) = rate × amount × P, solved for P.
  const price = (direction * entryPrice - margin / amount) / (direction - MAINTENANCE_RATE);
  return {
    notional,
    unrealizedPnl,
    margin,
    leverage: notional / margin,
    marginRatio: (MAINTENANCE_RATE * notional) / (margin + unrealizedPnl),
    liquidationPrice: Math.max(0, price),
  };
}

// Accounting of one strategy: fills in, positions and profit out. Average cost, one net position per symbol. Pure.
//
// Money: a fill's realized profit is before fees, as exchanges report it. `realizedPnl` of the whole is after fees, so
// that equity = capital + realized + unrealized.

/** What a fill does to the books. Lots are whole numbers; `lotBase` is the base currency in one lot. */
export interface BookedFill {
  readonly symbol: string;
  readonly side: "buy" | "sell";
  readonly lots: number;
  /** `lots` in base currency. */
  readonly amount: number;
  readonly price: number;
  /** In quote currency; negative is a rebate. */
  readonly fee: number;
}

export interface Position {
  readonly symbol: string;
  /** Whole lots, negative when short, 0 when flat. */
  readonly lots: number;
  /** Average price of what is held; 0 when flat. */
  readonly entryPrice: number;
}

export interface PnlMark {
  /** After fees. */
  readonly realizedPnl: number;
  readonly unrealizedPnl: number;
  readonly equity: number;
  readonly peakEquity: number;
  /** equity ÷ peak − 1. */
  readonly drawdown: number;
}

/** Rounds money to what exchanges keep, so that sums of rows and sums in here are the same sums. */
export function money(value: number): number {
  return Math.round(value * 1e8) / 1e8;
}

export class Portfolio {
  readonly capital: number;
  readonly #positions = new Map<string, Position>();
  #realizedPnl = 0;
  #fees = 0;
  #peakEquity: number;

  constructor(capital: number) {
    this.capital = capital;
    this.#peakEquity = capital;
  }

  /** Profit realized so far before fees, in quote currency. */
  get grossPnl(): number {
    return this.#realizedPnl;
  }

  get fees(): number {
    return this.#fees;
  }

  /** Positions that are not flat. */
  get positions(): readonly Position[] {
    return [...this.#positions.values()].filter(({ lots }) => lots !== 0);
  }

  position(symbol: string): Position {
    return this.#positions.get(symbol) ?? { symbol, lots: 0, entryPrice: 0 };
  }

  /** Books a fill and returns the profit it realized, before its fee. */
  apply({ symbol, side, lots, amount, price, fee }: BookedFill): number {
    const before = this.position(symbol);
    const change = side === "buy" ? lots : -lots;
    const after = before.lots + change;
    const closedLots =
      Math.sign(before.lots) === -Math.sign(change) ? Math.min(Math.abs(before.lots), lots) : 0;
    const closedAmount = (amount * closedLots) / lots;
    const realized = money(closedAmount * (price - before.entryPrice) * Math.sign(before.lots));
    this.#positions.set(symbol, { symbol, lots: after, entryPrice: entryPrice(before, change, price) });
    this.#realizedPnl = money(this.#realizedPnl + realized);
    this.#fees = money(this.#fees + fee);
    return realized;
  }

  /** Marks everything held. `unrealizedOf` values one position; the peak moves with each mark. */
  mark(unrealizedOf: (position: Position) => number): PnlMark {
    const realizedPnl = money(this.#realizedPnl - this.#fees);
    const unrealizedPnl = money(this.positions.reduce((sum, position) => sum + unrealizedOf(position), 0));
    const equity = money(this.capital + realizedPnl + unrealizedPnl);
    this.#peakEquity = Math.max(this.#peakEquity, equity);
    const peakEquity = this.#peakEquity;
    return { realizedPnl, unrealizedPnl, equity, peakEquity, drawdown: equity / peakEquity - 1 };
  }
}

/** Adding averages; reducing keeps the entry; what goes beyond flat is a new position at the fill's price. */
function entryPrice({ lots, entryPrice: entry }: Position, change: number, price: number): number {
  const after = lots + change;
  if (after === 0) return 0;
  if (lots === 0 || Math.sign(after) !== Math.sign(lots)) return price;
  if (Math.sign(change) !== Math.sign(lots)) return entry;
  return (entry * lots + price * change) / after;
}

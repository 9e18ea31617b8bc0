// Positions, PnL and account marks of the reference workload: thirty positions of ten strategies on five accounts, marked every
// ten seconds. A position is closed and opened anew now and then, so that realized PnL moves too.
import { RandomStream } from "../../../ingest/demo/simulator/random.ts";
import type { EventInput } from "../../../schema/registry.ts";
import { W90_COINS } from "./coins.ts";
import { EXCHANGES } from "./exchanges.ts";
import type { W90Market } from "./market.ts";
import { decimals, PeriodicStream, SECOND_US, type Stream } from "./stream.ts";

const MARK_US = 10 * SECOND_US;
const POSITIONS = 30;
const CAPITAL = 100_000;
const LEVERAGE = 5;
/** Chance that a position is replaced at a mark. */
const TURNOVER = 1 / 1500;

export const STRATEGY_NAMES = [1, 2].flatMap((number) =>
  ["momentum", "carry", "meanrev", "breakout", "basis"].map((idea) => `${idea}-${number}`),
);
const STRATEGIES = STRATEGY_NAMES.length;

/** By exchange. */
export const ACCOUNTS = EXCHANGES.map((exchange) => `main-${exchange}`);

// Rows are written as plain literals throughout the workload: spreading objects together costs ten times as much as the rest.
interface Position {
  readonly coin: number;
  readonly exchange: number;
  readonly strategy: number;
  number: number;
  direction: 1 | -1;
  amount: number;
  entryPrice: number;
  markPrice: number;
}

export class Portfolio {
  readonly #random: RandomStream;
  readonly #market: W90Market;
  readonly #positions: Position[];
  readonly #realized = new Float64Array(STRATEGIES);
  readonly #peaks = new Float64Array(STRATEGIES).fill(CAPITAL);

  constructor(seed: number, market: W90Market) {
    this.#random = new RandomStream(seed, "w90/portfolio");
    this.#market = market;
    this.#positions = Array.from({ length: POSITIONS }, (_, index) => {
      const [strategy, exchange] = [index % STRATEGIES, index % EXCHANGES.length];
      return this.#opened({ coin: index, exchange, strategy, number: 1 });
    });
  }

  /** One after the other at the same moment: positions move the portfolio, the other two read it. */
  streams(startUs: number): Stream[] {
    return [
      new PeriodicStream("positions", startUs, MARK_US, (ts) => this.#markPositions(ts)),
      new PeriodicStream("pnl", startUs, MARK_US, (ts) => this.#pnl(ts)),
      new PeriodicStream("account_marks", startUs, MARK_US, (ts) => this.#accountMarks(ts)),
    ];
  }

  #opened(of: Pick<Position, "coin" | "exchange" | "strategy" | "number">): Position {
    const entryPrice = this.#market.markPrice(of.exchange, of.coin);
    const amount = this.#market.lots(of.coin, 2_000 + 18_000 * this.#random.next());
    const direction = this.#random.next() < 0.6 ? 1 : -1;
    return { ...of, direction, amount, entryPrice, markPrice: entryPrice };
  }

  #markPositions(ts: number): EventInput<"positions">[] {
    return this.#positions.map((held, index) => {
      let position = held;
      position.markPrice = this.#market.markPrice(position.exchange, position.coin);
      if (this.#random.next() < TURNOVER) {
        this.#realized[position.strategy] = (this.#realized[position.strategy] ?? 0) + unrealized(position);
        position = this.#opened({ ...position, number: position.number + 1 });
        this.#positions[index] = position;
      }
      const notional = position.amount * position.markPrice;
      return {
        ts,
        account: ACCOUNTS[position.exchange] ?? "",
        strategy: STRATEGY_NAMES[position.strategy] ?? "",
        exchange: EXCHANGES[position.exchange] ?? "",
        symbol: W90_COINS[position.coin]?.symbol ?? "",
        position_id: `p${index}-${position.number}`,
        side: position.direction > 0 ? "long" : "short",
        amount: position.amount,
        entry_price: position.entryPrice,
        mark_price: position.markPrice,
        notional_usd: decimals(notional, 2),
        unrealized_pnl: decimals(unrealized(position), 4),
        leverage: LEVERAGE,
        margin_ratio: decimals(0.025 * (1 + Math.abs(unrealized(position)) / notional), 6),
        liquidation_price: decimals(position.entryPrice * (1 - (0.9 * position.direction) / LEVERAGE), 8),
      };
    });
  }

  #pnl(ts: number): EventInput<"pnl">[] {
    return Array.from({ length: STRATEGIES }, (_, strategy) => {
      const open = this.#sum((p) => (p.strategy === strategy ? unrealized(p) : 0));
      const equity = CAPITAL + (this.#realized[strategy] ?? 0) + open;
      const peak = Math.max(this.#peaks[strategy] ?? CAPITAL, equity);
      this.#peaks[strategy] = peak;
      return {
        ts,
        account: ACCOUNTS[strategy % EXCHANGES.length] ?? "",
        strategy: STRATEGY_NAMES[strategy] ?? "",
        currency: "USDT",
        realized_pnl: decimals(this.#realized[strategy] ?? 0, 4),
        unrealized_pnl: decimals(open, 4),
        equity: decimals(equity, 4),
        peak_equity: decimals(peak, 4),
        drawdown: decimals(equity / peak - 1, 6),
      };
    });
  }

  #accountMarks(ts: number): EventInput<"account_marks">[] {
    return EXCHANGES.map((exchange, index) => {
      const margin = this.#sum((p) => (p.exchange === index ? (p.amount * p.markPrice) / LEVERAGE : 0));
      const open = this.#sum((p) => (p.exchange === index ? unrealized(p) : 0));
      const balance = (CAPITAL * STRATEGIES) / EXCHANGES.length + open;
      return {
        ts,
        account: ACCOUNTS[index] ?? "",
        exchange,
        balance: decimals(balance, 4),
        margin_used: decimals(margin, 4),
        capital_utilization: decimals(margin / balance, 6),
        open_orders: Math.floor(this.#random.exponential(4)),
      };
    });
  }

  #sum(of: (position: Position) => number): number {
    return this.#positions.reduce((sum, position) => sum + of(position), 0);
  }
}

function unrealized({ direction, amount, markPrice, entryPrice }: Position): number {
  return direction * amount * (markPrice - entryPrice);
}

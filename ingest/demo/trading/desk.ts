// One strategy at work: its signals become orders, its orders fills, its fills books. Emits signals, orders, fills, pnl
// and positions, which agree with each other because they all come from here.
import { RandomStream } from "../simulator/random.ts";
import type { Emit, Identity, Stamps } from "./emit.ts";
import { type Margin, marginOf } from "./margin.ts";
import type { Listing, MarketWalk, Quote } from "./market_walk.ts";
import { type Execution, Order, type OrderChange, type Ticket } from "./order.ts";
import { money, Portfolio, type Position } from "./portfolio.ts";
import { closedRow, type Holder, openRow } from "./position_row.ts";
import { type Signal, Strategy, type StrategySpec } from "./strategy.ts";

const CURRENCY = "USDT";
const MAKER_FEE = 0.0002;
const TAKER_FEE = 0.0005;
/** Of the capital: a usual order, and the largest position per symbol. */
const ORDER_SHARE = 0.01;
const POSITION_SHARE_MAX = 0.25;
/** From this strength on it does not wait for its price. */
const URGENT_STRENGTH = 0.55;

export interface DeskOptions {
  readonly spec: StrategySpec;
  readonly seed: number;
  /** Makes order ids of this run differ from those of other runs. */
  readonly runId: string;
  readonly identity: Identity;
  readonly market: MarketWalk;
  readonly stamps: Stamps;
  readonly emit: Emit;
  readonly firstSignalUs: number;
}

/** What a desk contributes to its account. In USDT. */
export interface DeskMark {
  /** Capital plus realized profit after fees: what is there when all positions are closed at their entry. */
  readonly balance: number;
  readonly marginUsed: number;
  readonly openOrders: number;
}

interface Working {
  readonly order: Order;
  readonly listing: Listing;
}

export class Desk {
  readonly spec: StrategySpec;
  readonly #options: DeskOptions;
  readonly #holder: Holder;
  readonly #strategy: Strategy;
  readonly #portfolio: Portfolio;
  readonly #random: RandomStream;
  /** By symbol: one order at a time. */
  readonly #working = new Map<string, Working>();
  #orders = 0;

  constructor(options: DeskOptions) {
    const { spec, seed, identity, firstSignalUs } = options;
    this.spec = spec;
    this.#options = options;
    this.#holder = { account: identity.account, strategy: spec.name };
    this.#strategy = new Strategy(spec, seed, firstSignalUs);
    this.#portfolio = new Portfolio(spec.capital);
    this.#random = new RandomStream(seed, `desk/${spec.name}`);
  }

  /** Lets everything happen that is due by `nowUs`. Orders are served before new signals. */
  step(nowUs: number): void {
    for (const [symbol, { order, listing }] of this.#working) {
      const quote = this.#quote(listing, nowUs);
      for (const change of order.step(nowUs, quote)) this.#record(order, listing, change, nowUs);
      if (order.ended) this.#working.delete(symbol);
    }
    const signal = this.#strategy.step(nowUs, (listing) => this.#quote(listing, nowUs));
    if (signal !== undefined) this.#act(signal, nowUs);
  }

  /** Emits one mark of the profit and of every open position, all with the time `ts`. */
  mark(ts: number): DeskMark {
    const { emit } = this.#options;
    let marginUsed = 0;
    const pnl = this.#portfolio.mark((position) => {
      const listing = this.#listing(position.symbol);
      const { mark } = this.#quote(listing, ts);
      const margin = this.#margin(listing, position, mark);
      marginUsed += margin.margin;
      const row = openRow(ts, this.#holder, listing, position, mark, margin);
      emit("positions", row);
      return row.unrealized_pnl ?? 0;
    });
    emit("pnl", {
      ts,
      ...this.#holder,
      currency: CURRENCY,
      realized_pnl: pnl.realizedPnl,
      unrealized_pnl: pnl.unrealizedPnl,
      equity: pnl.equity,
      peak_equity: pnl.peakEquity,
      drawdown: pnl.drawdown,
    });
    const balance = money(this.#portfolio.capital + pnl.realizedPnl);
    return { balance, marginUsed: money(marginUsed), openOrders: this.#working.size };
  }

  #act(signal: Signal, nowUs: number): void {
    const { emit, stamps } = this.#options;
    const { listing, direction, strength, price } = signal;
    const { name: strategy, indicator } = this.spec;
    const ts = stamps.next(nowUs);
    const about = { exchange: listing.venue, symbol: listing.symbol };
    emit("signals", { ts, strategy, ...about, indicator, signal: direction, strength, price });
    const ticket = this.#ticket(signal, nowUs);
    if (ticket === undefined) return;
    const first = this.#orders++ === 0;
    const id = `${this.#options.runId}-${strategy}-${this.#orders}`;
    const order = new Order(id, ticket, stamps.next(nowUs), this.#random, first);
    this.#working.set(listing.symbol, { order, listing });
    this.#record(order, listing, order.sent(), nowUs);
  }

  /** The order that answers a signal; none while one is at work, or when the position is large enough. */
  #ticket({ listing, direction, strength, price }: Signal, nowUs: number): Ticket | undefined {
    if (this.#working.has(listing.symbol)) return undefined;
    const { capital } = this.#portfolio;
    const held = this.#portfolio.position(listing.symbol).lots;
    const heldShare = (listing.amountOf(Math.abs(held)) * price) / capital;
    if (direction === "neutral") {
      if (heldShare < ORDER_SHARE) return undefined;
      return this.#limit(listing, held > 0 ? "sell" : "buy", Math.ceil(Math.abs(held) / 2), nowUs);
    }
    const adds = Math.sign(held) !== (direction === "buy" ? -1 : 1);
    if (adds && heldShare > POSITION_SHARE_MAX) return undefined;
    const lots = listing.lotsFor(capital * ORDER_SHARE * (0.5 + strength), price);
    const urgent = strength >= URGENT_STRENGTH || this.#orders === 0;
    return urgent ? { side: direction, type: "market", lots } : this.#limit(listing, direction, lots, nowUs);
  }

  #limit(listing: Listing, side: "buy" | "sell", lots: number, nowUs: number): Ticket {
    const { bid, ask } = this.#quote(listing, nowUs);
    return { side, type: "limit", lots, limitPrice: side === "buy" ? bid : ask };
  }

  #record(order: Order, listing: Listing, change: OrderChange, nowUs: number): void {
    const { emit, stamps, identity } = this.#options;
    const { ticket } = order;
    const ts = change.atUs ?? stamps.next(nowUs);
    emit("orders", {
      ts,
      account: identity.account,
      exchange: listing.venue,
      order_id: order.id,
      seq: change.seq,
      strategy: this.spec.name,
      symbol: listing.symbol,
      side: ticket.side,
      order_type: ticket.type,
      status: change.status,
      price: ticket.limitPrice ?? null,
      amount: listing.amountOf(ticket.lots),
      filled_amount: listing.amountOf(change.filledLots),
      latency_ms: change.latencyMs ?? null,
      reason: change.reason ?? null,
    });
    if (change.execution !== undefined) this.#book(order, listing, change.seq, change.execution, ts);
    if (change.status === "rejected") this.#complain(listing, change.reason ?? "", ts);
  }

  #book(order: Order, listing: Listing, seq: number, { lots, price, isMaker }: Execution, ts: number): void {
    const { emit, identity } = this.#options;
    const { symbol, venue } = listing;
    const { side } = order.ticket;
    const amount = listing.amountOf(lots);
    const fee = money(amount * price * (isMaker ? MAKER_FEE : TAKER_FEE));
    const before = this.#portfolio.position(symbol);
    const realized = this.#portfolio.apply({ symbol, side, lots, amount, price, fee });
    emit("fills", {
      ts,
      account: identity.account,
      exchange: venue,
      fill_id: `${order.id}-${seq}`,
      order_id: order.id,
      strategy: this.spec.name,
      symbol,
      side,
      price,
      amount,
      fee,
      fee_currency: CURRENCY,
      realized_pnl: realized,
      is_maker: isMaker,
    });
    this.#markTurn(listing, before, price, ts);
  }

  /** A position that opens or closes is marked at once; in between the regular marks do. */
  #markTurn(listing: Listing, before: Position, price: number, ts: number): void {
    const { emit } = this.#options;
    const after = this.#portfolio.position(listing.symbol);
    if (Math.sign(after.lots) === Math.sign(before.lots)) return;
    if (before.lots !== 0) emit("positions", closedRow(ts, this.#holder, listing, before, price));
    if (after.lots === 0) return;
    emit("positions", openRow(ts, this.#holder, listing, after, price, this.#margin(listing, after, price)));
  }

  #complain({ venue, symbol }: Listing, reason: string, ts: number): void {
    const { emit, identity } = this.#options;
    emit("daemon_errors", {
      ts,
      daemon: identity.daemon,
      instance: identity.instance,
      component: "execution",
      exchange: venue,
      severity: "warning",
      code: reason.startsWith("insufficient") ? "InsufficientFunds" : "InvalidOrder",
      message: `simulated: ${this.spec.name} ${symbol}: ${reason}`,
    });
  }

  #margin({ amountOf }: Listing, { lots, entryPrice }: Position, markPrice: number): Margin {
    const direction = lots > 0 ? 1 : -1;
    const amount = amountOf(Math.abs(lots));
    return marginOf({ direction, amount, entryPrice, markPrice, entryLeverage: this.spec.leverage });
  }

  #quote(listing: Listing, nowUs: number): Quote {
    return this.#options.market.quote(listing, nowUs);
  }

  #listing(symbol: string): Listing {
    const listing = this.#strategy.listings.find((candidate) => candidate.symbol === symbol);
    if (listing === undefined) throw new Error(`${this.spec.name} does not trade ${symbol}`);
    return listing;
  }
}

// Signals, orders and fills of the reference workload. A day has 1,000 market orders (new, filled; one fill), 1,000 limit
// orders that are filled (new, open, filled; two fills) and 1,000 that are canceled (new, open, canceled).
import { RandomStream } from "../../../ingest/demo/simulator/random.ts";
import type { EventInput } from "../../../schema/registry.ts";
import { W90_COINS } from "./coins.ts";
import { EXCHANGES } from "./exchanges.ts";
import type { W90Market } from "./market.ts";
import { ACCOUNTS, STRATEGY_NAMES } from "./portfolio.ts";
import {
  DAY_US,
  DailyStream,
  decimals,
  pick,
  SECOND_US,
  type Slot,
  type Stream,
  scattered,
  slot,
} from "./stream.ts";

const SIGNALS_PER_DAY = 5_000;
const ORDERS_OF_EACH_KIND = 1_000;
const KINDS = ["market", "limit", "canceled"] as const;
/** An order lives at most so long, so that none outlives its day. */
const ORDER_LIFE_US = 120 * SECOND_US;

export function tradingStreams(seed: number, startUs: number, market: W90Market): Stream[] {
  return [signalStream(seed, startUs, market), new OrderStream(seed, startUs, market)];
}

function signalStream(seed: number, startUs: number, market: W90Market): Stream {
  const random = new RandomStream(seed, "w90/signals");
  const offsets = () => Float64Array.from(scattered(random, SIGNALS_PER_DAY));
  return new DailyStream(startUs, offsets, (ts, index) => {
    const [exchange, coin] = [index % EXCHANGES.length, Math.floor(random.next() * W90_COINS.length)];
    return slot("signals", ts, [
      {
        ts,
        strategy: anyStrategy(random),
        exchange: EXCHANGES[exchange] ?? "",
        symbol: W90_COINS[coin]?.symbol ?? "",
        event_id: `${ts}-${index}`,
        indicator: pick(random, ["ema_cross", "rsi", "funding_skew", "oi_breakout"]),
        signal: pick(random, ["buy", "sell", "neutral"]),
        strength: decimals(random.next(), 4),
        price: market.markPrice(exchange, coin),
      },
    ]);
  });
}

function anyStrategy(random: RandomStream): string {
  return STRATEGY_NAMES[Math.floor(random.next() * STRATEGY_NAMES.length)] ?? "";
}

/** The changes of all orders of a day are made at its start, and come out in the order of their times. */
class OrderStream implements Stream {
  readonly #random: RandomStream;
  readonly #market: W90Market;
  #dayUs: number;
  #orders = 0;
  #slots: readonly Slot[] = [];
  #index = 0;

  constructor(seed: number, startUs: number, market: W90Market) {
    this.#random = new RandomStream(seed, "w90/orders");
    this.#market = market;
    this.#dayUs = startUs;
    this.#makeDay();
  }

  get dueUs(): number {
    return this.#slots[this.#index]?.tsUs ?? this.#dayUs;
  }

  take(): Slot {
    const taken = this.#slots[this.#index];
    if (taken === undefined) throw new Error("a day without orders");
    this.#index += 1;
    if (this.#index === this.#slots.length) {
      this.#dayUs += DAY_US;
      this.#makeDay();
    }
    return taken;
  }

  #makeDay(): void {
    const starts = scattered(this.#random, KINDS.length * ORDERS_OF_EACH_KIND, 0, DAY_US - 2 * ORDER_LIFE_US);
    const slots = starts.flatMap((offset, index) =>
      this.#order(this.#dayUs + offset, KINDS[index % KINDS.length] ?? "market"),
    );
    this.#slots = slots.sort((a, b) => a.tsUs - b.tsUs);
    this.#index = 0;
  }

  #order(tsUs: number, kind: (typeof KINDS)[number]): Slot[] {
    const random = this.#random;
    const [exchange, coin] = [
      Math.floor(random.next() * EXCHANGES.length),
      Math.floor(random.exponential(8)) % 50,
    ];
    const price = this.#market.markPrice(exchange, coin);
    const amount = this.#market.lots(coin, 500 + random.exponential(3_000));
    const side: "buy" | "sell" = pick(random, ["buy", "sell"]);
    const number = this.#orders++;
    const ids = {
      account: ACCOUNTS[exchange] ?? "",
      exchange: EXCHANGES[exchange] ?? "",
      order_id: `o-${100_000 + number}`,
      strategy: anyStrategy(random),
      symbol: W90_COINS[coin]?.symbol ?? "",
      side,
    };
    const latencyMs = decimals(8 + random.exponential(25), 3);
    const openUs = tsUs + Math.round(latencyMs * 1000) + 1;
    const endUs = openUs + 1 + Math.floor(random.next() * (ORDER_LIFE_US / 2));
    const change = (ts: number, seq: number, of: Partial<EventInput<"orders">>): Slot =>
      slot("orders", ts, [
        {
          ts,
          ...ids,
          seq,
          order_type: kind === "market" ? "market" : "limit",
          status: "new",
          price,
          amount,
          ...of,
        },
      ]);
    const fill = (ts: number, part: number, parts: number): Slot =>
      slot("fills", ts, [fillOf({ ts, ...ids, price, amount: amount / parts }, part, kind !== "market")]);
    const placed = change(tsUs, 0, { status: "new", filled_amount: 0 });
    const filled = { status: "filled", filled_amount: amount, latency_ms: latencyMs } as const;
    if (kind === "market") return [placed, change(openUs, 1, filled), fill(openUs, 0, 1)];
    const opened = change(openUs, 1, { status: "open", filled_amount: 0, latency_ms: latencyMs });
    if (kind === "canceled") {
      const end = { status: "canceled", filled_amount: 0, reason: "replaced by the strategy" } as const;
      return [placed, opened, change(endUs, 2, end)];
    }
    return [placed, opened, fill(endUs, 0, 2), fill(endUs, 1, 2), change(endUs, 2, filled)];
  }
}

type FillBase = Omit<EventInput<"fills">, "fill_id" | "is_maker">;

function fillOf(base: FillBase, part: number, isMaker: boolean): EventInput<"fills"> {
  const fee = decimals(base.price * base.amount * (isMaker ? 0.0002 : 0.0005), 8);
  return {
    ...base,
    fill_id: `${base.order_id}-${part}`,
    fee,
    fee_currency: "USDT",
    realized_pnl: 0,
    is_maker: isMaker,
  };
}

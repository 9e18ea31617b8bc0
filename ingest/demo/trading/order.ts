// The life of one simulated order: new → open → partly filled → filled, or rejected, or cancelled. Decides when and at
// what price it fills; knows nothing of books and rows.
import type { RandomStream } from "../simulator/random.ts";
import { onTick, type Quote } from "./market_walk.ts";

export type OrderStatus = "new" | "open" | "partially_filled" | "filled" | "canceled" | "rejected";

const NEXT: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  new: ["open", "rejected"],
  open: ["partially_filled", "filled", "canceled"],
  partially_filled: ["partially_filled", "filled", "canceled"],
  filled: [],
  canceled: [],
  rejected: [],
};

/** What is asked of the exchange. */
export interface Ticket {
  readonly side: "buy" | "sell";
  readonly type: "market" | "limit";
  readonly lots: number;
  /** Of a limit order. */
  readonly limitPrice?: number;
}

export interface Execution {
  readonly lots: number;
  readonly price: number;
  readonly isMaker: boolean;
}

/** One change of an order. */
export interface OrderChange {
  readonly seq: number;
  readonly status: OrderStatus;
  readonly filledLots: number;
  /** When it happened in µs, where that is known; else it happens now. */
  readonly atUs?: number;
  readonly latencyMs?: number;
  readonly reason?: string;
  readonly execution?: Execution;
}

/** What the exchange is going to do, drawn when the order is sent. */
interface Fate {
  readonly answerMs: number;
  readonly rejection?: string;
  readonly patienceS: number;
}

const REJECTED_SHARE = 0.03;
/** How probable it is in one step that somebody trades against a limit order at the touch. */
const HIT_SHARE = 0.05;

export class Order {
  readonly id: string;
  readonly ticket: Ticket;
  readonly sentUs: number;
  readonly #random: RandomStream;
  readonly #fate: Fate;
  #status: OrderStatus = "new";
  #seq = 0;
  #filledLots = 0;

  /** `certain` orders are never rejected. */
  constructor(id: string, ticket: Ticket, sentUs: number, random: RandomStream, certain: boolean) {
    this.id = id;
    this.ticket = ticket;
    this.sentUs = sentUs;
    this.#random = random;
    this.#fate = drawFate(random, ticket, certain);
  }

  get status(): OrderStatus {
    return this.#status;
  }

  /** No change comes any more. */
  get ended(): boolean {
    return NEXT[this.#status].length === 0;
  }

  /** The change of sending it; everything later comes from `step`. */
  sent(): OrderChange {
    return { seq: 0, status: "new", filledLots: 0, atUs: this.sentUs };
  }

  /** What happens until `nowUs`, in order. */
  step(nowUs: number, quote: Quote): readonly OrderChange[] {
    const changes: OrderChange[] = [];
    if (this.#status === "new") {
      const answeredUs = this.sentUs + Math.round(this.#fate.answerMs * 1000);
      if (nowUs < answeredUs) return changes;
      changes.push(this.#answer(answeredUs));
    }
    if (this.ended) return changes;
    const execution = this.#execution(quote);
    if (execution !== undefined) {
      this.#filledLots += execution.lots;
      const status = this.#filledLots === this.ticket.lots ? "filled" : "partially_filled";
      changes.push(this.#change(status, { execution }));
    } else if (nowUs >= this.sentUs + this.#fate.patienceS * 1e6) {
      const reason = `not filled within ${this.#fate.patienceS} s`;
      changes.push(this.#change("canceled", { reason, latencyMs: drawLatencyMs(this.#random) }));
    }
    return changes;
  }

  #answer(atUs: number): OrderChange {
    const { answerMs: latencyMs, rejection: reason } = this.#fate;
    if (reason === undefined) return this.#change("open", { atUs, latencyMs });
    return this.#change("rejected", { atUs, latencyMs, reason });
  }

  #execution(quote: Quote): Execution | undefined {
    const { side, type, limitPrice } = this.ticket;
    const buy = side === "buy";
    const left = this.ticket.lots - this.#filledLots;
    if (type === "market" || limitPrice === undefined) {
      const slipTicks = this.#random.next() < 0.2 ? 1 : 0;
      const price = buy ? quote.ask + slipTicks * quote.tick : quote.bid - slipTicks * quote.tick;
      return { lots: this.#share(left), price: onTick(price, quote.tick), isMaker: false };
    }
    const crossed = buy ? quote.ask <= limitPrice : quote.bid >= limitPrice;
    if (crossed) return { lots: left, price: limitPrice, isMaker: true };
    const atTouch = buy ? quote.bid <= limitPrice : quote.ask >= limitPrice;
    if (!atTouch || this.#random.next() >= HIT_SHARE) return undefined;
    return { lots: this.#share(left), price: limitPrice, isMaker: true };
  }

  /** All of it more often than a part. */
  #share(lots: number): number {
    if (lots < 3 || this.#random.next() < 0.55) return lots;
    return Math.max(1, Math.floor(lots * (0.3 + 0.4 * this.#random.next())));
  }

  #change(status: OrderStatus, more: Omit<OrderChange, "seq" | "status" | "filledLots">): OrderChange {
    if (!NEXT[this.#status].includes(status))
      throw new Error(`order ${this.id}: ${this.#status} → ${status}`);
    this.#status = status;
    this.#seq += 1;
    return { seq: this.#seq, status, filledLots: this.#filledLots, ...more };
  }
}

function drawFate(random: RandomStream, { type }: Ticket, certain: boolean): Fate {
  const answerMs = drawLatencyMs(random);
  const patienceS = 10 + Math.floor(random.next() * 35);
  const rejected = random.next() < REJECTED_SHARE && !certain;
  if (!rejected) return { answerMs, patienceS };
  const rejection = type === "limit" ? "post-only order would take liquidity" : "insufficient margin";
  return { answerMs, patienceS, rejection };
}

/** Around 45 ms with a long tail, as a venue on the same continent answers. */
function drawLatencyMs(random: RandomStream): number {
  return Math.round(45 * Math.exp(0.45 * random.normal()) * 100) / 100;
}

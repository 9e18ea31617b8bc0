// Polls public liquidations of one symbol without gaps and without repeating itself: each poll reaches back behind the
// last successful one, because venues publish late, and what was handed over already is left out.
import type { EventInput } from "../../../schema/registry.ts";
import type { Clock } from "../../clock.ts";
import type { CcxtExchange } from "./ccxt_exchange.ts";
import { MalformedResponse } from "./classify_error.ts";
import type { Harvest } from "./fetch_attempt.ts";
import { liquidationRow, type Market } from "./rows.ts";
import { quirksOf } from "./venue_quirks.ts";

/** How long after its time a liquidation may still turn up. */
const LATE_MS = 60_000;

export interface LiquidationsAsked {
  readonly call: () => Promise<unknown>;
  readonly harvest: (answer: unknown) => Harvest<"liquidations">;
  /** To be called when the rows of the harvest are durable. */
  readonly done: () => void;
}

export class LiquidationsSince {
  readonly #exchange: string;
  readonly #market: Market;
  readonly #clock: Clock;
  #fromMs: number;
  /** Rows handed over, by content, with their time. */
  readonly #known = new Map<string, number>();

  constructor(exchange: string, market: Market, clock: Clock, everyMs: number) {
    this.#exchange = exchange;
    this.#market = market;
    this.#clock = clock;
    this.#fromMs = nowMs(clock) - everyMs - LATE_MS;
  }

  ask(ccxt: CcxtExchange): LiquidationsAsked {
    const quirks = quirksOf(this.#exchange);
    const startedMs = nowMs(this.#clock);
    const fromMs = Math.max(
      this.#fromMs,
      startedMs - (quirks.liquidationsLookbackMs ?? Number.POSITIVE_INFINITY),
    );
    const { liquidationsFromSecondsParam: param, liquidationsLimit: limit } = quirks;
    const { symbol } = this.#market;
    let fresh: readonly EventInput<"liquidations">[] = [];
    return {
      call: () =>
        param === undefined
          ? ccxt.fetchLiquidations(symbol, fromMs, limit)
          : ccxt.fetchLiquidations(symbol, undefined, limit, { [param]: Math.floor(fromMs / 1000) }),
      harvest: (answer) => {
        if (!Array.isArray(answer)) throw new MalformedResponse("the answer is not a list");
        const made = answer.map((entry: unknown) =>
          liquidationRow(this.#exchange, this.#market, entry, quirks),
        );
        const rows = made.filter((row) => row !== undefined);
        fresh = rows.filter((row) => !this.#known.has(contentOf(row)));
        return { rows: fresh, usable: rows.length, malformed: made.length - rows.length };
      },
      done: () => {
        for (const row of fresh) this.#known.set(contentOf(row), row.ts);
        this.#fromMs = startedMs - LATE_MS;
        for (const [content, ts] of this.#known) if (ts < this.#fromMs * 1000) this.#known.delete(content);
      },
    };
  }
}

function contentOf(row: EventInput<"liquidations">): string {
  return JSON.stringify([row.ts, row.event_id, row.side, row.price, row.amount]);
}

function nowMs(clock: Clock): number {
  return Math.floor(clock.nowUs() / 1000);
}

// All desks of the daemon and the accounts they share. Emits account_marks beside what the desks emit.

import { Desk, type DeskMark } from "./desk.ts";
import { type Emit, type Identity, Stamps } from "./emit.ts";
import { MarketWalk } from "./market_walk.ts";
import { money } from "./portfolio.ts";
import type { StrategySpec } from "./strategy.ts";

export interface TradingFloorOptions {
  readonly strategies: readonly StrategySpec[];
  readonly seed: number;
  readonly startUs: number;
  readonly identity: Identity;
  readonly emit: Emit;
}

const S_US = 1_000_000;

export class TradingFloor {
  readonly #desks: readonly Desk[];
  readonly #identity: Identity;
  readonly #emit: Emit;

  constructor({ strategies, seed, startUs, identity, emit }: TradingFloorOptions) {
    this.#identity = identity;
    this.#emit = emit;
    const market = new MarketWalk(seed, startUs);
    const stamps = new Stamps();
    const runId = Math.floor(startUs / 1000).toString(36);
    const shared = { seed, runId, identity, market, stamps, emit };
    // They speak up one after the other: the first rows of every table are there within seconds.
    this.#desks = strategies.map(
      (spec, i) => new Desk({ ...shared, spec, firstSignalUs: startUs + (i + 1) * S_US }),
    );
  }

  step(nowUs: number): void {
    for (const desk of this.#desks) desk.step(nowUs);
  }

  /** Marks every strategy, position and account with the time `ts`. */
  mark(ts: number): void {
    const byVenue = new Map<string, DeskMark[]>();
    for (const desk of this.#desks) {
      const marks = byVenue.get(desk.spec.venue) ?? [];
      byVenue.set(desk.spec.venue, [...marks, desk.mark(ts)]);
    }
    for (const [exchange, marks] of byVenue) {
      const sum = (of: (mark: DeskMark) => number) =>
        money(marks.reduce((total, mark) => total + of(mark), 0));
      const balance = sum((mark) => mark.balance);
      const marginUsed = sum((mark) => mark.marginUsed);
      this.#emit("account_marks", {
        ts,
        account: this.#identity.account,
        exchange,
        balance,
        margin_used: marginUsed,
        capital_utilization: marginUsed / balance,
        open_orders: sum((mark) => mark.openOrders),
      });
    }
  }
}

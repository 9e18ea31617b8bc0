import { describe, expect, onTestFinished, test } from "vitest";
import { createMetrics } from "../../ingest/metrics/record.ts";
import type { Failure, FailureKind } from "../../ingest/sources/ccxt/classify_error.ts";
import { Channel } from "../../ingest/sources/ccxt/connection_state.ts";
import type { Outcome } from "../../ingest/sources/ccxt/fetch_attempt.ts";
import type { FetchTask } from "../../ingest/sources/ccxt/fetch_tasks.ts";
import { poll } from "../../ingest/sources/ccxt/poller.ts";
import { RestHealth } from "../../ingest/sources/ccxt/rest_health.ts";
import { phaseMs, slotOf } from "../../ingest/sources/ccxt/slots.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { testContext } from "../support/source_context.ts";

const EVERY_MS = 60_000;
const OK: Outcome = { kind: "ok", answer: undefined, rows: 1 };

function failed(kind: FailureKind): Outcome {
  const failure: Failure = { kind, errorCode: "SomeError", reason: kind };
  return { kind: "failed", failure };
}

interface Run {
  readonly symbol: string;
  readonly slotUs: number;
  readonly atMs: number;
}

/** A poller on a clock that the test moves; `answer` says what comes of each attempt, and may take its time. */
function pollerForTest(
  symbols: readonly string[],
  answer: (symbol: string, runs: readonly Run[]) => Outcome | Promise<Outcome>,
  options: { readonly phaseMs?: number; readonly recoveryIsWatched?: boolean } = {},
) {
  const { clock, log, lines, instance } = testContext();
  const metrics = createMetrics({ processMetrics: false });
  const context = { exchange: "okx", instance, clock, log, metrics, nextSeq: () => 1, record: () => {} };
  const channel = new Channel("rest", context);
  const health = new RestHealth(channel, clock);
  const runs: Run[] = [];
  const tasks: FetchTask[] = symbols.map((symbol) => ({
    symbol,
    run: async (slotUs) => {
      runs.push({ symbol, slotUs, atMs: clock.monotonicMs() });
      return answer(symbol, runs);
    },
  }));
  const stop = new AbortController();
  const unsupported: string[] = [];
  const done = poll(
    {
      dataset: "open_interest",
      everyMs: EVERY_MS,
      phaseMs: options.phaseMs ?? 0,
      tasks,
      health,
      recoveryIsWatched: options.recoveryIsWatched ?? true,
      onUnsupported: (reason) => unsupported.push(reason),
      clock,
      log,
      random: () => 1,
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await done;
    expect(clock.sleeping).toBe(0);
  });
  const slots = () => runs.map(({ slotUs }) => (slotUs - NOON_US) / 60_000_000);
  return { clock, health, channel, runs, slots, lines, done, unsupported };
}

describe("a poller", () => {
  test("polls once a slot, at the start of it", async () => {
    const { clock, slots, runs } = pollerForTest(["BTC"], () => OK);
    await clock.advance(3 * EVERY_MS + 1_000);
    expect(slots()).toEqual([0, 1, 2, 3]);
    expect(runs.every(({ atMs, slotUs }) => Math.abs(atMs - (slotUs - NOON_US) / 1000) < 5)).toBe(true);
  });

  test("polls a little after the start of the slot when it has a phase, and says the start", async () => {
    const { clock, runs, slots } = pollerForTest(["BTC"], () => OK, { phaseMs: 4_000 });
    await clock.advance(2 * EVERY_MS + 5_000);
    expect(slots()).toEqual([0, 1, 2]);
    expect(runs.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([4, 64, 124]);
  });

  test("repeats what failed within the slot, under the slot's time, with growing pauses, and only that", async () => {
    const { clock, runs } = pollerForTest(["BTC", "ETH"], (symbol, all) =>
      symbol === "ETH" && all.filter((run) => run.symbol === "ETH").length < 4 ? failed("wrong_data") : OK,
    );
    await clock.advance(30_000);
    expect(runs.map(({ symbol }) => symbol)).toEqual(["BTC", "ETH", "ETH", "ETH", "ETH"]);
    expect(new Set(runs.map(({ slotUs }) => slotUs))).toEqual(new Set([NOON_US]));
    expect(runs.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([0, 0, 1, 3, 7]);
  });

  test("does not ask for the other symbols when the exchange is away, and gives up with the slot", async () => {
    const { clock, slots, runs } = pollerForTest(["BTC", "ETH", "SOL"], () => failed("network"));
    await clock.advance(2 * EVERY_MS + 1_000);
    expect(slots()).toEqual([0, 1, 2]);
    expect(new Set(runs.map(({ symbol }) => symbol))).toEqual(new Set(["BTC"]));
  });

  test("goes on within the slot as soon as somebody notices that the exchange is back", async () => {
    const { clock, health, runs } = pollerForTest(["BTC", "ETH"], (_, all) =>
      all.length === 1 ? failed("network") : OK,
    );
    await clock.advance(20_000);
    expect(runs).toHaveLength(1);
    health.succeeded("probe");
    await clock.advance(0);
    expect(runs.map(({ symbol, slotUs }) => [symbol, slotUs])).toEqual([
      ["BTC", NOON_US],
      ["BTC", NOON_US],
      ["ETH", NOON_US],
    ]);
  });

  test("repeats by itself where nobody watches for the end of an outage", async () => {
    const options = { recoveryIsWatched: false };
    const { clock, runs, channel } = pollerForTest(
      ["BTC"],
      (_, all) => (all.length < 3 ? failed("network") : OK),
      options,
    );
    await clock.advance(10_000);
    expect(runs.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([0, 1, 3]);
    expect(channel.state).toBe("connected");
  });

  test("does not repeat what was refused before the next slot", async () => {
    const { clock, runs, channel } = pollerForTest(["BTC", "ETH"], (symbol) =>
      symbol === "ETH" ? failed("refused") : OK,
    );
    await clock.advance(EVERY_MS - 1_000);
    expect(runs).toHaveLength(2);
    // One symbol among good ones says nothing about the exchange.
    expect(channel.state).toBe("connected");
  });

  test("waits while a rate limit holds, and leaves out the slots that pass meanwhile", async () => {
    const { clock, health, slots } = pollerForTest(["BTC"], () => OK);
    await clock.advance(1_000);
    const failure: Failure = { kind: "rate_limited", errorCode: "DDoSProtection", reason: "banned" };
    health.failed("probe", failure, 150_000);
    await clock.advance(4 * EVERY_MS);
    expect(slots()).toEqual([0, 2, 3, 4]);
  });

  test("never runs two slots at once: those that pass meanwhile are left out, told once", async () => {
    let release: () => void = () => {};
    const { clock, slots, lines } = pollerForTest(["BTC"], (_, all) => {
      if (all.length > 1) return OK;
      return new Promise((resolve) => {
        release = () => resolve(OK);
      });
    });
    await clock.advance(3.5 * EVERY_MS);
    expect(slots()).toEqual([0]);
    release();
    await clock.advance(2 * EVERY_MS);
    expect(slots()).toEqual([0, 3, 4, 5]);
    expect(lines.map(({ msg }) => msg)).toEqual([
      "exchange connected",
      "polls take longer than their slots; slots are left out",
      "polls keep up again",
    ]);
    expect(lines.at(-1)).toMatchObject({ slots: 2, dataset: "open_interest" });
  });

  test("ends when the exchange turns out not to have the dataset", async () => {
    const { clock, done, unsupported, runs } = pollerForTest(["BTC", "ETH"], () => failed("unsupported"));
    await clock.advance(1_000);
    await done;
    expect(unsupported).toEqual(["unsupported"]);
    expect(runs).toHaveLength(2);
  });

  test("polls on when the wall clock steps back", async () => {
    const { clock, runs } = pollerForTest(["BTC"], () => OK);
    await clock.advance(EVERY_MS * 5);
    const before = runs.length;
    clock.stepWall(-3_600_000);
    await clock.advance(EVERY_MS * 3);
    expect(runs.length).toBeGreaterThanOrEqual(before + 2);
  });
});

describe("slots", () => {
  test("the pollers of five exchanges begin one after the other, within five seconds", () => {
    const phases = Array.from({ length: 15 }, (_, index) => phaseMs(index, 15, 60_000));
    expect(phases[0]).toBe(0);
    expect(new Set(phases).size).toBe(15);
    expect(Math.max(...phases)).toBeLessThan(5_000);
  });

  test("a slot begins at a whole multiple of its length", () => {
    expect(slotOf(NOON_US + 59_999_999, EVERY_MS)).toBe(NOON_US);
    expect(slotOf(NOON_US + 60_000_000, EVERY_MS)).toBe(NOON_US + 60_000_000);
  });
});

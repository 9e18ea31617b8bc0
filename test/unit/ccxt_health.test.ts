import { describe, expect, test } from "vitest";
import { createMetrics } from "../../ingest/metrics/record.ts";
import { classifyError, type Failure, type FailureKind } from "../../ingest/sources/ccxt/classify_error.ts";
import { Channel } from "../../ingest/sources/ccxt/connection_state.ts";
import { RestHealth } from "../../ingest/sources/ccxt/rest_health.ts";
import type { EventInput } from "../../schema/registry.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { testContext } from "../support/source_context.ts";

const EXCHANGE = "okx";

function channelForTest(name = "rest") {
  const clock = new ManualClock();
  const { log, lines, instance } = testContext(clock);
  const metrics = createMetrics({ processMetrics: false });
  const rows: EventInput<"connections">[] = [];
  let seq = 0;
  const record = (row: EventInput<"connections">) => void rows.push(row);
  const context = { exchange: EXCHANGE, instance, clock, log, metrics, nextSeq: () => ++seq, record };
  const channel = new Channel(name, context);
  const states = () => rows.map(({ state }) => state);
  return { clock, lines, metrics, rows, channel, states };
}

function failure(kind: FailureKind): Failure {
  return { kind, errorCode: "SomeError", reason: `SomeError: ${kind}` };
}

describe("the state of a channel", () => {
  test("is recorded when it changes and only then", () => {
    const { channel, rows, lines } = channelForTest();
    channel.set("connected");
    channel.set("connected");
    channel.set("disconnected", { reason: "gone", closeCode: 1006 });
    channel.set("disconnected", { reason: "still gone" });
    expect(rows).toMatchObject([
      { state: "connected", seq: 1, channel: "rest", instance: "test:1" },
      { state: "disconnected", seq: 2, reason: "gone", close_code: 1006 },
    ]);
    expect(lines.map(({ msg }) => msg)).toEqual(["exchange connected", "exchange disconnected"]);
  });

  test("the downtime counts from leaving connected, over every state in between and whatever the wall clock does", async () => {
    const { channel, clock, rows } = channelForTest();
    channel.set("connected");
    await clock.advance(5_000);
    channel.set("degraded", { reason: "slow down" });
    await clock.advance(1_000);
    channel.set("disconnected", { reason: "gone" });
    clock.stepWall(-3_600_000);
    await clock.advance(29_000);
    channel.set("connected");
    expect(rows.at(-1)).toMatchObject({ state: "connected", downtime_ms: 30_000 });
  });

  test("a first connection has no downtime and is no reconnection; one after a failed start has the one and not the other", async () => {
    const first = channelForTest();
    first.channel.set("connected");
    expect(first.rows[0]?.downtime_ms).toBeUndefined();
    const late = channelForTest();
    late.channel.set("disconnected", { reason: "no network" });
    await late.clock.advance(700);
    late.channel.set("connected");
    expect(late.rows.at(-1)?.downtime_ms).toBe(700);
    expect(late.channel.reconnects).toBe(0);
    late.channel.set("disconnected", { reason: "gone" });
    late.channel.set("connected");
    expect(late.channel.reconnects).toBe(1);
    const labels = { exchange: EXCHANGE, channel: "rest" };
    expect(await late.metrics.total("tickwatch_exchange_reconnects_total", labels)).toBe(1);
  });

  test("an outage that ends in degraded is one line when it begins and one when it is over", () => {
    const { channel, lines, states } = channelForTest();
    channel.set("connected");
    channel.set("disconnected", { reason: "gone" });
    channel.set("degraded", { reason: "slow down" });
    channel.set("connected");
    expect(states()).toEqual(["connected", "disconnected", "degraded", "connected"]);
    const visible = lines.filter(({ level }) => level >= 30).map(({ msg }) => msg);
    expect(visible).toEqual(["exchange connected", "exchange disconnected", "exchange connected again"]);
  });

  test("degraded is up, disconnected is not, and what isn't supported has no gauge and stays so", async () => {
    const { channel, metrics, states } = channelForTest();
    const up = () => metrics.total("tickwatch_exchange_up", { channel: "rest" });
    channel.set("degraded", { reason: "slow down" });
    expect([await up(), channel.up]).toEqual([1, true]);
    channel.set("disconnected", { reason: "gone" });
    expect([await up(), channel.up]).toEqual([0, false]);
    const lacking = channelForTest("liquidations");
    lacking.channel.set("unsupported", { reason: "no such method" });
    lacking.channel.set("connected");
    expect(lacking.states()).toEqual(["unsupported"]);
    expect(await lacking.metrics.text()).not.toContain('channel="liquidations"');
    expect(states()).toHaveLength(2);
  });
});

describe("REST calls and the state of their channel", () => {
  function healthForTest() {
    const bench = channelForTest();
    return { ...bench, health: new RestHealth(bench.channel, bench.clock) };
  }

  test("the first network failure is an outage, and any success ends it", () => {
    for (const kind of ["network", "timeout"] as const) {
      const { health, states } = healthForTest();
      health.succeeded("open_interest");
      health.failed("open_interest", failure(kind));
      health.failed("funding_rates", failure(kind));
      health.succeeded("probe");
      expect(states()).toEqual(["connected", "disconnected", "connected"]);
    }
  });

  test("one endpoint that stays away while others answer is one change to degraded, not two a minute", () => {
    const { health, states, rows } = healthForTest();
    health.succeeded("probe");
    for (let minute = 0; minute < 10; minute++) {
      health.failed("open_interest", failure("network"));
      health.succeeded("probe");
      health.succeeded("funding_rates");
    }
    expect(states()).toEqual(["connected", "disconnected", "connected", "degraded"]);
    expect(rows.at(-1)?.reason).toBe("open_interest: SomeError: network");
    health.succeeded("open_interest");
    expect(states().at(-1)).toBe("connected");
  });

  test("an endpoint with wrong data, or that refuses, degrades the channel until that endpoint is well", () => {
    for (const kind of ["wrong_data", "refused", "rate_limited"] as const) {
      const { health, states } = healthForTest();
      health.succeeded("probe");
      health.failed("open_interest", failure(kind));
      health.succeeded("probe");
      health.succeeded("funding_rates");
      expect(states()).toEqual(["connected", "degraded"]);
      health.succeeded("open_interest");
      expect(states()).toEqual(["connected", "degraded", "connected"]);
    }
  });

  test("a second outage while a first problem lasts is an outage all the same", () => {
    const { health, states } = healthForTest();
    health.failed("open_interest", failure("wrong_data"));
    health.failed("probe", failure("network"));
    health.succeeded("probe");
    expect(states()).toEqual(["degraded", "disconnected", "degraded"]);
  });

  test("a rate limit pauses everybody for as long as it asks, within reason", async () => {
    const { health, clock } = healthForTest();
    expect(health.pauseMs).toBe(0);
    health.failed("probe", failure("rate_limited"), 20_000);
    // A shorter one does not cut it short.
    health.failed("probe", failure("rate_limited"), 2_000);
    let over = false;
    void health.waitWhilePaused(new AbortController().signal).then(() => {
      over = true;
    });
    await clock.advance(19_000);
    expect(over).toBe(false);
    await clock.advance(1_500);
    expect(over).toBe(true);
    health.failed("probe", failure("rate_limited"), 86_400_000 * 30);
    expect(health.pauseMs).toBe(600_000);
  });

  test("whoever waits for the end of an outage is woken by it, by the time limit and by the abort", async () => {
    const { health, clock } = healthForTest();
    const stop = new AbortController();
    const woken: string[] = [];
    const wait = (name: string, ms: number) =>
      void health.waitForRecovery(stop.signal, ms).then(() => woken.push(name));
    wait("at once", 1_000);
    await settle();
    health.failed("probe", failure("network"));
    wait("by time", 1_000);
    wait("by recovery", 60_000);
    await clock.advance(1_000);
    expect(woken).toEqual(["at once", "by time"]);
    health.succeeded("open_interest");
    await settle();
    expect(woken).toEqual(["at once", "by time", "by recovery"]);
    health.failed("probe", failure("network"));
    wait("by abort", 60_000);
    stop.abort();
    await settle();
    expect(woken.at(-1)).toBe("by abort");
    expect(clock.sleeping).toBe(0);
  });
});

describe("what an error means", () => {
  class BaseError extends Error {}
  class OperationFailed extends BaseError {}
  class NetworkError extends OperationFailed {}
  class RateLimitExceeded extends NetworkError {}
  class RequestTimeout extends NetworkError {}
  class ExchangeNotAvailable extends NetworkError {}
  class OnMaintenance extends ExchangeNotAvailable {}
  class BadResponse extends OperationFailed {}
  class NullResponse extends BadResponse {}
  class ExchangeError extends BaseError {}
  class NotSupported extends ExchangeError {}
  class BadSymbol extends ExchangeError {}

  test.each([
    [new RateLimitExceeded("x"), "rate_limited"],
    [new RequestTimeout("x"), "timeout"],
    [new OnMaintenance("x"), "network"],
    [new NetworkError("x"), "network"],
    [new NullResponse("x"), "wrong_data"],
    [new NotSupported("x"), "unsupported"],
    [new BadSymbol("x"), "refused"],
    [new TypeError("x is undefined"), "wrong_data"],
    [new DOMException("aborted", "AbortError"), "timeout"],
    [Object.assign(new Error("reset"), { code: "ECONNRESET" }), "network"],
    [new Error("what?"), "refused"],
    ["thrown text", "refused"],
  ] as const)("%s", (error, kind) => {
    expect(classifyError(error).kind).toBe(kind);
  });

  test("that has no class of its own is told by its system code", () => {
    expect(classifyError(Object.assign(new Error("reset"), { code: "ECONNRESET" }))).toMatchObject({
      errorCode: "ECONNRESET",
      reason: "ECONNRESET: reset",
    });
  });

  test("is told in one short line that begins with the class", () => {
    const error = Object.assign(new ExchangeNotAvailable(`okx GET\n <html>${"x".repeat(1_000)}`), {
      name: "ExchangeNotAvailable",
    });
    const { reason, errorCode } = classifyError(error);
    expect(errorCode).toBe("ExchangeNotAvailable");
    expect(reason).toMatch(/^ExchangeNotAvailable: okx GET <html>x+…$/);
    expect(reason.length).toBeLessThan(210);
  });
});

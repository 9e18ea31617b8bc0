// Protects: one failing source never stops the others, it is started again with backoff, and the daemon's life is on
// record from `started` to `stopped`.
import { EventEmitter } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { linkAbort } from "../../ingest/daemon/linked_abort.ts";
import { createSupervisor } from "../../ingest/daemon/supervisor.ts";
import { TickwatchError } from "../../ingest/errors.ts";
import { createMetrics } from "../../ingest/metrics/record.ts";
import type { Push, Source } from "../../ingest/sources/source.ts";
import { settle } from "../support/manual_clock.ts";
import { RecordingPush, spoolFull } from "../support/recording_push.ts";
import { testContext, WARN } from "../support/source_context.ts";

const NO_JITTER = () => 0.999_999;

function startSupervisor(sources: readonly Source[], extra: { readonly random?: () => number } = {}) {
  const context = testContext();
  const pushed = new RecordingPush();
  const metrics = createMetrics({ processMetrics: false });
  const supervisor = createSupervisor({
    sources,
    push: pushed.push,
    context,
    metrics,
    daemonName: "test-daemon",
    version: "1.2.3",
    graceMs: 1_000,
    random: NO_JITTER,
    ...extra,
  });
  const stop = new AbortController();
  const run = supervisor.run(stop.signal);
  const ended = { yes: false };
  void run.then(() => (ended.yes = true));
  onTestFinished(async () => {
    stop.abort();
    pushed.release();
    for (let i = 0; i < 5 && !ended.yes; i++) await context.clock.advance(1_000);
    await run;
  });
  return { supervisor, context, clock: context.clock, pushed, metrics, stop, run, ended };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Fails `failures` times, each after `afterMs` of the test's clock, and then runs until it is told to end. */
function failing(name: string, failures: number, error: () => unknown, begun: number[] = []): Source {
  return {
    name,
    async run(_push, signal) {
      begun.push(begun.length);
      if (begun.length <= failures) throw error();
      await untilAborted(signal);
    },
  };
}

const eventsOf = (pushed: RecordingPush) => pushed.rowsOf("daemon_events").map((row) => row["event"]);

test("a failed source is started again after 1, 2, 4 … seconds, at most a minute apart", async () => {
  const begun: number[] = [];
  const { clock } = startSupervisor([failing("flaky", 100, () => new Error("no"), begun)]);
  await settle();
  const waits: number[] = [];
  for (let run = 1; run <= 9; run++) {
    expect(begun).toHaveLength(run);
    let seconds = 0;
    for (; begun.length === run; seconds++) await clock.advance(1_000);
    waits.push(seconds);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test("waits are jittered by up to half", async () => {
  const begun: number[] = [];
  const { clock } = startSupervisor([failing("flaky", 100, () => new Error("no"), begun)], {
    random: () => 0,
  });
  await clock.advance(499);
  expect(begun).toHaveLength(1);
  await clock.advance(1);
  expect(begun).toHaveLength(2);
});

test("a source that ran for a minute before it failed waits one second again", async () => {
  const begun: number[] = [];
  const aMinute: Source = {
    name: "tired",
    async run() {
      begun.push(begun.length);
      if (begun.length === 4) await clock.sleep(60_000);
      throw new Error("tired");
    },
  };
  const { clock } = startSupervisor([aMinute]);
  await clock.advance(1_000 + 2_000 + 4_000);
  expect(begun).toHaveLength(4);
  await clock.advance(60_000 + 999);
  expect(begun).toHaveLength(4);
  await clock.advance(1);
  expect(begun).toHaveLength(5);
});

test("each restart is an event, an error row and a count", async () => {
  const error = () => new TickwatchError("DB_UNAVAILABLE", "nobody answers");
  const { clock, pushed, metrics, supervisor } = startSupervisor([failing("flaky", 2, error)]);
  await clock.advance(1_000);
  await clock.advance(2_000);
  expect(pushed.rowsOf("daemon_events")).toMatchObject([
    { event: "started", version: "1.2.3", daemon: "test-daemon", instance: "test:1" },
    { event: "restarted", reason: "flaky: nobody answers" },
    { event: "restarted", reason: "flaky: nobody answers" },
  ]);
  expect(pushed.rowsOf("daemon_errors")[0]).toMatchObject({
    component: "flaky",
    severity: "error",
    code: "DB_UNAVAILABLE",
    message: "nobody answers",
  });
  expect(await metrics.total("tickwatch_source_restarts_total", { source: "flaky" })).toBe(2);
  expect(supervisor.restarts()).toBe(2);
});

test("a failing source does not disturb the others, even one that throws before its first await", async () => {
  const rows: number[] = [];
  const steady: Source = {
    name: "steady",
    async run(push, signal) {
      while (!signal.aborted) {
        const ts = clock.nowUs();
        await push("storage_usage", [{ ts, store: "spool", path: "p", bytes: 1 }]);
        rows.push(ts);
        await clock.sleep(1_000, signal);
      }
    },
  };
  const thrower: Source = {
    name: "thrower",
    run: () => {
      throw new Error("at once");
    },
  };
  const { clock, ended } = startSupervisor([thrower, failing("flaky", 100, () => "no error object"), steady]);
  await clock.advance(10_000);
  expect(rows).toHaveLength(11);
  expect(ended.yes).toBe(false);
});

test("a source that finishes by itself is not started again and ends nothing", async () => {
  let runs = 0;
  const once: Source = {
    name: "once",
    async run() {
      runs += 1;
    },
  };
  const { clock, context, ended, pushed } = startSupervisor([once]);
  await clock.advance(120_000);
  expect(runs).toBe(1);
  expect(ended.yes).toBe(false);
  expect(context.lines).toMatchObject([{ source: "once", msg: "the source has finished" }]);
  expect(eventsOf(pushed)).toEqual(["started"]);
});

test("the stop is on record, with its reason, after every source's last row", async () => {
  const last: Source = {
    name: "last",
    async run(push, signal) {
      await untilAborted(signal);
      await push("storage_usage", [{ ts: clock.nowUs(), store: "spool", path: "last", bytes: 1 }]);
    },
  };
  const { clock, pushed, stop, run } = startSupervisor([last]);
  await settle();
  stop.abort("SIGINT");
  await run;
  expect(pushed.accepted.map(({ table }) => table)).toEqual([
    "daemon_events",
    "storage_usage",
    "daemon_events",
  ]);
  expect(pushed.accepted[2]?.row).toMatchObject({ event: "stopped", reason: "SIGINT", version: "1.2.3" });
});

test("a stop during a wait for a restart ends at once and restarts nothing", async () => {
  const begun: number[] = [];
  const { clock, pushed, stop, run } = startSupervisor([failing("flaky", 100, () => new Error("no"), begun)]);
  await clock.advance(500);
  stop.abort();
  await run;
  expect(begun).toHaveLength(1);
  expect(eventsOf(pushed)).toEqual(["started", "stopped"]);
});

test("a source that does not end in time is named, left behind, and its later rows are refused", async () => {
  let late: Push | undefined;
  const deaf: Source = {
    name: "deaf",
    run(push) {
      late = push;
      return new Promise(() => {});
    },
  };
  const { clock, context, pushed, stop, run } = startSupervisor([deaf, failing("fine", 0, () => undefined)]);
  await settle();
  stop.abort();
  await clock.advance(999);
  expect(context.lines).toEqual([]);
  await clock.advance(1);
  await run;
  expect(context.lines).toMatchObject([
    { level: WARN, source: "deaf", msg: expect.stringContaining("left behind") },
  ]);
  expect(eventsOf(pushed)).toEqual(["started", "stopped"]);
  await expect(late?.("storage_usage", [])).rejects.toMatchObject({ code: "STOPPING" });
});

test("a source that fails while stopping is on record and not started again", async () => {
  const begun: number[] = [];
  const sore: Source = {
    name: "sore",
    async run(_push, signal) {
      begun.push(1);
      await untilAborted(signal);
      throw new Error("could not close");
    },
  };
  const { pushed, stop, run } = startSupervisor([sore]);
  await settle();
  stop.abort();
  await run;
  expect(begun).toHaveLength(1);
  expect(pushed.rowsOf("daemon_errors")).toMatchObject([{ component: "sore", message: "could not close" }]);
});

test("what a failed source left running is told to end before the next start", async () => {
  const signals: AbortSignal[] = [];
  const leaky: Source = {
    name: "leaky",
    async run(_push, signal) {
      signals.push(signal);
      if (signals.length === 1) throw new Error("no");
      await untilAborted(signal);
    },
  };
  const { clock } = startSupervisor([leaky]);
  await clock.advance(1_000);
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

test("events wait for a full spool without holding up a source, and come in order when there is room", async () => {
  const begun: number[] = [];
  const { clock, context, pushed } = startSupervisor([failing("flaky", 2, () => new Error("no"), begun)]);
  pushed.refusal = spoolFull();
  await clock.advance(10_000);
  expect(begun).toHaveLength(3);
  expect(pushed.accepted).toEqual([]);
  pushed.refusal = undefined;
  await clock.advance(60_000);
  expect(eventsOf(pushed)).toEqual(["started", "restarted", "restarted"]);
  const waiting = context.lines.filter((line) => line.msg.includes("wait"));
  expect(waiting.filter((line) => line.level === WARN && line["source"] === undefined)).toHaveLength(1);
});

test("a spool that never answers again does not keep the daemon from stopping, and the loss is logged", async () => {
  const { clock, context, pushed, stop, run } = startSupervisor([]);
  await settle();
  pushed.hold();
  stop.abort();
  await clock.advance(1_000);
  await run;
  expect(eventsOf(pushed)).toEqual(["started"]);
  expect(context.lines).toMatchObject([{ level: WARN, rows: 1 }]);
});

test("an aborted signal starts nothing and writes nothing", async () => {
  const begun: number[] = [];
  const context = testContext();
  const pushed = new RecordingPush();
  const supervisor = createSupervisor({
    sources: [failing("never", 0, () => undefined, begun)],
    push: pushed.push,
    context,
    metrics: createMetrics({ processMetrics: false }),
    daemonName: "test-daemon",
    version: "1.2.3",
  });
  await supervisor.run(AbortSignal.abort());
  expect(begun).toEqual([]);
  expect(pushed.calls).toBe(0);
});

test("two sources of one name are refused at once", () => {
  const twin = failing("twin", 0, () => undefined);
  expect(() => startSupervisor([twin, twin])).toThrow(/two sources are named twin/);
});

test("any number of sources can listen for the stop without a warning of Node", async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => void warnings.push(warning);
  process.on("warning", listener);
  onTestFinished(() => void process.off("warning", listener));
  const sources = Array.from({ length: 30 }, (_, i) => failing(`source ${i}`, 0, () => undefined));
  const { stop, run } = startSupervisor(sources);
  await settle();
  stop.abort();
  await run;
  await settle();
  expect(warnings).toEqual([]);
});

test("a signal that follows another one forgets it when it is released", () => {
  const outer = new AbortController();
  const links = Array.from({ length: 5 }, () => linkAbort(outer.signal));
  expect(EventEmitter.getEventListeners(outer.signal, "abort")).toHaveLength(5);
  for (const link of links.slice(1)) link.release();
  expect(EventEmitter.getEventListeners(outer.signal, "abort")).toHaveLength(1);
  outer.abort("why");
  expect(links[0]?.signal.reason).toBe("why");
  expect(linkAbort(outer.signal).signal.aborted).toBe(true);
});

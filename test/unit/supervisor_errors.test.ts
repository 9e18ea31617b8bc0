// Protects: errors become rows, a failure that repeats cannot flood the table, and every one held back is counted.
import { expect, onTestFinished, test } from "vitest";
import { codeOf } from "../../ingest/daemon/error_code.ts";
import { createErrorLimiter, type ErrorReport } from "../../ingest/daemon/error_limiter.ts";
import { createSupervisor } from "../../ingest/daemon/supervisor.ts";
import { TickwatchError } from "../../ingest/errors.ts";
import { createMetrics } from "../../ingest/metrics/record.ts";
import { settle } from "../support/manual_clock.ts";
import { RecordingPush } from "../support/recording_push.ts";
import { testContext } from "../support/source_context.ts";

const REPORT: ErrorReport = {
  component: "delivery",
  severity: "warning",
  code: "DB_UNAVAILABLE",
  message: "QuestDB does not answer",
};

function startQuiet() {
  const context = testContext();
  const pushed = new RecordingPush();
  const supervisor = createSupervisor({
    sources: [],
    push: pushed.push,
    context,
    metrics: createMetrics({ processMetrics: false }),
    daemonName: "test-daemon",
    version: "1.2.3",
    graceMs: 100,
  });
  const stop = new AbortController();
  const run = supervisor.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await run;
  });
  const messages = () => pushed.rowsOf("daemon_errors").map((row) => row["message"]);
  return { supervisor, context, clock: context.clock, pushed, stop, run, messages };
}

test("an error of any stage becomes a row of this daemon", async () => {
  const { supervisor, pushed } = startQuiet();
  supervisor.reportError({ ...REPORT, exchange: "okx" });
  await settle();
  const [row] = pushed.rowsOf("daemon_errors");
  expect(row).toMatchObject({ ...REPORT, exchange: "okx", daemon: "test-daemon", instance: "test:1" });
});

test("of a thousand errors of one kind in a minute two rows remain, and they count all of them", async () => {
  const { supervisor, clock, messages } = startQuiet();
  for (let i = 0; i < 1_000; i++) {
    supervisor.reportError(REPORT);
    await clock.advance(50);
  }
  expect(messages()).toEqual([REPORT.message]);
  await clock.advance(30_000);
  expect(messages()).toEqual([REPORT.message, `${REPORT.message} (999 times since the last report)`]);
});

test("errors held back are counted at the stop at the latest", async () => {
  const { supervisor, stop, run, messages } = startQuiet();
  for (let i = 0; i < 3; i++) supervisor.reportError(REPORT);
  await settle();
  expect(messages()).toHaveLength(1);
  stop.abort();
  await run;
  expect(messages()).toEqual([REPORT.message, `${REPORT.message} (2 times since the last report)`]);
});

test("kinds of errors don't hold each other back", async () => {
  const { supervisor, pushed } = startQuiet();
  supervisor.reportError(REPORT);
  supervisor.reportError({ ...REPORT, code: "DB_SQL" });
  supervisor.reportError({ ...REPORT, component: "migrate" });
  supervisor.reportError({ ...REPORT, exchange: "okx" });
  await settle();
  expect(pushed.rowsOf("daemon_errors")).toHaveLength(4);
});

test("a message or name of any length and even an empty one still makes a valid row", async () => {
  const { supervisor, pushed } = startQuiet();
  supervisor.reportError({ ...REPORT, message: "x".repeat(1_000_000), code: "c".repeat(10_000) });
  supervisor.reportError({ component: "", exchange: "", severity: "error", code: "", message: "" });
  await settle();
  const [long, empty] = pushed.rowsOf("daemon_errors");
  expect(String(long?.["message"]).length).toBeLessThan(5_000);
  expect(empty).toMatchObject({ component: "unknown", code: "unknown", exchange: null });
});

test("an error that comes after the stop is logged instead", async () => {
  const { supervisor, context, stop, run } = startQuiet();
  stop.abort();
  await run;
  supervisor.reportError(REPORT);
  expect(context.lines).toMatchObject([{ report: REPORT }]);
});

test("the limiter counts each report exactly once, whatever its order in time", () => {
  const limiter = createErrorLimiter();
  const written: ErrorReport[] = [];
  const take = (report: ErrorReport | undefined) => report && written.push(report);
  const total = 5_000;
  let nowMs = 0;
  for (let i = 0; i < total; i++) {
    nowMs += (i * 7_919) % 400;
    take(limiter.admit({ ...REPORT, code: `C${i % 3}` }, nowMs));
    if (i % 100 === 0) for (const report of limiter.due(nowMs)) take(report);
  }
  for (const report of limiter.drain()) take(report);
  const counted = written.map(({ message }) => Number(/\((\d+) times since/.exec(message)?.[1] ?? 1));
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(total);
  expect(written.length).toBeLessThan(3 * (nowMs / 60_000 + 2));
});

test("the limiter's memory stays bounded when codes are made up", () => {
  const limiter = createErrorLimiter();
  let admitted = 0;
  for (let i = 0; i < 10_000; i++) {
    if (limiter.admit({ ...REPORT, code: `C${i}` }, 0)) admitted += 1;
  }
  expect(admitted).toBeLessThan(600);
  expect(limiter.drain()).toHaveLength(1);
});

test("an error's code is its own, the system's or its class, never its text", () => {
  expect(codeOf(new TickwatchError("SPOOL_FULL", "full"))).toBe("SPOOL_FULL");
  expect(codeOf(Object.assign(new Error("x"), { code: "ECONNREFUSED" }))).toBe("ECONNREFUSED");
  expect(codeOf(Object.assign(new Error("x"), { code: "it broke at 12:03" }))).toBe("unknown");
  expect(codeOf(new TypeError("x"))).toBe("TypeError");
  expect(codeOf(new (class RateLimitExceeded extends Error {})("x"))).toBe("RateLimitExceeded");
  expect(codeOf("text")).toBe("unknown");
});

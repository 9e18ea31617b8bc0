// Protects: a daemon's health is sampled at once and on the cadence, with this process's real figures.
import { expect, onTestFinished, test } from "vitest";
import { createHealthSource } from "../../ingest/daemon/health_source.ts";
import { createProcessSampler } from "../../ingest/daemon/process_sample.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock, NOON_US } from "../support/manual_clock.ts";
import { RecordingPush, spoolFull } from "../support/recording_push.ts";
import { testContext, WARN } from "../support/source_context.ts";
import { sourceContract } from "../support/source_contract.ts";

const EVERY_MS = 10_000;

function makeHealth(startUs: number = NOON_US) {
  const context = testContext(new ManualClock(startUs));
  const source = createHealthSource({
    context,
    daemonName: "test-daemon",
    everyMs: EVERY_MS,
    restarts: () => 3,
  });
  return { source, context, provoke: () => context.clock.advance(EVERY_MS) };
}

function startHealth(startUs?: number) {
  const made = makeHealth(startUs);
  const pushed = new RecordingPush();
  const stop = new AbortController();
  const running = made.source.run(pushed.push, stop.signal);
  onTestFinished(() => {
    stop.abort();
    return running;
  });
  const samples = async (count: number) => {
    await eventually(() => expect(pushed.calls).toBeGreaterThanOrEqual(count));
    return pushed.rowsOf("daemon_health");
  };
  return { ...made, pushed, samples };
}

sourceContract("daemon_health", () => makeHealth());

test("the first sample is taken at once, the later ones on whole multiples of the cadence", async () => {
  const startUs = NOON_US + 7_300_000;
  const { context, samples } = startHealth(startUs);
  await samples(1);
  for (let count = 2; count <= 4; count++) {
    await context.clock.advance(EVERY_MS);
    await samples(count);
  }
  const times = (await samples(4)).map((row) => row.ts);
  expect(times).toEqual([startUs, ...[10, 20, 30].map((s) => NOON_US + s * 1_000_000)]);
});

test("slots that pass while a push waits are left out, and the rest stay on the cadence", async () => {
  const { context, pushed, samples } = startHealth();
  pushed.hold();
  await samples(1);
  await context.clock.advance(35_000);
  pushed.release();
  await eventually(() => expect(context.clock.sleeping).toBe(1));
  await context.clock.advance(5_000);
  const times = (await samples(2)).map((row) => row.ts);
  expect(times).toEqual([NOON_US, NOON_US + 40_000_000]);
});

test("samples follow the system's clock when it is set back", async () => {
  const { context, samples } = startHealth();
  await samples(1);
  await eventually(() => expect(context.clock.sleeping).toBe(1));
  context.clock.stepWall(-3_600_000);
  await context.clock.advance(EVERY_MS);
  const times = (await samples(2)).map((row) => row.ts);
  expect(times[1]).toBe(NOON_US - 3_600_000_000 + EVERY_MS * 1000);
});

test("samples that a full spool refuses are one warning, and one line when they are recorded again", async () => {
  const { context, pushed, samples } = startHealth();
  pushed.refusal = spoolFull();
  await samples(1);
  for (let count = 2; count <= 4; count++) {
    await context.clock.advance(EVERY_MS);
    await samples(count);
  }
  pushed.refusal = undefined;
  await context.clock.advance(EVERY_MS);
  await eventually(() => expect(pushed.accepted).toHaveLength(1));
  await eventually(() => expect(context.lines).toHaveLength(2));
  expect(context.lines[0]).toMatchObject({ level: WARN, source: "daemon_health" });
  expect(context.lines[1]).toMatchObject({ failures: 4, downtimeMs: 40_000 });
});

test("a sample carries this process's figures", async () => {
  const { context, samples } = startHealth();
  await samples(1);
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < 60_000);
  await context.clock.advance(EVERY_MS);
  const [first, second] = await samples(2);
  expect(first).toMatchObject({ daemon: "test-daemon", instance: "test:1", restarts: 3, cpu_percent: null });
  expect(first?.["rss_bytes"]).toBeGreaterThan(10_000_000);
  expect(first?.["heap_used_bytes"]).toBeLessThan(Number(first?.["rss_bytes"]));
  expect(first?.["uptime_s"]).toBeLessThanOrEqual(process.uptime());
  // 60 ms of work in ten seconds of the test's clock are at least 0.6 %.
  expect(second?.["cpu_percent"]).toBeGreaterThan(0.5);
});

test.runIf(process.platform === "linux")("open files are counted", async () => {
  const { samples } = startHealth();
  const [row] = await samples(1);
  expect(row?.["open_fds"]).toBeGreaterThan(2);
});

test("the event loop's lag is what it was late by, without the interval of the measurement, and since the last sample", async () => {
  const sampler = createProcessSampler(() => performance.now());
  onTestFinished(() => sampler.close());
  const turns = async (count: number) => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  await turns(15);
  const blockedUntil = performance.now() + 500;
  while (performance.now() < blockedUntil);
  await turns(15);
  const blocked = await sampler.sample();
  expect(blocked.event_loop_lag_ms).toBeGreaterThan(300);
  expect(blocked.event_loop_lag_ms).toBeLessThan(60_000);
  await turns(15);
  const later = await sampler.sample();
  expect(later.event_loop_lag_ms).toBeLessThan(300);
});

// Protects: a run that did not stop in order is on record after the next start, and only such a run.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileRunMarkerStore, type RunMarkerStore } from "../../ingest/daemon/run_marker.ts";
import { createSupervisor } from "../../ingest/daemon/supervisor.ts";
import { createMetrics } from "../../ingest/metrics/record.ts";
import { eventually } from "../support/eventually.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { RecordingPush, spoolFull } from "../support/recording_push.ts";
import { testContext } from "../support/source_context.ts";

async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-marker-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

function begin(marker: RunMarkerStore, instance = "host:2") {
  const context = { ...testContext(), instance };
  const pushed = new RecordingPush();
  const supervisor = createSupervisor({
    sources: [],
    push: pushed.push,
    context,
    metrics: createMetrics({ processMetrics: false }),
    daemonName: "test-daemon",
    version: `v-${instance}`,
    marker,
    graceMs: 1_000,
  });
  const stop = new AbortController();
  const run = supervisor.run(stop.signal);
  const end = async () => {
    stop.abort();
    // Each wait for something that does not come takes its grace of the test's time.
    await context.clock.advance(10_000);
    await run;
  };
  onTestFinished(end);
  return { context, clock: context.clock, pushed, end };
}

const marked = (marker: RunMarkerStore, instance: string) =>
  eventually(async () => expect(await marker.read()).toContain(instance));

test("after a run that was killed the next one records the crash first, for that run", async () => {
  const marker = fileRunMarkerStore(await tempFolder());
  begin(marker, "host:1"); // never told to stop before the next begins: as good as killed
  await marked(marker, "host:1");
  const { pushed } = begin(marker, "host:2");
  await marked(marker, "host:2");
  expect(pushed.rowsOf("daemon_events")).toMatchObject([
    { event: "crashed", instance: "host:1", version: "v-host:1", ts: NOON_US },
    { event: "started", instance: "host:2", version: "v-host:2" },
  ]);
  expect(pushed.rowsOf("daemon_events")[0]?.["reason"]).toMatch(
    /began at 2026-11-21T12:00:00\.\d+Z did not stop/,
  );
});

test("after an orderly stop nothing is left and the next run records no crash", async () => {
  const folder = await tempFolder();
  const marker = fileRunMarkerStore(folder);
  const first = begin(marker, "host:1");
  await marked(marker, "host:1");
  await first.end();
  expect(await readdir(folder)).toEqual([]);
  const { pushed } = begin(marker, "host:2");
  await marked(marker, "host:2");
  expect(pushed.rowsOf("daemon_events").map((row) => row["event"])).toEqual(["started"]);
});

test("a marker that is cut off still counts as a crash", async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, "running"), '{"instance":"ho');
  const marker = fileRunMarkerStore(folder);
  const { pushed } = begin(marker);
  await marked(marker, "host:2");
  expect(pushed.rowsOf("daemon_events")).toMatchObject([
    { event: "crashed", instance: "host:2", reason: expect.stringMatching(/^the run did not stop/) },
    { event: "started" },
  ]);
});

test("a crash that could not be recorded is still known at the next start", async () => {
  const marker = fileRunMarkerStore(await tempFolder());
  begin(marker, "host:1");
  await marked(marker, "host:1");
  const second = begin(marker, "host:2");
  second.pushed.refusal = spoolFull();
  await eventually(() => expect(second.pushed.calls).toBeGreaterThan(0));
  await second.end();
  expect(await marker.read()).toContain("host:1");
});

test("a folder that cannot be written stops nothing", async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, "file"), "");
  const { context, pushed, end } = begin(fileRunMarkerStore(join(folder, "file", "below")));
  await eventually(() => expect(context.lines.length).toBeGreaterThan(0));
  await end();
  expect(pushed.rowsOf("daemon_events").map((row) => row["event"])).toEqual(["started", "stopped"]);
  expect(context.lines[0]).toMatchObject({ msg: "the run's marker file failed" });
});

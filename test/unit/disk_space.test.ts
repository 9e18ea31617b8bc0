// Protects: what is free on the disk is told at once and every minute, in bytes and as a share.
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { createDiskSpaceSource } from "../../ingest/sources/disk_space.ts";
import { eventually } from "../support/eventually.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { RecordingPush } from "../support/recording_push.ts";
import { testContext } from "../support/source_context.ts";
import { sourceContract } from "../support/source_contract.ts";

const MINUTE_MS = 60_000;

sourceContract("disk_space", async () => {
  const context = testContext();
  const source = createDiskSpaceSource({ context, folder: tmpdir() });
  return { source, provoke: () => context.clock.advance(MINUTE_MS) };
});

test("free bytes and the free share of the disk are measured at once", async () => {
  const context = testContext();
  const pushed = new RecordingPush();
  const stop = new AbortController();
  const running = createDiskSpaceSource({ context, folder: tmpdir() }).run(pushed.push, stop.signal);
  onTestFinished(() => {
    stop.abort();
    return running;
  });
  await eventually(() => expect(pushed.calls).toBe(1));
  const [bytes, ratio] = pushed.rowsOf("metrics");
  const common = { ts: NOON_US, source: "tickwatch", instance: context.instance };
  expect(bytes).toMatchObject({
    ...common,
    name: "disk_free_bytes",
    labels: JSON.stringify({ path: tmpdir() }),
  });
  expect(ratio).toMatchObject({ ...common, name: "disk_free_ratio" });
  const { bsize, blocks } = await statfs(tmpdir());
  expect(bytes?.["value"]).toBeGreaterThan(0);
  expect(bytes?.["value"]).toBeLessThanOrEqual(bsize * blocks);
  expect(ratio?.["value"]).toBeGreaterThan(0);
  expect(ratio?.["value"]).toBeLessThanOrEqual(1);
});

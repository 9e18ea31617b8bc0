// The benchmarks' own machinery, with a few thousand rows: figures mean nothing here, only that they come out.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { until } from "../../bench/harness/bench_questdb.ts";
import { readResults, variantOf } from "../../bench/harness/result.ts";
import { percentile, slopePerMinute } from "../../bench/harness/statistics.ts";
import { SERVICE_FLAGS } from "../../bench/scenarios/service_input.ts";
import { task as encodeTask } from "../../bench/tasks/encode.ts";
import { MARKS, markRows, stamp } from "../../bench/workload/mark_event.ts";
import { NDJSON_TABLE, pnlBodies } from "../../bench/workload/ndjson_body.ts";
import { findEvent } from "../../schema/registry.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const ROOT = join(import.meta.dirname, "../..");
const NOW_US = 1_795_000_000_000_000;
const CHANNEL = { send: () => undefined, take: () => Promise.reject(new Error("nothing is asked")) };

function runBench(...args: readonly string[]) {
  const command = ["--import", import.meta.resolve("tsx"), join(ROOT, "bench/main.ts"), ...args];
  return spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8", timeout: 100_000 });
}

test("a scenario runs in processes of its own, prints its table and leaves a result", async () => {
  const out = await temporaryFolder();
  const sizes = ["--rows", "3000", "--warmup-rows", "1000", "--runs", "1", "--warmups", "0"];
  const { status, stdout, stderr } = runBench("parse", ...sizes, "--out", out);
  expect(stderr).toContain("run 1/1");
  expect(status).toBe(0);
  expect(stdout).toContain("| ten columns |");
  const result = (await readResults(out)).get("parse");
  expect(result?.variants.map(({ name, runs }) => [name, runs.length])).toEqual([
    ["ten columns", 1],
    ["W90 mix", 1],
  ]);
  expect(result?.variants[0]?.median["rowsPerSecond"]).toBeGreaterThan(0);
  expect(result?.environment.node).toBe(process.version.slice(1));
}, 120_000);

test("the measured service has the flags of `npm start` and of the image", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const command = ["node", ...SERVICE_FLAGS, "dist/ingest/main.js"];
  expect([scripts.start, scripts.demo]).toEqual([`${command.join(" ")} start`, `${command.join(" ")} demo`]);
  const entry = /^ENTRYPOINT (.+)$/m.exec(await readFile(join(ROOT, "Dockerfile"), "utf8"))?.[1];
  expect(JSON.parse(entry ?? "")).toEqual(command);
});

test("a mistake in the options ends with exit code 1, and names the option", () => {
  const { status, stderr } = runBench("encode", "--rows", "none");
  expect(status).toBe(1);
  expect(stderr).toContain("rows");
}, 60_000);

test.each(["native", "w90", "official", "selected"] as const)("encode measures %s", async (encoder) => {
  const input = { encoder, count: 3_000, warmupCount: 0, allocation: false };
  const { usage, bytes } = await encodeTask.run(input, CHANNEL);
  expect(usage.wallSeconds).toBeGreaterThan(0);
  expect(bytes / 3_000).toBeGreaterThan(150);
  expect(bytes / 3_000).toBeLessThan(250);
});

describe("rows", () => {
  test("of ten columns take about 174 bytes and are valid, each at a time of its own", async () => {
    const rows = markRows(5_000, 1);
    stamp(rows, NOW_US);
    expect(rows.map((row) => MARKS.parse(row).ok)).not.toContain(false);
    expect(new Set(rows.map((row) => row.ts)).size).toBe(rows.length);
    expect(1 + Object.keys(MARKS.columns).length).toBe(10);
    const input = { encoder: "native", count: 5_000, warmupCount: 0, allocation: false } as const;
    const { bytes } = await encodeTask.run(input, CHANNEL);
    expect(Math.abs(bytes / 5_000 - 174)).toBeLessThan(2);
  });

  test("of a request body are valid, as many as asked for, and get new times", () => {
    const [body] = pnlBodies(100_000, 1);
    const lines = (firstUs: number, rows: number) =>
      body?.stamped(firstUs, rows).toString().trimEnd().split("\n") ?? [];
    expect(lines(NOW_US, body?.rows ?? 0)).toHaveLength(body?.rows ?? -1);
    const part = lines(NOW_US + 5, 100).map((line): unknown => JSON.parse(line));
    expect(part).toHaveLength(100);
    expect(part[99]).toMatchObject({ ts: NOW_US + 104 });
    expect(part.map((row) => findEvent(NDJSON_TABLE)?.parse(row).ok)).not.toContain(false);
  });
});

describe("figures", () => {
  test("rows that do not come are waited for, and then named", async () => {
    await expect(until("3 rows", () => Promise.resolve(false), 30)).rejects.toThrow("in vain for 3 rows");
  });

  test("are the medians of the runs, with what could be measured in some of them only", () => {
    const runs = [{ a: 3, b: null }, { a: 1, b: 5 }, { a: 2 }];
    expect(variantOf("x", runs)).toMatchObject({ median: { a: 2, b: 5 }, spread: { a: 1, b: null } });
  });

  test("percentiles are values that were measured", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([50, 99, 100]);
    expect(percentile([], 0.5)).toBeNull();
  });

  test("growth is the slope of a line through the points", () => {
    expect(slopePerMinute([1, 2, 3, 4], 0.5)).toBeCloseTo(120);
    expect(slopePerMinute([5, 5, 5], 1)).toBeCloseTo(0);
  });
});

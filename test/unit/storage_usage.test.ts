// Protects: the disk that the spool and the tables take is measured at once and every minute, whether QuestDB is there
// or not.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  createStorageUsageSource,
  measureFolder,
  type StorageUsageOptions,
  type TableSize,
} from "../../ingest/sources/storage_usage.ts";
import { eventually } from "../support/eventually.ts";
import { NOON_US } from "../support/manual_clock.ts";
import { RecordingPush } from "../support/recording_push.ts";
import { testContext, WARN } from "../support/source_context.ts";
import { sourceContract } from "../support/source_contract.ts";

const MINUTE_MS = 60_000;
const SIZES: readonly TableSize[] = [
  { table: "fills", bytes: 4_096, partitions: 2 },
  { table: "orders", bytes: 8_192, partitions: 3 },
];

async function spoolFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-storage-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "orders", "deep"), { recursive: true });
  await writeFile(join(folder, "a.seg"), "x".repeat(100));
  await writeFile(join(folder, "orders", "b.seg"), "x".repeat(20));
  await writeFile(join(folder, "orders", "deep", "c.seg"), "x".repeat(3));
  return folder;
}

async function start(tableSizes: StorageUsageOptions["tableSizes"], spoolDir?: string) {
  const context = testContext();
  const folder = spoolDir ?? (await spoolFolder());
  const source = createStorageUsageSource({ context, spoolDir: folder, tableSizes });
  const pushed = new RecordingPush();
  const stop = new AbortController();
  const running = source.run(pushed.push, stop.signal);
  onTestFinished(() => {
    stop.abort();
    return running;
  });
  const until = (calls: number) => eventually(() => expect(pushed.calls).toBeGreaterThanOrEqual(calls));
  /** Waits for the next slot to be slept for, then lets it come. */
  const minute = async () => {
    await eventually(() => expect(context.clock.sleeping).toBe(1));
    await context.clock.advance(MINUTE_MS);
  };
  return { context, folder, pushed, stop, running, until, minute };
}

sourceContract("storage_usage", async () => {
  const context = testContext();
  const spoolDir = await spoolFolder();
  const source = createStorageUsageSource({ context, spoolDir, tableSizes: async () => SIZES });
  return { source, provoke: () => context.clock.advance(MINUTE_MS) };
});

test("the spool and every table are measured at once, and again in the next minute", async () => {
  const { folder, pushed, until, minute } = await start(async () => SIZES);
  await until(1);
  await writeFile(join(folder, "d.seg"), "x".repeat(7));
  await minute();
  await until(2);
  const rows = pushed.rowsOf("storage_usage");
  const tables = [
    { store: "questdb", path: "fills", bytes: 4_096, partitions: 2 },
    { store: "questdb", path: "orders", bytes: 8_192, partitions: 3 },
  ];
  expect(rows).toMatchObject([
    { ts: NOON_US, store: "spool", path: folder, bytes: 123, files: 3 },
    ...tables,
    { ts: NOON_US + MINUTE_MS * 1000, store: "spool", path: folder, bytes: 130, files: 4 },
    ...tables,
  ]);
});

test("while QuestDB is away the spool is measured on, with one line when it goes and one when it is back", async () => {
  let away = false;
  const { context, pushed, until, minute } = await start(async () => {
    if (away) throw new Error("connect ECONNREFUSED");
    return SIZES;
  });
  await until(1);
  away = true;
  for (let calls = 2; calls <= 4; calls++) {
    await minute();
    await until(calls);
  }
  away = false;
  await minute();
  await until(5);
  const stores = pushed.rowsOf("storage_usage").map((row) => row["store"]);
  expect(stores).toEqual([
    "spool",
    "questdb",
    "questdb",
    "spool",
    "spool",
    "spool",
    "spool",
    "questdb",
    "questdb",
  ]);
  expect(context.lines).toMatchObject([{ level: WARN }, { failures: 3 }]);
});

test("a QuestDB that does not answer delays the spool's row by no more than ten seconds and is told to give up", async () => {
  let gaveUp = false;
  const { context, pushed, until } = await start(
    (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          gaveUp = true;
          reject(new Error("aborted"));
        }),
      ),
  );
  await eventually(() => expect(context.clock.sleeping).toBe(1));
  await context.clock.advance(9_999);
  expect(pushed.calls).toBe(0);
  await context.clock.advance(1);
  await until(1);
  expect(pushed.rowsOf("storage_usage")).toMatchObject([{ store: "spool" }]);
  expect(gaveUp).toBe(true);
});

test("a stop does not wait for QuestDB's answer and is no outage", async () => {
  const { context, stop, running } = await start(() => new Promise(() => {}));
  await eventually(() => expect(context.clock.sleeping).toBe(1));
  stop.abort();
  await running;
  expect(context.lines).toEqual([]);
});

test("a folder that is not there yet takes no bytes", async () => {
  expect(await measureFolder(join(await spoolFolder(), "missing"))).toEqual({ bytes: 0, files: 0 });
});

test("a path longer than a symbol may be keeps its end", async () => {
  const spoolDir = `/${"long/".repeat(60)}spool`;
  const { pushed, until } = await start(async () => [], spoolDir);
  await until(1);
  const [row] = pushed.rowsOf("storage_usage");
  expect(row?.["path"]).toMatch(/^….*long\/spool$/);
});

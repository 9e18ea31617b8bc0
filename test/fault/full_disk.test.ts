// Protects acknowledged rows from a full disk: whoever asks is told, nothing acknowledged is lost, and room is enough to
// go on, without a restart and with one.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  afterAll,
  beforeAll,
  beforeEach,
  expect,
  inject,
  onTestFinished,
  type TestContext,
  test,
} from "vitest";
import { deadLetterFiles, openDeadLetters, parseDeadLetter } from "../../ingest/intake/dead_letter.ts";
import { openFolder } from "../../ingest/spool/storage.ts";
import { mountSmallDisk, type SmallDisk } from "../support/fault_disk.ts";
import type { FaultLoad } from "../support/fault_load.ts";
import { type FaultStage, openStage, untilWell } from "../support/fault_stage.ts";
import { until } from "../support/questdb_until.ts";
import { drainTable, frameOf, openTestSpool, payloads } from "../support/spool_fixture.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const DISK_BYTES = 2_000_000;

let stage: FaultStage;
let mounted: SmallDisk | string;
beforeAll(async () => {
  stage = await openStage({ questdb: inject("questdb") });
  mounted = await mountSmallDisk(stage.place.dataDir, DISK_BYTES);
  if (typeof mounted === "string") console.warn(`NOT PROVED: what happens on a full disk; ${mounted}`);
});
afterAll(async () => {
  if (typeof mounted === "object") await mounted.unmount();
  await stage?.close();
});
beforeEach((context) => void diskOf(context));

function diskOf({ skip }: Pick<TestContext, "skip">): SmallDisk {
  if (mounted === undefined || typeof mounted === "string") return skip(mounted);
  return mounted;
}

async function untilRefused(load: FaultLoad): Promise<void> {
  const before = load.answers["429"] ?? 0;
  await until("refusals", () => (load.answers["429"] ?? 0) > before + 5, 60_000);
}

test("a disk full of waiting rows refuses more with 429, and takes them again once QuestDB has some", async () => {
  await stage.start();
  const load = await stage.load({ pauseMs: 0 });
  await load.acknowledges(500);
  await stage.proxy.set({ kind: "refuse" });
  await untilRefused(load);
  await stage.proxy.set({ kind: "none" });
  await load.acknowledges(10_000);
  await stage.proves(load);
  expect(Object.keys(load.answers).sort()).toEqual(["202", "429"]);
  await untilWell(stage.place);
  await stage.untilSpoolBelow(400_000);
  await stage.end("SIGTERM");
});

test("a disk that others fill stops new rows and not the delivery of waiting ones", async (context) => {
  const disk = diskOf(context);
  await stage.start();
  const load = await stage.load();
  await load.acknowledges(500);
  await stage.proxy.set({ kind: "stall" });
  await load.acknowledges(1_000);
  await disk.fill(0);
  await untilRefused(load);
  await stage.proxy.set({ kind: "none" });
  expect(await (await fetch(`${stage.place.http}/readyz`)).json()).toMatchObject({
    problems: expect.arrayContaining([
      expect.stringMatching(/^the disk of the spool is full.*rows are refused$/),
    ]),
  });
  // The waiting rows give their room back, which the filler takes at once.
  for (let round = 0; round < 3; round++) {
    await disk.fill(0);
    await untilRefused(load);
  }
  await disk.free();
  await load.acknowledges(2_000);
  await stage.proves(load);
  await untilWell(stage.place);
  const { service } = stage;
  await stage.end("SIGTERM");
  for (const words of ["the spool's disk takes no rows", "the spool's disk takes rows again"]) {
    expect(service?.stderr()).toContain(words);
  }
});

test("SIGTERM on a full disk ends the service in order, and the next one delivers what waited", async (context) => {
  const disk = diskOf(context);
  await stage.start();
  const load = await stage.load();
  await load.acknowledges(500);
  await stage.proxy.set({ kind: "refuse" });
  await load.acknowledges(1_000);
  await disk.fill(0);
  await untilRefused(load);
  await stage.end("SIGTERM");
  await disk.free();
  await stage.proxy.set({ kind: "none" });
  await stage.start();
  await load.acknowledges(500);
  await stage.proves(load);
  await stage.end("SIGTERM");
});

test("after kill -9 on a full disk the next start delivers what waited, with the disk still full", async (context) => {
  const disk = diskOf(context);
  await stage.start();
  const load = await stage.load();
  await load.acknowledges(500);
  await stage.proxy.set({ kind: "refuse" });
  await load.acknowledges(1_000);
  await disk.fill(0);
  await untilRefused(load);
  await stage.end("SIGKILL");
  await load.stop();
  await disk.fill(0);
  await stage.proxy.set({ kind: "none" });
  await stage.start();
  await stage.proves(load);
  await disk.free();
  const more = await stage.load();
  await more.acknowledges(500);
  await stage.proves(more);
  await stage.end("SIGTERM");
});

test("a disk that is full before anything was delivered gets free by delivering", async ({ skip }) => {
  const folder = await temporaryFolder();
  const disk = await mountSmallDisk(folder, DISK_BYTES);
  if (typeof disk === "string") return skip(disk);
  onTestFinished(() => disk.unmount());
  const spool = await openTestSpool(await openFolder(folder), { segmentBytes: 65_536 });
  const stored: string[] = [];
  const append = async () => {
    const frame = frameOf("signals", stored.length, 500);
    await spool.append([frame]);
    stored.push(frame.payload.toString());
  };
  for (;;) {
    const error: unknown = await append().catch((cause) => cause);
    if (error === undefined) continue;
    expect(error).toMatchObject({ code: "SPOOL_FULL" });
    break;
  }
  expect(stored.length).toBeGreaterThan(20);
  await disk.fill(0);
  expect(payloads(await drainTable(spool, "signals"))).toEqual(stored);
  await spool.saveCursor();
  await disk.free();
  await append();
  expect(payloads(await drainTable(spool, "signals"))).toEqual(stored.slice(-1));
  await spool.close();
});

test("a dead letter that the disk had no room for is refused and spoils none of the others", async ({
  skip,
}) => {
  const folder = await temporaryFolder();
  const disk = await mountSmallDisk(folder, 300_000);
  if (typeof disk === "string") return skip(disk);
  onTestFinished(() => disk.unmount());
  const letters = await openDeadLetters({
    ...{ folder, bytesMax: 1 << 30, nowUs: () => 1, onDropped: () => undefined },
  });
  const kept: number[] = [];
  const write = async (number: number) => {
    const entry = { stage: "questdb" as const, table: "signals", reason: "row_refused" };
    await letters.write([{ ...entry, message: "x".repeat(700), row: { number } }]);
    kept.push(number);
  };
  let refused = 0;
  for (let number = 0; number < 1_000; number++) {
    if (number === 900) await disk.free();
    if (number === 10) await disk.fill(6_000);
    await write(number).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "ENOSPC" });
      refused += 1;
    });
  }
  expect(refused).toBeGreaterThan(100);
  const lines = await Promise.all(
    (await deadLetterFiles(folder)).map((name) => readFile(join(folder, name), "utf8")),
  );
  const found = lines.flatMap((text) => text.split("\n").slice(0, -1)).map((line) => parseDeadLetter(line));
  expect(found.map((entry) => entry?.row)).toEqual(kept.map((number) => ({ number })));
});

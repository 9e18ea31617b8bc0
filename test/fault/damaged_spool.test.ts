// Protects acknowledged rows from what disks do to files between two lives of the service. What was cut off in the middle
// of a write was never acknowledged; a bit that changes costs the rows of its own record, and they are told.
import { randomBytes } from "node:crypto";
import { truncate } from "node:fs/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import {
  flipBit,
  rowsOf,
  type SpoolRecord,
  segmentPaths,
  spoolRecords,
  tear,
} from "../support/fault_damage.ts";
import { seededRandom } from "../support/fault_form.ts";
import { expectKept, nameOf } from "../support/fault_oracle.ts";
import { FAULT_TABLES, type FaultTable, MARK_COLUMN, numberOf } from "../support/fault_rows.ts";
import { type FaultStage, openStage } from "../support/fault_stage.ts";
import { metricsText } from "../support/service_proof.ts";

let stage: FaultStage;
beforeAll(async () => {
  stage = await openStage({ questdb: inject("questdb") });
});
afterAll(() => stage?.close());

async function newest(): Promise<{ readonly path: string; readonly last: SpoolRecord }> {
  const path = (await segmentPaths(stage.place.dataDir)).at(-1);
  const last = (await spoolRecords(stage.place.dataDir)).at(-1);
  if (path === undefined || last === undefined) throw new Error("an empty spool proves nothing");
  return { path, last };
}

test("writes that were cut short at the end of the newest segment cost no acknowledged row", async () => {
  const load = await stage.load();
  const tails: readonly ((last: Buffer) => Buffer)[] = [
    (last) => last.subarray(0, 20),
    (last) => last.subarray(0, last.length - 1),
    (last) => Buffer.concat([last.subarray(0, 90), Buffer.alloc(last.length - 90)]),
    () => Buffer.alloc(4_096),
    () => randomBytes(5_000),
  ];
  for (const tail of tails) {
    await stage.start();
    await stage.proxy.set({ kind: "refuse" });
    await load.acknowledges(300);
    await stage.end("SIGKILL");
    const { path, last } = await newest();
    await tear(path, tail(last.bytes));
    await stage.proxy.set({ kind: "none" });
  }
  const service = await stage.start();
  expect(service.stderr()).toContain("cut an unfinished write off the spool");
  await load.acknowledges(300);
  await stage.proves(load);
  await stage.end("SIGTERM");
});

test("a segment whose header was never written, or only in part, costs no acknowledged row", async () => {
  const load = await stage.load();
  for (const bytes of [0, 17, 32]) {
    await stage.start();
    await load.acknowledges(300);
    await stage.end("SIGKILL");
    const { path } = await newest();
    const next = path.replace(/\d{16}/, (id) => String(Number(id) + 1).padStart(16, "0"));
    await tear(next, Buffer.alloc(bytes));
    await truncate(next, bytes);
  }
  await stage.start();
  await load.acknowledges(300);
  await stage.proves(load);
  await stage.end("SIGTERM");
});

/** Names of the load's rows in these records. */
function namesIn(records: readonly SpoolRecord[], mark: string): Set<string> {
  const names = new Set<string>();
  for (const { frame } of records) {
    const table = FAULT_TABLES.find((name) => name === frame.table);
    if (table === undefined) continue;
    for (const row of rowsOf(frame)) {
      if (row[MARK_COLUMN[table]] === mark) names.add(nameOf(numberOf(table, row)));
    }
  }
  return names;
}

test("changed bits cost exactly the rows of their records, and each of these rows is told", async () => {
  const random = seededRandom("bits");
  await stage.start();
  await stage.proxy.set({ kind: "refuse" });
  // Tables of which each row stands for itself.
  const tables: readonly FaultTable[] = ["signals", "orders"];
  const load = await stage.load({ tables });
  await load.acknowledges(4_000);
  await load.stop();
  await stage.end("SIGKILL");
  const records = await spoolRecords(stage.place.dataDir);
  expect(records.length).toBeGreaterThan(40);
  // Not the last one: what is damaged at the very end cannot be told from a write that was cut short.
  const picked = new Set<number>([3, 4, 5]);
  while (picked.size < 8) picked.add(Math.floor(random.next() * (records.length - 1)));
  const damaged = records.filter((_, index) => picked.has(index));
  for (const record of damaged) {
    await flipBit(record, { part: "body", share: random.next(), bit: Math.floor(random.next() * 8) });
  }
  await stage.proxy.set({ kind: "none" });
  const service = await stage.start();
  const verdict = await stage.verdict(load);
  const expected = namesIn(damaged, load.mark);
  expect(new Set(verdict.lost)).toEqual(expected);
  expectKept(verdict, expected);
  expect(service.stderr()).toContain("the disk changed spooled data; those rows are lost");
  const told = /^tickwatch_rows_dead_lettered_total\{.*reason="spool_damage".*\} (\d+)$/m;
  const rows = damaged.reduce((sum, { frame }) => sum + frame.rowCount, 0);
  expect(Number(told.exec(await metricsText(stage.place.http))?.[1])).toBe(rows);
  await stage.end("SIGTERM");
});

test("a changed bit in a record's header costs the rows of this record alone", async () => {
  const random = seededRandom("bits of headers");
  await stage.start();
  await stage.proxy.set({ kind: "refuse" });
  const load = await stage.load({ tables: ["signals", "orders"] });
  await load.acknowledges(2_000);
  await load.stop();
  await stage.end("SIGKILL");
  const records = await spoolRecords(stage.place.dataDir);
  const damaged = records.slice(10, 12);
  for (const record of damaged) {
    await flipBit(record, { part: "header", share: random.next(), bit: Math.floor(random.next() * 8) });
  }
  await stage.proxy.set({ kind: "none" });
  const service = await stage.start();
  const verdict = await stage.verdict(load);
  expect(new Set(verdict.lost)).toEqual(namesIn(damaged, load.mark));
  expectKept(verdict, new Set(verdict.lost));
  expect(service.stderr()).toContain("the disk changed spooled data; those rows are lost");
  await stage.end("SIGTERM");
});

// Protects: what was acknowledged survives a power cut before any single operation, in order; and nothing is deleted
// before the disk knows that it was delivered.
import { describe, expect, test } from "vitest";
import type { Spool } from "../../ingest/spool/spool.ts";
import { type Loss, MemoryStorage, PowerCut } from "../support/memory_storage.ts";
import { drainTable, frameOf, openTestSpool, payloads } from "../support/spool_fixture.ts";

const TABLES = ["a", "b"];

interface Told {
  /** Payloads whose append resolved, by table. */
  readonly acknowledged: Map<string, string[]>;
  /** Payloads handed to append, by table. */
  readonly offered: Map<string, string[]>;
  /** How many frames of the table were delivered and acked. */
  readonly delivered: Map<string, number>;
}

/** Appends, delivers, saves and closes; what it was told is in `told` when the power is cut. */
async function work(storage: MemoryStorage, told: Told): Promise<void> {
  const spool = await openTestSpool(storage);
  for (let round = 0; round < 6; round++) {
    const frames = TABLES.map((table) => frameOf(table, round, 1 + (round % 3)));
    for (const frame of frames) push(told.offered, frame.table, frame.payload.toString());
    await spool.append(frames);
    for (const frame of frames) push(told.acknowledged, frame.table, frame.payload.toString());
    // b is a table that QuestDB does not take: its frames pin their segments.
    if (round % 2 === 1) await deliverOne(spool, "a", told);
    if (round % 3 === 2) await spool.saveCursor();
  }
  await drainTable(spool, "b");
  told.delivered.set("b", told.acknowledged.get("b")?.length ?? 0);
  await spool.close();
}

async function deliverOne(spool: Spool, table: string, told: Told): Promise<void> {
  const [head] = await spool.peek(table, { rows: 1, bytes: 1 });
  if (head === undefined) return;
  spool.ack(table, head.seq);
  told.delivered.set(table, (told.delivered.get(table) ?? 0) + 1);
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}

function nothingTold(): Told {
  return { acknowledged: new Map(), offered: new Map(), delivered: new Map() };
}

async function operationsOfAFullRun(): Promise<number> {
  const storage = new MemoryStorage();
  await work(storage, nothingTold());
  return storage.journal.length;
}

describe.each<Loss>(["all", "none", "half"])("power cut, unsynced data lost: %s", (loss) => {
  test("every acknowledged frame that was not delivered is found again, in order", async () => {
    const operations = await operationsOfAFullRun();
    expect(operations).toBeGreaterThan(30);
    for (let cutAt = 0; cutAt < operations; cutAt++) {
      const storage = new MemoryStorage();
      storage.cutAt = cutAt;
      const told = nothingTold();
      await expect(work(storage, told)).rejects.toThrow();
      const spool = await openTestSpool(storage.afterCut(loss));
      for (const table of TABLES) {
        const found = payloads(await drainTable(spool, table));
        const acknowledged = told.acknowledged.get(table) ?? [];
        const due = acknowledged.slice(told.delivered.get(table) ?? 0);
        const where = `cut ${cutAt}, table ${table}`;
        // Frames that were delivered may come again, and ones that were never acknowledged may have made it.
        const offered = told.offered.get(table) ?? [];
        expect(found, where).toEqual(
          offered.slice(
            offered.length - found.length - missing(offered, found),
            offered.length - missing(offered, found),
          ),
        );
        expect(
          found.filter((payload) => due.includes(payload)),
          where,
        ).toEqual(due);
      }
      // And it goes on: what is appended now is found after an orderly stop.
      await spool.append([frameOf("a", 99)]);
      await spool.close();
    }
  });
});

test("a recovery that is itself cut short can be repeated", async () => {
  const operations = await operationsOfAFullRun();
  for (let cutAt = 5; cutAt < operations; cutAt += 3) {
    const storage = new MemoryStorage();
    storage.cutAt = cutAt;
    const told = nothingTold();
    await expect(work(storage, told)).rejects.toThrow();
    for (let second = 0; second < 12; second++) {
      const found = storage.afterCut("half");
      found.cutAt = second;
      await openTestSpool(found).catch((error: unknown) => expect(error).toBeInstanceOf(PowerCut));
      const spool = await openTestSpool(found.afterCut("half"));
      for (const table of TABLES) {
        const due = (told.acknowledged.get(table) ?? []).slice(told.delivered.get(table) ?? 0);
        const drained = payloads(await drainTable(spool, table));
        expect(
          drained.filter((payload) => due.includes(payload)),
          `cut ${cutAt} then ${second}`,
        ).toEqual(due);
      }
    }
  }
});

/** How many of the last offered frames are not in what was found. */
function missing(offered: readonly string[], found: readonly string[]): number {
  const last = found.at(-1);
  return last === undefined ? 0 : offered.length - 1 - offered.lastIndexOf(last);
}

test("the cut is felt: a storage without power refuses everything", async () => {
  const storage = new MemoryStorage();
  storage.cutAt = 0;
  await expect(openTestSpool(storage)).rejects.toThrow(PowerCut);
});

test("an append is synced before it resolves, and a segment is removed only after a synced cursor covers it", async () => {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage);
  await spool.append([frameOf("a", 1)]);
  const segment = "0000000000000001.segment";
  expect(storage.journal.slice(-2)).toEqual([`write ${segment}`, `sync ${segment}`]);
  for (let n = 2; n < 12; n++) await spool.append([frameOf("a", n, 3)]);
  await drainTable(spool, "a");
  storage.journal.length = 0;
  await spool.saveCursor();
  const removals = storage.journal.findIndex((operation) => operation.startsWith("remove"));
  expect(removals).toBeGreaterThan(-1);
  expect(storage.journal.slice(0, removals)).toEqual(["write cursor", "sync cursor"]);
  await spool.close();
});

test("a segment's name is durable before its first record is acknowledged", async () => {
  const storage = new MemoryStorage();
  const spool = await openTestSpool(storage);
  storage.journal.length = 0;
  await spool.append([frameOf("a", 1)]);
  expect(storage.journal.map((operation) => operation.split(" ")[0])).toEqual([
    "open",
    "truncate",
    "write",
    "sync",
    "syncFolder",
    "write",
    "sync",
  ]);
});

// Protects: whatever happens to the power, ledger and spool together know every accepted row exactly once, from the
// beginning on; and no segment goes before the keys of its rows are on disk.
import { describe, expect, test } from "vitest";
import type { Frame } from "../../ingest/spool/frame.ts";
import { keysOf, knownKeys, openWitnessedSpool } from "../support/ledger_fixture.ts";
import { type Loss, MemoryStorage } from "../support/memory_storage.ts";
import { drainTable, frameOf } from "../support/spool_fixture.ts";

interface Told {
  readonly acknowledged: Frame[];
  readonly offered: Frame[];
}

/** Two tables, small segments, files of the ledger that begin anew now and then, blocks written by both occasions. */
async function work(storage: MemoryStorage, told: Told): Promise<void> {
  let nowMs = 0;
  const { spool, ledger } = await openWitnessedSpool(storage, { monotonicMs: () => nowMs });
  for (let round = 0; round < 6; round++) {
    const frames = ["a", "b"].map((table) => frameOf(table, round, 1 + (round % 3)));
    told.offered.push(...frames);
    await spool.append(frames);
    told.acknowledged.push(...frames);
    nowMs += 31_000;
    await ledger.tick();
    if (round % 2 === 1) await drainTable(spool, "a");
    if (round === 3) await drainTable(spool, "b");
    if (round % 3 === 2) await spool.saveCursor();
  }
  await drainTable(spool, "b");
  await spool.close();
  await ledger.close();
}

function nothingTold(): Told {
  return { acknowledged: [], offered: [] };
}

async function operationsOfAFullRun(): Promise<readonly string[]> {
  const storage = new MemoryStorage();
  await work(storage, nothingTold());
  return storage.journal;
}

/** Every acknowledged key once, every offered one at most once, no other, and no gap. */
async function provesKnown(storage: MemoryStorage, told: Told, where: string): Promise<void> {
  const { spool, ledger, gaps } = await openWitnessedSpool(storage);
  await spool.append([frameOf("a", 99)]);
  const { keys, completeFromUs } = await knownKeys(storage, spool);
  const due = [...told.acknowledged, frameOf("a", 99)].flatMap(keysOf);
  const offered = new Set([...told.offered, frameOf("a", 99)].flatMap(keysOf));
  expect(
    due.filter((key) => keys.get(key) !== 1),
    where,
  ).toEqual([]);
  expect(
    [...keys].filter(([key, times]) => times !== 1 || !offered.has(key)),
    where,
  ).toEqual([]);
  expect({ gaps, completeFromUs }, where).toEqual({ gaps: [], completeFromUs: 0 });
  await spool.close();
  await ledger.close();
}

describe.each<Loss>(["all", "none", "half"])("power cut, unsynced data lost: %s", (loss) => {
  test("ledger and spool know every acknowledged row once", async () => {
    const journal = await operationsOfAFullRun();
    expect(journal.filter((operation) => operation.endsWith(".ledger")).length).toBeGreaterThan(8);
    for (let cutAt = 0; cutAt < journal.length; cutAt++) {
      const storage = new MemoryStorage();
      storage.cutAt = cutAt;
      const told = nothingTold();
      await work(storage, told).catch(() => undefined);
      await provesKnown(storage.afterCut(loss), told, `cut ${cutAt} before "${journal[cutAt]}"`);
    }
  });

  test("a start that is itself cut short can be repeated", async () => {
    const journal = await operationsOfAFullRun();
    for (let cutAt = 8; cutAt < journal.length; cutAt += 5) {
      const storage = new MemoryStorage();
      storage.cutAt = cutAt;
      const told = nothingTold();
      await work(storage, told).catch(() => undefined);
      for (let second = 0; second < 14; second++) {
        const found = storage.afterCut(loss);
        found.cutAt = second;
        await openWitnessedSpool(found).catch(() => undefined);
        await provesKnown(found.afterCut(loss), told, `cut ${cutAt} then ${second}`);
      }
    }
  });
});

test("a segment is removed only after the keys of its rows are synced", async () => {
  const storage = new MemoryStorage();
  const { spool } = await openWitnessedSpool(storage);
  for (let n = 1; n < 12; n++) await spool.append([frameOf("a", n, 3)]);
  await drainTable(spool, "a");
  storage.journal.length = 0;
  await spool.saveCursor();
  const removal = storage.journal.findIndex((operation) => operation.startsWith("remove"));
  const ledger = "0000000000000001.ledger";
  expect(storage.journal.slice(0, removal)).toEqual([
    ...["write cursor", "sync cursor"],
    ...[`write ${ledger}`, `sync ${ledger}`],
  ]);
  await spool.close();
});

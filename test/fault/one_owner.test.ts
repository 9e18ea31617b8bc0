// Protects a spool from two owners: they would overwrite each other's records, and acknowledged rows would be gone.
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { seededRandom } from "../support/fault_form.ts";
import { openStage } from "../support/fault_stage.ts";
import { runChild } from "../support/questdb_child.ts";
import { until } from "../support/questdb_until.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

interface Told {
  readonly folder: string;
  readonly outcome: string;
}

const STALE = JSON.stringify({ pid: 1, bootId: "another boot", startTicks: "1", startedAt: "then" });

test("of many processes that take a dead one's lock at the same moment exactly one gets it", async () => {
  const parent = await temporaryFolder();
  const folders = Array.from({ length: 40 }, (_, index) => join(parent, String(index)));
  for (const folder of folders) {
    await mkdir(folder);
    await writeFile(join(folder, "lock"), STALE);
  }
  const go = join(parent, "go");
  const children = Array.from({ length: 6 }, () =>
    runChild("fault_lock_taker.ts", { folders, go, everyMs: 30 }),
  );
  await Promise.all(children.map((child) => child.first()));
  await writeFile(`${go}.tmp`, String(Date.now() + 200));
  await rename(`${go}.tmp`, go);
  const told = await until("all outcomes", () => {
    const messages = children.flatMap((child) => child.messages.slice(1) as Told[]);
    return messages.length === folders.length * children.length && messages;
  });
  for (const folder of folders) {
    const outcomes = told.filter((message) => message.folder === folder).map(({ outcome }) => outcome);
    const refused = Array.from({ length: children.length - 1 }, () => "SPOOL_LOCKED");
    expect(outcomes.sort(), folder).toEqual([...refused, "taken"]);
    expect(await readdir(folder), "nothing else is left").toEqual(["lock"]);
  }
});

test("two services started on one spool: one runs, the other refuses, and every acknowledged row is there once", async () => {
  const random = seededRandom("two services");
  const stage = await openStage({ questdb: inject("questdb") });
  onTestFinished(() => stage.close());
  const load = await stage.load();
  for (let round = 0; round < 3; round++) {
    const both = await Promise.all([stage.place.run(), stage.place.run()]);
    const loser = await Promise.race(both.map((one) => one.ended.then((ending) => ({ one, ending }))));
    expect(loser.ending).toEqual({ code: 6, signal: null });
    const winner = both.find((one) => one !== loser.one);
    await winner?.ready();
    await load.acknowledges(1 + Math.floor(random.next() * 500));
    winner?.kill("SIGKILL");
    expect(await winner?.ended).toEqual({ code: null, signal: "SIGKILL" });
  }
  await stage.start();
  await load.acknowledges(100);
  await stage.proves(load);
});

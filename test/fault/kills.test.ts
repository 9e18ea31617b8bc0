// Protects acknowledged rows from the end of every process at any moment: the service, QuestDB, both; at once or in
// order.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FAULT_FORM, seededRandom, tellFigures } from "../support/fault_form.ts";
import { type FaultStage, openStage, type Resources } from "../support/fault_stage.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";

let questdb: QuestdbInstance;
let stage: FaultStage;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
  // With a grace time, so that every start also sends again what was delivered lately.
  stage = await openStage({ questdb, config: { spool: { graceS: 5 } } });
});
afterAll(async () => {
  await stage?.close();
  await questdb?.remove();
});

/** The oracle asks after so many kills, so that a failure tells of its own lives. */
const LIVES_PER_LOAD = 20;

/** A start of QuestDB takes seconds. */
const ROUNDS = FAULT_FORM.kills > 20 ? 4 : 1;

test("rows acknowledged before kill -9 of the service at random moments are there once and in order", {
  timeout: 120_000 + FAULT_FORM.kills * 6_000,
}, async () => {
  const random = seededRandom("kills");
  let killsLeft = FAULT_FORM.kills;
  let acknowledged = 0;
  while (killsLeft > 0) {
    const load = await stage.load({ seed: FAULT_FORM.seed + killsLeft, pauseMs: 30 });
    for (let life = 0; life < LIVES_PER_LOAD && killsLeft > 0; life++, killsLeft--) {
      await stage.start({ wait: false });
      // Some die while they start, with recovery and rows of the life before; others in the middle of their work.
      if (random.next() < 0.3) await delay(random.next() * 1_500);
      else await load.acknowledges(1 + Math.floor(random.next() * 1_500));
      await stage.end("SIGKILL");
    }
    await stage.start();
    await load.acknowledges(200);
    await stage.provesAtRest(load);
    acknowledged += load.acknowledged;
  }
  tellFigures("kill -9 of the service", { kills: FAULT_FORM.kills, acknowledged });
});

test("rows acknowledged before and while QuestDB is killed are there once and in order when it is back", async () => {
  const random = seededRandom("kills of QuestDB");
  await stage.start();
  const load = await stage.load();
  for (let round = 0; round < ROUNDS; round++) {
    await load.acknowledges(500 + Math.floor(random.next() * 1_500));
    await questdb.kill();
    await load.acknowledges(1_000);
    await questdb.start();
  }
  await load.acknowledges(500);
  await load.stop();
  expect(Object.keys(load.answers), "the producers notice nothing").toEqual(["202"]);
  await stage.provesAtRest(load);
});

test("rows acknowledged before the service and QuestDB are killed together are there once and in order", async () => {
  const random = seededRandom("kills of both");
  await stage.start();
  const load = await stage.load();
  for (let round = 0; round < ROUNDS; round++) {
    await load.acknowledges(500 + Math.floor(random.next() * 1_500));
    await Promise.all([questdb.kill(), stage.end("SIGKILL")]);
    await stage.start({ wait: round % 2 === 1 });
    await questdb.start();
  }
  await load.acknowledges(500);
  await stage.provesAtRest(load);
});

test("SIGTERM under load ends the service in order every time, and no acknowledged row is lost", async () => {
  const random = seededRandom("SIGTERM");
  const load = await stage.load();
  for (let round = 0; round < 3; round++) {
    await stage.start();
    await load.acknowledges(1 + Math.floor(random.next() * 1_500));
    await stage.end("SIGTERM");
  }
  await stage.start();
  await load.acknowledges(100);
  await stage.provesAtRest(load);
});

test("lives under load and outages do not make the service take more and more of its machine", async () => {
  await stage.start();
  const load = await stage.load({ pauseMs: 0, producers: 8, rowsMax: 200 });
  const seen: Resources[] = [];
  for (let round = 0; round < 2; round++) {
    await load.acknowledges(20_000);
    await stage.proxy.set({ kind: "refuse" });
    await load.acknowledges(10_000);
    await stage.proxy.set({ kind: "reset_after", bytes: 5_000 });
    await stage.proxy.hit(2);
    await stage.proxy.set({ kind: "none" });
    await load.acknowledges(5_000);
    seen.push(await stage.resources());
  }
  await stage.proves(load);
  const [first, second] = seen;
  expect(second?.fds).toBeLessThanOrEqual((first?.fds ?? 0) + 6);
  expect(second?.rssBytes).toBeLessThan(300 * 1024 * 1024);
  await stage.untilSpoolBelow(400_000);
  await stage.end("SIGTERM");
});

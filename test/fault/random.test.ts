// Protects acknowledged rows from what no test of one fault thinks of: faults of the network, ends of processes, damage,
// a full disk, a wrong clock and a lost table, in combinations that follow from the seed.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { parseDeadLetter } from "../../ingest/intake/dead_letter.ts";
import { ACTS, type ActKind, type Scene } from "../support/fault_acts.ts";
import { mountSmallDisk, type SmallDisk } from "../support/fault_disk.ts";
import { FAULT_FORM, seededRandom, tellFigures } from "../support/fault_form.ts";
import { type Fault, MALFORMED, type MalformedForm } from "../support/fault_kinds.ts";
import { expectKept, nameOf, type Verdict } from "../support/fault_oracle.ts";
import { MARK_COLUMN, numberOf } from "../support/fault_rows.ts";
import { type FaultStage, openStage, untilWell } from "../support/fault_stage.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { outputOf } from "../support/service_process.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Room for a minute of load, so that a disk is full when it was filled and not otherwise. */
const DISK_BYTES = 64_000_000;

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb?.remove());

/** Rows whose bytes hold this make the server stumble, in rounds with that fault: every hundredth order. */
const POISON = "77i,";
const POISONED = /^orders\/\d+\/\d*77$/;

function faultsOf(random: RandomStream): Fault {
  const pick = <T>(all: readonly T[], otherwise: T): T =>
    all[Math.floor(random.next() * all.length)] ?? otherwise;
  const forms = Object.keys(MALFORMED) as MalformedForm[];
  const faults: readonly Fault[] = [
    { kind: "none" },
    { kind: "refuse" },
    { kind: "reset" },
    { kind: "reset_after", bytes: Math.floor(random.next() * 30_000) },
    { kind: "swallow_answer" },
    { kind: "stall" },
    { kind: "late" },
    { kind: "delay", ms: Math.floor(random.next() * 2_500) },
    { kind: "throttle", bytesPerSecond: 100_000 + Math.floor(random.next() * 900_000) },
    { kind: "answer", status: pick([200, 401, 413, 421, 500, 503] as const, 500) },
    { kind: "stumble", text: POISON, status: pick([500, 413] as const, 500) },
    { kind: "malformed", form: pick(forms, "garbage") },
  ];
  return pick(faults, { kind: "none" });
}

/** A round that takes longer tells what it is about, whatever becomes of it. */
const ROUND_MS_MAX = 120_000;

interface Round {
  readonly script: string[];
  readonly verdict: Verdict;
  readonly givenUp: number;
  readonly kills: number;
}

test("whatever happens together, every acknowledged row is there once, was told as refused, or went down with its table", {
  timeout: FAULT_FORM.randomMs + 300_000,
}, async () => {
  const random = seededRandom("random combinations");
  const clockFile = join(await temporaryFolder(), "clock");
  const stage = await openStage({
    questdb,
    config: { spool: { graceS: 60 } },
    env: {
      NODE_OPTIONS: `--import=${new URL("../support/fault_clock.mjs", import.meta.url)}`,
      TEST_FAULT_CLOCK: clockFile,
    },
  });
  const disk = await mountSmallDisk(stage.place.dataDir, DISK_BYTES);
  if (typeof disk === "string") console.warn(`NOT PROVED: combinations with a full disk; ${disk}`);
  onTestFinished(async () => {
    if (typeof disk === "object") await disk.unmount();
    await stage.close();
  });
  const lost = new Set<string>();
  const untilMs = performance.now() + FAULT_FORM.randomMs;
  const total = { rounds: 0, acts: 0, kills: 0, acknowledged: 0, stored: 0, givenUp: 0 };
  while (performance.now() < untilMs) {
    const { script, verdict, givenUp, kills } = await playRound(
      { stage, random, disk: typeof disk === "string" ? undefined : disk, clockFile, lost },
      FAULT_FORM.seed + total.rounds,
    );
    total.rounds += 1;
    total.acts += script.length;
    total.kills += kills;
    total.acknowledged += verdict.acknowledged;
    total.stored += verdict.stored;
    total.givenUp += givenUp;
  }
  tellFigures("random combinations", total);
});

interface Props {
  readonly stage: FaultStage;
  readonly random: RandomStream;
  readonly disk: SmallDisk | undefined;
  readonly clockFile: string;
  /** Tables that lost rows when they were dropped: their account does not add up any more. */
  readonly lost: Set<string>;
}

/** Acts that start no service. */
const KEEPS_RUNNING: ReadonlySet<ActKind> = new Set([
  "kill_questdb",
  "clock_jump",
  "full_disk",
  "dropped_table",
]);

/** At its start a service refuses a server that is no QuestDB, in words: an address was mistaken. */
function isOtherServer(fault: Fault): boolean {
  return fault.kind === "answer" && fault.status === 200;
}

async function playRound({ stage, random, disk, clockFile, lost }: Props, seed: number): Promise<Round> {
  const script: string[] = [];
  const sinceMs = performance.now();
  const note = (what: string) =>
    script.push(`${((performance.now() - sinceMs) / 1_000).toFixed(1)} s: ${what}`);
  if (stage.service === undefined) await stage.start();
  const load = await stage.load({ seed });
  await load.acknowledges(200);
  const scene: Scene = { stage, questdb, load, random, disk, clockFile, dropped: new Set(), kills: 0 };
  const kinds = Object.keys(ACTS) as ActKind[];
  const tell = () => console.error(`this round: ${script.join(" → ")}`);
  const tooLong = setTimeout(tell, ROUND_MS_MAX);
  try {
    let fault: Fault = { kind: "none" };
    for (let left = 1 + Math.floor(random.next() * 4); left > 0; left--) {
      if (random.next() < 0.7) {
        fault = faultsOf(random);
        note(JSON.stringify(fault));
        await stage.proxy.set(fault);
      }
      const kind = kinds[Math.floor(random.next() * kinds.length)] ?? "kill_service";
      if (isOtherServer(fault) && !KEEPS_RUNNING.has(kind)) {
        fault = { kind: "none" };
        await stage.proxy.set(fault);
      }
      note(kind);
      await ACTS[kind](scene);
    }
    note("mended");
    await disk?.free();
    await stage.proxy.set({ kind: "none" });
    await writeFile(clockFile, "0");
    await stage.service?.ready();
    await load.acknowledges(200);
    await untilWell(stage.place);
    const verdict = await stage.verdictAtRest(load);
    note("judged");
    const poisoned = await givenUpRows(stage, load.mark);
    if (scene.dropped.size > 0) lost.add("orders");
    const unaccounted = [...(await stage.unaccounted())];
    expect(unaccounted.filter(([table]) => !lost.has(table))).toEqual([]);
    if (FAULT_FORM.isLong) tell();
    expectKept(verdict, new Set([...scene.dropped, ...poisoned]));
    expect([...poisoned].filter((name) => !POISONED.test(name))).toEqual([]);
    return { script, verdict, givenUp: poisoned.size, kills: scene.kills };
  } catch (error) {
    tell();
    console.error(stage.service === undefined ? "" : outputOf(stage.service));
    throw error;
  } finally {
    clearTimeout(tooLong);
  }
}

/** Names of the load's rows in the dead letters. */
async function givenUpRows(stage: FaultStage, mark: string): Promise<ReadonlySet<string>> {
  const letters = (await stage.deadLetters()).map((line) => parseDeadLetter(line));
  const rows = letters.map((letter) => Object(letter?.row)).filter((row) => row[MARK_COLUMN.orders] === mark);
  return new Set(rows.map((row) => nameOf(numberOf("orders", row))));
}

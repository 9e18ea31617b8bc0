// What happens to processes, disk, clock and tables in the random combinations, as data: each act may come at any time,
// under any fault of the network, on a full disk, and behind any other act. An act waits for progress only as long as
// there may be some.
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { decodeFooter } from "../../ingest/spool/segment.ts";
import { findEvent } from "../../schema/registry.ts";
import { segmentPaths, tear } from "./fault_damage.ts";
import type { SmallDisk } from "./fault_disk.ts";
import { readJournal } from "./fault_journal.ts";
import type { FaultLoad } from "./fault_load.ts";
import { nameOf } from "./fault_oracle.ts";
import type { FaultStage } from "./fault_stage.ts";
import type { QuestdbInstance } from "./questdb_instance.ts";

/** Everything that acts act upon. */
export interface Scene {
  readonly stage: FaultStage;
  readonly questdb: QuestdbInstance;
  readonly load: FaultLoad;
  readonly random: RandomStream;
  /** The data folder's own file system; undefined where none can be mounted. */
  readonly disk: SmallDisk | undefined;
  /** File of the service's clock (fault_clock.mjs). */
  readonly clockFile: string;
  /** Names of rows that went down with their table. */
  readonly dropped: Set<string>;
  /** Times that the service was killed. */
  kills: number;
}

export type ActKind = keyof typeof ACTS;

/** The acts by name. */
export const ACTS = {
  kill_service: async (scene: Scene) => {
    await revive(scene, "SIGKILL", { wait: scene.random.next() < 0.5 });
    await moves(scene, 300);
  },
  term_service: async (scene: Scene) => {
    await whenReady(scene);
    await revive(scene, "SIGTERM", { wait: scene.random.next() < 0.5 });
    await moves(scene, 300);
  },
  kill_questdb: async (scene: Scene) => {
    await scene.questdb.kill();
    await moves(scene, 500);
    await scene.questdb.start();
  },
  kill_both: async (scene: Scene) => {
    await Promise.all([scene.questdb.kill(), end(scene, "SIGKILL")]);
    await scene.stage.start({ wait: false });
    await moves(scene, 200);
    await scene.questdb.start();
  },
  torn_tail: async (scene: Scene) => {
    await end(scene, "SIGKILL");
    const newest = (await segmentPaths(scene.stage.place.dataDir)).at(-1);
    const tail = Buffer.from(Array.from({ length: 1 + index(scene, 3_000) }, () => index(scene, 256)));
    // There may be no room for it, or no spool yet.
    if (newest !== undefined) await tear(newest, tail).catch(() => undefined);
    await scene.stage.start({ wait: false });
    await moves(scene, 300);
  },
  flipped_footers: async (scene: Scene) => {
    await end(scene, "SIGKILL");
    for (const path of await segmentPaths(scene.stage.place.dataDir)) {
      const bytes = await readFile(path);
      const footer = decodeFooter(bytes);
      if (footer === undefined) continue;
      await flipAt(path, bytes.length - 1 - index(scene, footer.footerBytes), index(scene, 8));
    }
    await scene.stage.start({ wait: false });
    await moves(scene, 300);
  },
  flipped_cursor: async (scene: Scene) => {
    await end(scene, "SIGKILL");
    const path = join(scene.stage.place.dataDir, "spool", "cursor");
    // One slot or both: everything that is still there is then sent again.
    const slots = scene.random.next() < 0.5 ? [0, 1] : [index(scene, 2)];
    for (const slot of slots) await flipAt(path, slot * 65_536 + index(scene, 200), index(scene, 8));
    await scene.stage.start({ wait: false });
    await moves(scene, 300);
  },
  second_service: async (scene: Scene) => {
    await whenReady(scene);
    const second = await scene.stage.place.run();
    const { code, signal } = await second.ended;
    if (code !== 6) throw new Error(`the second service ended with ${code ?? signal}\n${second.stderr()}`);
  },
  clock_jump: async (scene: Scene) => {
    // All times of the load's rows stay within the limits: they are some days old, and taken for 90.
    const aheadS = [0, 45, -45, -20 * 3_600, 80 * 86_400][index(scene, 5)] ?? 0;
    await writeFile(scene.clockFile, String(aheadS * 1_000));
    await moves(scene, 500);
  },
  full_disk: async (scene: Scene) => {
    if (scene.disk === undefined) return;
    await scene.disk.fill(0);
    await moves(scene, 2_000, 2_000);
    if (scene.random.next() < 0.5) await scene.disk.free();
  },
  dropped_table: async (scene: Scene) => {
    await scene.stage.sql.query('DROP TABLE IF EXISTS "orders"');
    for (const { table, from, to, producer } of (await readJournal(scene.load.journal)).acknowledged) {
      if (table !== "orders") continue;
      for (let number = from; number <= to; number++) scene.dropped.add(nameOf({ table, producer, number }));
    }
    // Made again at once, or when rows wait for it.
    if (scene.random.next() < 0.7) await moves(scene, 500);
    await scene.stage.sql.query(findEvent("orders")?.createTableSql() ?? "");
    await moves(scene, 300);
  },
} as const satisfies Readonly<Record<string, (scene: Scene) => Promise<void>>>;

/** Resolves when so many more rows were acknowledged, or when there has been time enough for it. */
async function moves({ load }: Scene, rows: number, withinMs = 3_000): Promise<void> {
  await load.acknowledges(rows, withinMs).catch(() => undefined);
}

function index({ random }: Scene, length: number): number {
  return Math.floor(random.next() * length);
}

async function whenReady({ stage }: Scene): Promise<void> {
  if (stage.service === undefined || stage.service.hasEnded()) await stage.start();
  await stage.service?.ready();
}

/** Ends the service with the signal, however far it has got, and starts the next one. */
async function revive(
  scene: Scene,
  signal: "SIGKILL" | "SIGTERM",
  options: { readonly wait: boolean },
): Promise<void> {
  await end(scene, signal);
  await scene.stage.start(options);
}

async function end(scene: Scene, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  const { stage, random } = scene;
  // The first half second of a life is its start.
  if (signal === "SIGKILL") await delay(random.next() * 800);
  if (stage.service?.hasEnded()) throw new Error(`the service ended by itself\n${stage.service.stderr()}`);
  if (signal === "SIGKILL") scene.kills += 1;
  await stage.end(signal);
}

async function flipAt(path: string, at: number, bit: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    if (bytesRead === 1) await file.write(Buffer.from([(buffer[0] ?? 0) ^ (1 << bit)]), 0, 1, at);
  } finally {
    await file.close();
  }
}

// One run through an outage, for the scenarios that look at its different sides.
import * as z from "zod";
import { endOfService } from "../harness/accounted.ts";
import type { Bench } from "../harness/bench.ts";
import { type MarkerFigures, Markers } from "../harness/markers.ts";
import { cpuSecondsOf } from "../harness/process_usage.ts";
import { task } from "../tasks/outage.ts";
import { MARKS } from "../workload/mark_event.ts";
import { emptyTrafficTables, startTraffic } from "./live_traffic.ts";
import { newService, SERVICE_FLAGS } from "./service_input.ts";

export interface OutageOptions {
  readonly backlogRows: number;
  readonly liveRowsPerSecond: number;
  readonly markersPerSecond: number;
  readonly warmupSeconds: number;
  readonly idleSeconds: number;
  readonly seed: number;
}

const ASK_EVERY_MS = 5;
const GIVE_UP_MS = 60_000;

/** Throws when a table lacks rows afterwards, and for a server that is not ours to stop. */
export async function runThroughOutage(bench: Bench, options: OutageOptions) {
  const questdb = await bench.questdb();
  if (!questdb.isOurs) throw new Error("an outage needs a QuestDB of its own: run it without QUESTDB_URL");
  await emptyTrafficTables(questdb);
  await questdb.emptyTable(MARKS);
  const service = await newService(bench);
  const { sql } = questdb;
  const markers = new Markers({ sql, clock: bench.clock, everyMs: ASK_EVERY_MS, giveUpMs: GIVE_UP_MS });
  const { backlogRows, warmupSeconds, idleSeconds, seed, markersPerSecond } = options;
  const worker = bench.start(task, { service, backlogRows, warmupSeconds, idleSeconds }, SERVICE_FLAGS);
  const load = { rowsPerSecond: options.liveRowsPerSecond, markersPerSecond, seed };
  const producer = await startTraffic(bench, worker, markers, load);
  await worker.take("stop database", z.unknown());
  await questdb.stop();
  bench.say("QuestDB is stopped; the backlog grows");
  worker.send("database is down");
  await worker.take("start database", z.unknown());
  await questdb.start();
  const cpuBefore = cpuSecondsOf(questdb.pid);
  bench.say("QuestDB is back");
  worker.send("database is up");
  await worker.take("drained", z.unknown());
  await questdb.allQueryable(MARKS.name, backlogRows, bench.timeoutMs);
  const cpuAfter = cpuSecondsOf(questdb.pid);
  const report = await worker.result;
  await Promise.all([worker.end(), producer.end()]);
  for (const [table, rows] of Object.entries(report.accepted)) {
    await questdb.allQueryable(table, rows, bench.timeoutMs);
  }
  const live: MarkerFigures = await markers.settled();
  await endOfService(bench, service.dataDir);
  const questdbCpuSeconds = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  return { ...report, live, questdbCpuSeconds };
}

// Live traffic for a measured service: the tables of the W90 mix, and the process that sends its rows.
import * as z from "zod";
import { findEvent } from "../../schema/registry.ts";
import type { Bench } from "../harness/bench.ts";
import type { BenchQuestdb } from "../harness/bench_questdb.ts";
import { MarkerSchema, type Markers } from "../harness/markers.ts";
import type { Worker } from "../harness/worker_process.ts";
import { type ProducerInput, task as producerTask } from "../tasks/load_producer.ts";
import { W90_ROWS_PER_DAY } from "../workload/w90.ts";

/** Empties every table that the traffic writes to. */
export async function emptyTrafficTables(questdb: BenchQuestdb): Promise<void> {
  for (const table of Object.keys(W90_ROWS_PER_DAY)) {
    const event = findEvent(table);
    if (event !== undefined) await questdb.emptyTable(event);
  }
}

/** Starts the producer once the service tells where it listens; the markers among its rows are watched. */
export async function startTraffic(
  bench: Bench,
  service: Worker<unknown>,
  markers: Markers,
  load: Omit<ProducerInput, "port">,
): Promise<Worker<null>> {
  const { port } = await service.take("listening", z.object({ port: z.int() }));
  const producer = bench.start(producerTask, { ...load, port });
  producer.listen("marker", MarkerSchema, (marker) => markers.watch(marker));
  return producer;
}

// What `tickwatch verify` says of a service whose measurement is over: every row it accepted is stored, waits, or is a dead
// letter. A benchmark of a writer that loses rows is no benchmark.
import { dataFolders } from "../../ingest/config/data_dir.ts";
import { reportLines } from "../../ingest/verify/report.ts";
import { verify } from "../../ingest/verify/verify.ts";
import { EVENTS } from "../../schema/registry.ts";
import { MARKS } from "../workload/mark_event.ts";
import type { Bench } from "./bench.ts";

/** Throws with the report when the account does not add up, else removes the data folder. Its process has ended. */
export async function endOfService(bench: Bench, dataDir: string): Promise<void> {
  const { sql } = await bench.questdb();
  const report = await verify({
    ...{ sql, clock: bench.clock, events: [...EVENTS, MARKS] },
    ...dataFolders(dataDir, ".", false),
    ...{ allKeys: false, strict: false, examplesMax: 3, onProgress: () => undefined },
  });
  const accepted = report.tables.reduce((sum, table) => sum + table.accepted, 0);
  if (!report.ok || accepted === 0)
    throw new Error(`verify: accepted rows are missing\n${reportLines(report).join("\n")}`);
  await bench.removeFolder(dataDir);
}

// run.json: where everything is while the service runs, for scripts. Written whole or not at all; removed at the end.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const RunInfoSchema = z.object({
  /** Process id of the service. */
  pid: z.int(),
  version: z.string(),
  /** Base address of the gateway, /metrics and the rest. */
  http: z.string(),
  questdb: z.object({
    /** Base address: console, /exec, /write. */
    http: z.string(),
    /** PGWire as host:port. */
    pg: z.string(),
    /** Null while a configured QuestDB has not answered yet. */
    version: z.string().nullable(),
    /** Null when it is not a process of this machine's user. */
    pid: z.int().nullable(),
  }),
  /** ISO 8601. */
  startedAt: z.string(),
  /** In the demo: the process that plays the exchanges. */
  simulator: z.object({ pid: z.int(), http: z.string() }).optional(),
});

/** Content of `<dataDir>/run.json`. */
export type RunInfo = z.output<typeof RunInfoSchema>;

const NAME = "run.json";

/** Replaces run.json. */
export async function writeRunFile(dataDir: string, info: RunInfo): Promise<void> {
  const path = join(dataDir, NAME);
  await writeFile(`${path}.tmp`, `${JSON.stringify(info, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}

/** The content of run.json, or undefined when there is none that can be read. The service it names may be dead. */
export async function readRunFile(dataDir: string): Promise<RunInfo | undefined> {
  try {
    return RunInfoSchema.parse(JSON.parse(await readFile(join(dataDir, NAME), "utf8")));
  } catch {
    return undefined;
  }
}

/** Removes run.json if it is that of process `pid`: a service that was refused must not take the running one's away. */
export async function removeRunFile(dataDir: string, pid: number): Promise<void> {
  if ((await readRunFile(dataDir))?.pid === pid) await rm(join(dataDir, NAME), { force: true });
}

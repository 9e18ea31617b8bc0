// Vitest's global setup of the integration project: one real QuestDB for the whole run, found like `npm start` finds
// its own. Tests get its address with `inject("questdb")` and make tables with names of their own.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { findQuestdb, type PgAddress, type RunningQuestdb } from "../../ingest/questdb/local.ts";
import { quickStartEnv, runQuestdbChoice } from "./questdb_choice.ts";
import { removeQuestdbFolder } from "./questdb_folder.ts";
import { endServerWithUs } from "./questdb_watchdog.ts";

/** What tests get; plain data, because it crosses processes. */
export interface ProvidedQuestdb {
  readonly http: string;
  readonly pg: PgAddress;
  readonly version: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    questdb: ProvidedQuestdb;
  }
}

let running: RunningQuestdb | undefined;
let folder: string | undefined;
let callOff = (): void => undefined;

export async function setup(project: TestProject): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "tickwatch-test-questdb-"));
  const log = createLog({ level: "warn", format: "text" });
  const found = await findQuestdb(
    {
      questdb: runQuestdbChoice(),
      root: folder,
      env: quickStartEnv(),
      clock: systemClock(),
      log,
      onProgress: (message) => console.error(`questdb: ${message}`),
    },
    new AbortController().signal,
  );
  running = found;
  callOff = endServerWithUs(found, folder);
  project.provide("questdb", { http: found.http, pg: found.pg, version: found.version });
}

export async function teardown(): Promise<void> {
  await running?.stop();
  callOff();
  running = undefined;
  if (folder !== undefined) await removeQuestdbFolder(folder);
}

// Where the running service can be asked: the address in TICKWATCH_URL, or the one that it left in its data folder.
import { dataFolders } from "../config/data_dir.ts";
import { SERVICE_VARIABLE } from "../config/env.ts";
import type { Config } from "../config/schema.ts";
import { TickwatchError } from "../errors.ts";
import { readRunFile } from "../run_file.ts";
import type { CliIo } from "./io.ts";

/** Without a slash at the end. ENVIRONMENT when no service runs on this data folder. */
export async function serviceAddress(io: CliIo, { dataDir: configured }: Config): Promise<string> {
  const named = io.env[SERVICE_VARIABLE];
  if (named) return named.replace(/\/+$/, "");
  const { dataDir } = dataFolders(configured, io.cwd, false);
  const run = await readRunFile(dataDir);
  if (run !== undefined) return run.http;
  throw new TickwatchError(
    "ENVIRONMENT",
    `no tickwatch runs on ${dataDir}: start it first (npm start), or say where it runs with ${SERVICE_VARIABLE}`,
  );
}

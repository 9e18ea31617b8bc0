// Loads the configuration for a command: what loadConfig needs of the process, in one place.
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

/** Throws CONFIG_INVALID like loadConfig. */
export function configurationFor(io: CliIo, { config: file }: GlobalOptions): LoadedConfig {
  const { env, cwd, hostname } = io;
  return loadConfig({ file, env, cwd, hostname });
}

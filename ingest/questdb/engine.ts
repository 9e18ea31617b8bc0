// The two ways to run a QuestDB on this machine, behind one face: a Docker engine and a local Java.
import type { Clock } from "../clock.ts";
import type { Env } from "./run_command.ts";
import type { ServerProcess } from "./server_process.ts";
import type { ServerPorts, ServerState } from "./server_state.ts";
import type { Findings } from "./toolchain.ts";

/** Everything an engine needs from outside. */
export interface EngineOptions {
  /** Data folder of this installation, absolute. */
  readonly root: string;
  readonly version: string;
  readonly env: Env;
  readonly clock: Clock;
  readonly onProgress: (message: string) => void;
  /** Where downloads are kept; by default the user's cache folder. */
  readonly cacheDir?: string;
}

/** Whether this machine can run it, and what a person should know then; if not, what was found and what went wrong. */
export type Preparation =
  | { readonly usable: true; readonly findings: Findings; readonly note?: string }
  | { readonly usable: false; readonly findings: Findings; readonly failure?: string };

/** How the state file names a server. */
export type ServerName = Pick<ServerState, "server" | "container">;

export interface Engine {
  readonly kind: "java" | "docker";
  /** Finds the tools and downloads what is missing. Must have said `usable` before `launch`. */
  prepare(signal: AbortSignal): Promise<Preparation>;
  /** Writes the server's settings and starts it. It need not answer yet. */
  launch(
    ports: ServerPorts,
    signal: AbortSignal,
  ): Promise<{ readonly process: ServerProcess; readonly name: ServerName }>;
  /** The server of that name if it runs, whoever started it. */
  find(name: ServerName, signal: AbortSignal): Promise<ServerProcess | undefined>;
  /** After a first start that came to nothing: takes back what would bind the data folder to this engine. */
  forget(): Promise<void>;
  /** The last lines the server wrote. */
  logTail(): Promise<string>;
}

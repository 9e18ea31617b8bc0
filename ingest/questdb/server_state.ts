// What is written down about a started QuestDB, so that a later run finds it again: the server's process and ports, and
// the tickwatch process that looks after it. Knows nothing of starting or stopping.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writePrivateFile } from "./private_file.ts";

const Process = z.strictObject({ pid: z.int().positive(), began: z.string() });

const Ports = z.strictObject({ http: z.int(), minHttp: z.int(), pg: z.int() });

const State = z.strictObject({
  kind: z.enum(["java", "docker"]),
  version: z.string(),
  ports: Ports,
  startedAt: z.string(),
  /** The Java process; a container is known by its name instead. */
  server: Process.optional(),
  container: z.string().optional(),
  /** The tickwatch process that restarts and stops it. When it is gone, the next one takes over. */
  owner: Process,
});

export type ServerPorts = Readonly<z.output<typeof Ports>>;
export type ServerState = Readonly<z.output<typeof State>>;

function stateFile(root: string): string {
  return join(root, "server.json");
}

/** The state of this data folder; undefined when there is none, or none that can be read. */
export async function readState(root: string): Promise<ServerState | undefined> {
  const text = await readFile(stateFile(root), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return State.parse(JSON.parse(text));
  } catch {
    // A file of another version of tickwatch, or a damaged one: the server's own lock still protects its data.
    return undefined;
  }
}

export async function writeState(root: string, state: ServerState): Promise<void> {
  await writePrivateFile(stateFile(root), `${JSON.stringify(state, null, 2)}\n`);
}

export async function removeState(root: string): Promise<void> {
  await rm(stateFile(root), { force: true });
}

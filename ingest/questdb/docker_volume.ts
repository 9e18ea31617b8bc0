// Which named volume holds the tables of a data folder. It is written down in the folder, so that a folder that is moved
// keeps its tables. Knows nothing of containers.
import { readFile } from "node:fs/promises";
import { COMMAND_MS, type DockerAccess, docker, dockerFailure, succeeded } from "./docker_command.ts";

/** A comment in the container's environment file: Docker passes it over. */
export function volumeLine(volume: string): string {
  return `# volume ${volume}\n`;
}

/** The volume that this environment file names; undefined when there is no file, or one that names none. */
export async function notedVolume(envFile: string): Promise<string | undefined> {
  const text = await readFile(envFile, "utf8").catch(() => "");
  return /^# volume ([\w.-]+)$/m.exec(text)?.[1];
}

/** Whether the engine has it. Throws ENVIRONMENT when the engine does not say so either way. */
export async function hasVolume(volume: string, access: DockerAccess, signal: AbortSignal): Promise<boolean> {
  const args = ["volume", "ls", "--quiet", "--filter", `name=${volume}`];
  const result = await docker(args, access, COMMAND_MS, signal);
  if (!succeeded(result)) throw dockerFailure("Docker could not list its volumes", result);
  return result.stdout.split("\n").includes(volume);
}

/** Makes it unless it is there. Takes a moment, and no abort, after which nobody would know of it. Throws ENVIRONMENT. */
export async function makeVolume(volume: string, access: DockerAccess): Promise<void> {
  const args = ["volume", "create", volume];
  const result = await docker(args, access, COMMAND_MS, new AbortController().signal);
  if (!succeeded(result)) throw dockerFailure(`Docker could not make the volume ${volume}`, result);
}

/** Removes it with all that is in it; leaves one alone that a container uses. */
export async function removeVolume(volume: string, access: DockerAccess): Promise<void> {
  await docker(["volume", "rm", volume], access, COMMAND_MS, new AbortController().signal);
}

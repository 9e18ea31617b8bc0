// Removes all that a QuestDB of a temporary folder leaves behind: the folder, and the volume of a container.
import { rm, stat } from "node:fs/promises";
import { containerName, dockerEnvFile } from "../../ingest/questdb/docker_server.ts";
import { runCommand } from "../../ingest/questdb/run_command.ts";

/** The server must have ended. */
export async function removeQuestdbFolder(root: string): Promise<void> {
  const wasDocker = await stat(dockerEnvFile(root)).catch(() => undefined);
  if (wasDocker) await runDocker(["volume", "rm", "--force", containerName(root)]);
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

export async function runDocker(args: readonly string[]): Promise<void> {
  await runCommand("docker", args, { env: process.env, timeoutMs: 30_000 }, new AbortController().signal);
}

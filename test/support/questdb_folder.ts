// Removes all that a QuestDB of a temporary folder leaves behind: the folder, and a container with its volume.
import { rm, stat } from "node:fs/promises";
import { containerName, dockerEnvFile } from "../../ingest/questdb/docker_server.ts";
import { runDocker } from "./questdb_docker.ts";

/** The server must have ended. */
export async function removeQuestdbFolder(root: string): Promise<void> {
  const wasDocker = await stat(dockerEnvFile(root)).catch(() => undefined);
  if (wasDocker) {
    // One that was killed, not stopped, is still there and holds its volume.
    await runDocker(["rm", "--force", containerName(root)]);
    await runDocker(["volume", "rm", "--force", containerName(root)]);
  }
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

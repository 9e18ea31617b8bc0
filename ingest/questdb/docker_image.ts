// The image of QuestDB: asks the Docker engine for it and lets it download what is missing. Starts nothing.
import { COMMAND_MS, type DockerAccess, docker, dockerFailure, succeeded } from "./docker_command.ts";

const PULL_MS = 15 * 60_000;
const PULL_REPORT_MS = 5_000;

/** Name and tag of the image of a version. */
export function imageOf(version: string): string {
  return `questdb/questdb:${version}`;
}

/** Fetches the image unless the engine has it. Throws ENVIRONMENT with the engine's words. */
export async function ensureImage(
  version: string,
  access: DockerAccess,
  onProgress: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const image = imageOf(version);
  if (await hasImage(image, access, signal)) return;
  const startedMs = access.clock.monotonicMs();
  const report = () => {
    const seconds = Math.round((access.clock.monotonicMs() - startedMs) / 1000);
    onProgress(`downloading the image ${image} with Docker, ${seconds} s`);
  };
  report();
  const ticker = setInterval(report, PULL_REPORT_MS);
  try {
    const pulled = await docker(["pull", "--quiet", image], access, PULL_MS, signal);
    if (!succeeded(pulled)) throw dockerFailure(`Docker could not download ${image}`, pulled);
  } finally {
    clearInterval(ticker);
  }
}

async function hasImage(image: string, access: DockerAccess, signal: AbortSignal): Promise<boolean> {
  const args = ["image", "inspect", "--format", "{{.Id}}", image];
  return succeeded(await docker(args, access, COMMAND_MS, signal));
}

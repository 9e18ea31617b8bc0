// The Docker engine as tests see it: whether QuestDB's image can be run here, and what runs in it.
import { imageOf } from "../../ingest/questdb/docker_image.ts";
import { type Env, lastLines, runCommand } from "../../ingest/questdb/run_command.ts";
import { probeDocker } from "../../ingest/questdb/toolchain.ts";

const NEVER = new AbortController().signal;

/** Why no container of QuestDB can be run here without a download; undefined when one can. */
export async function dockerMissing(version: string): Promise<string | undefined> {
  const docker = await probeDocker(process.env, NEVER);
  if (!docker.usable) return `Docker: ${docker.reason}`;
  const image = imageOf(version);
  const said = await runDocker(["image", "inspect", "--format", "{{.Id}}", image]).catch(() => undefined);
  return said === undefined ? `Docker ${docker.version} does not have the image ${image}` : undefined;
}

/** What the command says; rejects with its complaint. */
export async function runDocker(args: readonly string[], env: Env = process.env): Promise<string> {
  const result = await runCommand("docker", args, { env, timeoutMs: 30_000 }, NEVER);
  if (result.ran && result.exitCode === 0) return result.stdout.trim();
  const said = result.ran ? lastLines(result.stderr, 2) : "not installed";
  throw new Error(`docker ${args.join(" ")}: ${said}`);
}

// Runs QuestDB's image with a local Docker engine: one container and one named volume per data folder, ports published
// on 127.0.0.1 only, settings and passwords in an environment file that only this user may read.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { type CommandResult, type Env, lastLines, runCommand } from "./run_command.ts";
import { type ServerExit, type ServerProcess, TERMINATE_MS } from "./server_process.ts";
import { JVM_OPTIONS } from "./server_settings.ts";
import type { ServerPorts } from "./server_state.ts";

const COMMAND_MS = 30_000;
const PULL_MS = 15 * 60_000;
const PULL_REPORT_MS = 5_000;
const WATCH_MS = 24 * 60 * 60_000;
const WATCH_AGAIN_MS = 1_000;

/** Ports inside the container; the image's health check relies on them. */
export const CONTAINER_PORTS: ServerPorts = { http: 9000, minHttp: 9003, pg: 8812 };

/** What every command against the engine needs. */
export interface DockerAccess {
  readonly env: Env;
  readonly clock: Clock;
}

export interface DockerLaunch {
  /** Data folder of this installation: it names the container and the volume. */
  readonly root: string;
  readonly version: string;
  readonly ports: ServerPorts;
}

/** Name of the container and of its volume: the same for the same data folder. */
export function containerName(root: string): string {
  return `tickwatch-questdb-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
}

function imageOf(version: string): string {
  return `questdb/questdb:${version}`;
}

/** Settings and passwords of the container, written before it is started. */
export function dockerEnvFile(root: string): string {
  return join(root, "docker.env");
}

/** Heap options go in through the image's own variable. */
export function dockerJvmVariable(): string {
  return `JVM_PREPEND=${JVM_OPTIONS.join(" ")}\n`;
}

/** Arguments of `docker` that start the container. The log is bounded, whatever the engine's default driver is. */
export function dockerRunArgs({ root, version, ports }: DockerLaunch): string[] {
  const name = containerName(root);
  const publish = (outside: number, inside: number) => ["--publish", `127.0.0.1:${outside}:${inside}`];
  return [
    ...["run", "--detach", "--name", name, "--label", `tickwatch.root=${root}`],
    ...["--log-driver", "local", "--log-opt", "max-size=5m", "--log-opt", "max-file=2"],
    ...publish(ports.http, CONTAINER_PORTS.http),
    ...publish(ports.minHttp, CONTAINER_PORTS.minHttp),
    ...publish(ports.pg, CONTAINER_PORTS.pg),
    ...["--env-file", dockerEnvFile(root), "--volume", `${name}:/var/lib/questdb`],
    imageOf(version),
  ];
}

/** Fetches the image unless the engine has it. Throws ENVIRONMENT with the engine's words. */
export async function ensureImage(
  version: string,
  access: DockerAccess,
  onProgress: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const image = imageOf(version);
  const present = await docker(
    ["image", "inspect", "--format", "{{.Id}}", image],
    access,
    COMMAND_MS,
    signal,
  );
  if (succeeded(present)) return;
  const startedMs = access.clock.monotonicMs();
  const report = () => {
    const seconds = Math.round((access.clock.monotonicMs() - startedMs) / 1000);
    onProgress(`downloading the image ${image} with Docker, ${seconds} s`);
  };
  report();
  const ticker = setInterval(report, PULL_REPORT_MS);
  try {
    const pulled = await docker(["pull", "--quiet", image], access, PULL_MS, signal);
    if (!succeeded(pulled)) throw failure(`Docker could not download ${image}`, pulled);
  } finally {
    clearInterval(ticker);
  }
}

/** Starts the container, in place of a stopped one of the same data folder. Throws ENVIRONMENT. */
export async function launchDocker(
  launch: DockerLaunch,
  access: DockerAccess,
  signal: AbortSignal,
): Promise<ServerProcess> {
  const name = containerName(launch.root);
  await removeContainer(name, access, signal);
  const result = await docker(dockerRunArgs(launch), access, COMMAND_MS, signal);
  if (!succeeded(result)) {
    await removeContainer(name, access, new AbortController().signal);
    throw failure("Docker could not start QuestDB", result);
  }
  return watchContainer(name, access);
}

/** Whether the container is there and runs. */
export async function isContainerRunning(
  name: string,
  access: DockerAccess,
  signal: AbortSignal,
): Promise<boolean> {
  const args = ["container", "inspect", "--format", "{{.State.Running}}", name];
  const result = await docker(args, access, COMMAND_MS, signal);
  return succeeded(result) && result.stdout.trim() === "true";
}

/** The last lines the server wrote, for an error message. */
export async function containerLogTail(name: string, access: DockerAccess): Promise<string> {
  const args = ["logs", "--tail", "12", name];
  const result = await docker(args, access, COMMAND_MS, new AbortController().signal);
  return result.ran ? lastLines(result.stdout + result.stderr, 12) : "";
}

/** A running container as a server process: `docker wait` tells its end. Also used for one that an earlier run started. */
export function watchContainer(name: string, access: DockerAccess): ServerProcess {
  const watching = new AbortController();
  let ended: Promise<ServerExit> | undefined;
  return {
    pid: undefined,
    ended() {
      ended ??= watch(name, access, watching.signal);
      return ended;
    },
    async terminate() {
      const forever = new AbortController().signal;
      const seconds = String(TERMINATE_MS / 1000);
      await docker(["stop", "-t", seconds, name], access, TERMINATE_MS + COMMAND_MS, forever);
      await removeContainer(name, access, forever);
      // With the container gone `docker wait` returns; an engine that went away too would keep us here.
      watching.abort();
      await ended;
    },
  };
}

async function watch(name: string, access: DockerAccess, signal: AbortSignal): Promise<ServerExit> {
  for (;;) {
    try {
      const result = await docker(["wait", name], access, WATCH_MS, signal);
      if (succeeded(result)) return { exitCode: Number(result.stdout.trim()), signal: null };
      // The engine may have restarted under a container that lives on: look before believing in an end.
      if (result.ran && !result.timedOut && !(await isContainerRunning(name, access, signal))) {
        return { exitCode: null, signal: null };
      }
    } catch {
      return { exitCode: null, signal: null };
    }
    await access.clock.sleep(WATCH_AGAIN_MS, signal);
  }
}

/** Removes the container, never its volume. */
async function removeContainer(name: string, access: DockerAccess, signal: AbortSignal): Promise<void> {
  await docker(["rm", "--force", name], access, COMMAND_MS, signal);
}

function docker(
  args: readonly string[],
  access: DockerAccess,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CommandResult> {
  return runCommand("docker", args, { env: access.env, timeoutMs }, signal);
}

type Succeeded = CommandResult & { readonly ran: true; readonly exitCode: 0 };

function succeeded(result: CommandResult): result is Succeeded {
  return result.ran && result.exitCode === 0;
}

function failure(what: string, result: CommandResult): TickwatchError {
  const said = result.ran ? lastLines(result.stderr + result.stdout, 4) : "docker is gone";
  return new TickwatchError("ENVIRONMENT", `${what}: ${said}`);
}

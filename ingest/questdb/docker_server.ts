// Runs QuestDB's image with a local Docker engine: one container and one named volume per data folder, ports published
// on 127.0.0.1 only, settings and passwords in an environment file that only this user may read.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { COMMAND_MS, type DockerAccess, docker, dockerFailure, succeeded } from "./docker_command.ts";
import { imageOf } from "./docker_image.ts";
import { lastLines } from "./run_command.ts";
import { type ServerExit, type ServerProcess, TERMINATE_MS } from "./server_process.ts";
import { JVM_OPTIONS } from "./server_settings.ts";
import type { ServerPorts } from "./server_state.ts";

const WATCH_MS = 24 * 60 * 60_000;
const WATCH_AGAIN_MS = 1_000;
/** What the engine gets beyond QuestDB's own time to end, for the kill and for the removal. */
const STOP_EXTRA_MS = 1_000;
const REMOVE_MIN_MS = 500;

/** Ports inside the container: QuestDB's own, so that people who look into it find what they know. */
export const CONTAINER_PORTS: ServerPorts = { http: 9000, minHttp: 9003, pg: 8812 };

export interface DockerLaunch {
  /** Data folder of this installation: it names the container. */
  readonly root: string;
  /** Where the tables are. */
  readonly volume: string;
  readonly version: string;
  readonly ports: ServerPorts;
}

/** Name of the container, and of the volume it first gets: the same for the same data folder. */
export function containerName(root: string): string {
  return `tickwatch-questdb-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
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
export function dockerRunArgs({ root, volume, version, ports }: DockerLaunch): string[] {
  const name = containerName(root);
  const publish = (outside: number, inside: number) => ["--publish", `127.0.0.1:${outside}:${inside}`];
  return [
    ...["run", "--detach", "--name", name, "--label", `tickwatch.root=${root}`],
    ...["--log-driver", "local", "--log-opt", "max-size=5m", "--log-opt", "max-file=2"],
    ...publish(ports.http, CONTAINER_PORTS.http),
    ...publish(ports.minHttp, CONTAINER_PORTS.minHttp),
    ...publish(ports.pg, CONTAINER_PORTS.pg),
    ...["--env-file", dockerEnvFile(root), "--volume", `${volume}:/var/lib/questdb`],
    imageOf(version),
  ];
}

/** Starts the container, in place of a stopped one of the same data folder. Leaves none behind when it throws. */
export async function launchDocker(
  launch: DockerLaunch,
  access: DockerAccess,
  signal: AbortSignal,
): Promise<ServerProcess> {
  const name = containerName(launch.root);
  await removeContainer(name, access, signal);
  // Not cut short by an abort: the engine would go on with what the command had asked for, behind our removal.
  const forever = new AbortController().signal;
  const result = await docker(dockerRunArgs(launch), access, COMMAND_MS, forever);
  if (succeeded(result) && !signal.aborted) return watchContainer(name, access);
  await removeContainer(name, access, forever);
  signal.throwIfAborted();
  throw dockerFailure("Docker could not start QuestDB", result);
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
  return succeeded(result) ? lastLines(result.stdout + result.stderr, 12) : "";
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
      const untilMs = access.clock.monotonicMs() + TERMINATE_MS + STOP_EXTRA_MS;
      const seconds = String(TERMINATE_MS / 1000);
      // Bounded both: an engine that hangs must not keep us from ending.
      await docker(["stop", "-t", seconds, name], access, TERMINATE_MS + STOP_EXTRA_MS, forever);
      const leftMs = Math.max(untilMs - access.clock.monotonicMs(), REMOVE_MIN_MS);
      await removeContainer(name, access, forever, leftMs);
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
      // Ctrl-C in a terminal reaches the command too, and an engine may restart under a container that lives on: look
      // before believing in an end.
      if (result.ran && !result.timedOut && !(await isContainerRunning(name, access, signal))) {
        return { exitCode: null, signal: null };
      }
    } catch {
      return { exitCode: null, signal: null };
    }
    await access.clock.sleep(WATCH_AGAIN_MS, signal);
  }
}

/** Removes the container, running or not, never its volume. */
export async function removeContainer(
  name: string,
  access: DockerAccess,
  signal: AbortSignal,
  timeoutMs = COMMAND_MS,
): Promise<void> {
  await docker(["rm", "--force", name], access, timeoutMs, signal);
}

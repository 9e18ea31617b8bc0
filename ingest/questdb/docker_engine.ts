// QuestDB in a container: finds the engine, gets the image, keeps to the volume with the tables, writes the environment
// file, starts the container.
import { rm } from "node:fs/promises";
import { messageOf, TickwatchError } from "../errors.ts";
import { loadCredentials } from "./credentials.ts";
import type { DockerAccess } from "./docker_command.ts";
import { ensureImage } from "./docker_image.ts";
import {
  CONTAINER_PORTS,
  containerLogTail,
  containerName,
  dockerEnvFile,
  dockerJvmVariable,
  isContainerRunning,
  launchDocker,
  removeContainer,
  watchContainer,
} from "./docker_server.ts";
import { hasVolume, makeVolume, notedVolume, removeVolume, volumeLine } from "./docker_volume.ts";
import type { Engine, EngineOptions, Preparation } from "./engine.ts";
import { writePrivateFile } from "./private_file.ts";
import { serverEnvFile } from "./server_settings.ts";
import { probeDocker } from "./toolchain.ts";

export function dockerEngine(options: EngineOptions): Engine {
  const { root, version, env, clock } = options;
  const access: DockerAccess = { env, clock };
  const container = containerName(root);
  const envFile = dockerEnvFile(root);
  /** The volume that this process has made, for `forget`. */
  let fresh: string | undefined;

  async function prepare(signal: AbortSignal): Promise<Preparation> {
    const docker = await probeDocker(env, signal);
    if (!docker.usable) return { usable: false, findings: { docker } };
    const noted = await notedVolume(envFile);
    let there: boolean;
    try {
      await ensureImage(version, access, options.onProgress, signal);
      there = await hasVolume(noted ?? container, access, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { usable: false, findings: { docker }, failure: messageOf(error) };
    }
    if (noted !== undefined && !there) throw volumeMissing(root, noted);
    // One that was started but not yet written down when its process was killed would still hold the ports.
    await removeContainer(container, access, signal);
    const inherits = noted === undefined && there;
    return {
      usable: true,
      findings: { docker },
      ...(inherits ? { note: inheritance(root, container) } : {}),
    };
  }

  async function volumeFor(signal: AbortSignal): Promise<string> {
    const noted = await notedVolume(envFile);
    if (noted !== undefined) return noted;
    if (!(await hasVolume(container, access, signal))) {
      await makeVolume(container, access);
      fresh = container;
    }
    return container;
  }

  return {
    kind: "docker",
    prepare,
    async launch(ports, signal) {
      const volume = await volumeFor(signal);
      await writePrivateFile(envFile, await environment(root, version, volume));
      const process = await launchDocker({ root, volume, version, ports }, access, signal);
      return { process, name: { container } };
    },
    async find(name, signal) {
      if (name.container === undefined || !(await isContainerRunning(name.container, access, signal))) {
        return undefined;
      }
      return watchContainer(name.container, access);
    },
    async forget() {
      if (fresh === undefined) return;
      await rm(envFile, { force: true });
      await removeVolume(fresh, access);
      fresh = undefined;
    },
    async logTail() {
      const tail = await containerLogTail(container, access);
      return tail === "" ? "" : `The end of the container's log:\n${tail}`;
    },
  };
}

async function environment(root: string, version: string, volume: string): Promise<string> {
  const credentials = await loadCredentials(root);
  // Inside the container every address: what the host lets in is decided by the published ports.
  const settings = serverEnvFile({
    bindHost: "0.0.0.0",
    httpPort: CONTAINER_PORTS.http,
    minHttpPort: CONTAINER_PORTS.minHttp,
    pgPort: CONTAINER_PORTS.pg,
    version,
    credentials,
  });
  return volumeLine(volume) + settings + dockerJvmVariable();
}

/** To start empty would look as if the tables were lost. */
function volumeMissing(root: string, volume: string): TickwatchError {
  const message = `the tables of ${root} are in the volume ${volume}, which this Docker engine does not have: switch to the engine that has it, or delete ${dockerEnvFile(root)} to begin empty`;
  return new TickwatchError("ENVIRONMENT", message);
}

function inheritance(root: string, volume: string): string {
  return `QuestDB's tables are those of an earlier ${root}, kept in the volume ${volume}: to begin empty, stop, delete ${root} and run docker volume rm ${volume}`;
}

// QuestDB in a container: finds the engine, gets the image, writes the environment file, starts the container.
import { messageOf } from "../errors.ts";
import { loadCredentials } from "./credentials.ts";
import {
  CONTAINER_PORTS,
  containerLogTail,
  containerName,
  dockerEnvFile,
  dockerJvmVariable,
  ensureImage,
  isContainerRunning,
  launchDocker,
  watchContainer,
} from "./docker_server.ts";
import type { Engine, EngineOptions, Preparation } from "./engine.ts";
import { writePrivateFile } from "./private_file.ts";
import { serverEnvFile } from "./server_settings.ts";
import { probeDocker } from "./toolchain.ts";

export function dockerEngine(options: EngineOptions): Engine {
  const { root, version, env, clock } = options;
  const access = { env, clock };

  async function prepare(signal: AbortSignal): Promise<Preparation> {
    const docker = await probeDocker(env, signal);
    if (!docker.usable) return { usable: false, findings: { docker } };
    try {
      await ensureImage(version, access, options.onProgress, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { usable: false, findings: { docker }, failure: messageOf(error) };
    }
    return { usable: true, findings: { docker } };
  }

  async function writeEnvironment(): Promise<void> {
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
    await writePrivateFile(dockerEnvFile(root), settings + dockerJvmVariable());
  }

  return {
    kind: "docker",
    prepare,
    async launch(ports, signal) {
      await writeEnvironment();
      const process = await launchDocker({ root, version, ports }, access, signal);
      return { process, name: { container: containerName(root) } };
    },
    async find({ container }, signal) {
      if (container === undefined || !(await isContainerRunning(container, access, signal))) return undefined;
      return watchContainer(container, access);
    },
    async logTail() {
      const tail = await containerLogTail(containerName(root), access);
      return tail === "" ? "" : `The end of the container's log:\n${tail}`;
    },
  };
}

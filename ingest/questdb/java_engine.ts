// QuestDB under a local Java: finds Java, gets the jar, writes the configuration files, starts the process.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { isRunning } from "../process_identity.ts";
import { loadCredentials } from "./credentials.ts";
import type { Engine, EngineOptions, Preparation } from "./engine.ts";
import { cachedJar, cacheFolder, downloadJar } from "./jar_cache.ts";
import { adoptJava, launchJava, serverLog, serverLogTail } from "./java_server.ts";
import { writePrivateFile } from "./private_file.ts";
import { logConf, serverConf } from "./server_settings.ts";
import type { ServerPorts } from "./server_state.ts";
import { type Findings, probeJava, probeMaven } from "./toolchain.ts";

export function javaEngine(options: EngineOptions): Engine {
  const { root, version, env, clock } = options;
  let java: string | undefined;
  let jar: string | undefined;

  async function prepare(signal: AbortSignal): Promise<Preparation> {
    const found = await probeJava(env, signal);
    const cacheDir = options.cacheDir ?? cacheFolder(env);
    jar = await cachedJar(cacheDir, version);
    if (jar !== undefined) {
      if (!found.usable) return { usable: false, findings: { java: found } };
      java = found.command;
      return { usable: true, findings: { java: found } };
    }
    const maven = await probeMaven(env, signal);
    const findings: Findings = { java: found, maven };
    if (!found.usable || !maven.usable) return { usable: false, findings };
    try {
      jar = await downloadJar({ ...options, cacheDir, mvn: maven.command }, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { usable: false, findings, failure: messageOf(error) };
    }
    java = found.command;
    return { usable: true, findings };
  }

  async function writeConfiguration(ports: ServerPorts): Promise<void> {
    const credentials = await loadCredentials(root);
    await mkdir(join(root, "conf"), { recursive: true });
    const text = serverConf({
      bindHost: "127.0.0.1",
      httpPort: ports.http,
      minHttpPort: ports.minHttp,
      pgPort: ports.pg,
      version,
      credentials,
    });
    await writePrivateFile(join(root, "conf", "server.conf"), text);
    await writePrivateFile(join(root, "conf", "log.conf"), logConf());
  }

  return {
    kind: "java",
    prepare,
    async launch(ports, signal) {
      signal.throwIfAborted();
      if (java === undefined || jar === undefined)
        throw new Error("launch before prepare said the machine can");
      await writeConfiguration(ports);
      const process = await launchJava({ java, jar, root, env, clock });
      return { process, name: { server: process.identity } };
    },
    async find({ server }) {
      return server !== undefined && (await isRunning(server)) ? adoptJava(server, clock) : undefined;
    },
    async forget() {
      // Its files are in the data folder, in plain sight.
    },
    async logTail() {
      const tail = await serverLogTail(root);
      return tail === "" ? "" : `The end of ${serverLog(root)}:\n${tail}`;
    },
  };
}

/** A folder with tables of a server under Java: another engine would not see them. */
export function javaDataFolder(root: string): string {
  return join(root, "db");
}

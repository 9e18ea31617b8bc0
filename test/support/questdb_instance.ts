// A QuestDB of its own for a test that stops, kills or restarts it: same ports and same data from start to start, and
// nobody who restarts it behind the test's back.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { loadCredentials } from "../../ingest/questdb/credentials.ts";
import { dockerEngine } from "../../ingest/questdb/docker_engine.ts";
import { containerName } from "../../ingest/questdb/docker_server.ts";
import type { Engine } from "../../ingest/questdb/engine.ts";
import { freePort } from "../../ingest/questdb/free_port.ts";
import { javaEngine } from "../../ingest/questdb/java_engine.ts";
import type { PgAddress } from "../../ingest/questdb/local.ts";
import type { ServerProcess } from "../../ingest/questdb/server_process.ts";
import { httpUrl, pgAddress, waitUntilUsable } from "../../ingest/questdb/server_readiness.ts";
import { installAdvice } from "../../ingest/questdb/toolchain.ts";
import { ownQuestdbChoice, quickStartEnv } from "./questdb_choice.ts";
import { runDocker } from "./questdb_docker.ts";
import { removeQuestdbFolder } from "./questdb_folder.ts";
import { endServerWithUs } from "./questdb_watchdog.ts";

export interface QuestdbInstance {
  /** Files of a container are out of a test's reach. */
  readonly kind: "java" | "docker";
  /** Base address; the same after every start. */
  readonly http: string;
  readonly pg: PgAddress;
  readonly root: string;
  readonly version: string;
  /** Starts it again after `kill` or `stop`; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it at once, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it in order; resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it and removes its data. Done by itself at the end of the test unless `keep` was asked for. */
  remove(): Promise<void>;
}

/**
 * Starts one and resolves when it answers. Removed at the end of the test that called; with `keep` (for beforeAll and
 * the like) the caller calls `remove()`.
 */
export async function startQuestdbInstance(options?: { readonly keep?: boolean }): Promise<QuestdbInstance> {
  const root = await mkdtemp(join(tmpdir(), "tickwatch-test-instance-"));
  const clock = systemClock();
  const signal = new AbortController().signal;
  const engine = await usableEngine(root, signal);
  const http = await freePort(0, new Set());
  const pg = await freePort(0, new Set([http]));
  const ports = { http, pg, minHttp: await freePort(0, new Set([http, pg])) };
  let server: ServerProcess | undefined;
  let callOff = (): void => undefined;

  const instance: QuestdbInstance = {
    kind: engine.kind,
    http: httpUrl(ports),
    pg: pgAddress(ports, await loadCredentials(root)),
    root,
    version: ownQuestdbChoice().version,
    async start() {
      if (server !== undefined) throw new Error("it runs already");
      server = (await engine.launch(ports, signal)).process;
      callOff = endServerWithUs({ kind: engine.kind, pid: server.pid, started: true }, root);
      await waitUntilUsable(engine, server, ports, { root, clock }, signal);
    },
    async kill() {
      if (server === undefined) throw new Error("it does not run");
      await killAtOnce(engine, server, root);
      callOff();
      server = undefined;
    },
    async stop() {
      await server?.terminate();
      callOff();
      server = undefined;
    },
    async remove() {
      await instance.stop();
      await removeQuestdbFolder(root);
    },
  };
  if (!options?.keep) onTestFinished(() => instance.remove());
  await instance.start();
  return instance;
}

async function usableEngine(root: string, signal: AbortSignal): Promise<Engine> {
  const { version, start } = ownQuestdbChoice();
  const settings = { root, version, env: quickStartEnv(), clock: systemClock(), onProgress: () => undefined };
  let findings = {};
  for (const engine of [dockerEngine(settings), javaEngine(settings)]) {
    if (start !== "auto" && start !== engine.kind) continue;
    const preparation = await engine.prepare(signal);
    if (preparation.usable) return engine;
    findings = { ...findings, ...preparation.findings };
  }
  throw new Error(installAdvice(findings, []));
}

async function killAtOnce(engine: Engine, server: ServerProcess, root: string): Promise<void> {
  if (engine.kind === "docker") await runDocker(["kill", containerName(root)]);
  else if (server.pid !== undefined) process.kill(server.pid, "SIGKILL");
  await server.ended();
}

// Promises about a Docker engine that is there but of no use: a stand-in for the `docker` command misbehaves.
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { dockerEnvFile, launchDocker, watchContainer } from "../../ingest/questdb/docker_server.ts";
import { type FindOptions, findQuestdb } from "../../ingest/questdb/local.ts";
import { QUESTDB_VERSION } from "../../ingest/questdb/version.ts";
import { until } from "../support/questdb_until.ts";

const NEVER = new AbortController().signal;

/** A folder whose `docker` runs this script, and writes its arguments to a file beside it first. */
async function withDocker(script: string) {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-docker-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const calls = join(folder, "calls");
  await writeFile(join(folder, "docker"), `#!/bin/sh\necho "$*" >> ${calls}\n${script}\n`);
  await chmod(join(folder, "docker"), 0o755);
  const called = async () => (await readFile(calls, "utf8").catch(() => "")).trim().split("\n");
  return { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, root: join(folder, "data"), called };
}

function optionsFor(
  env: { readonly PATH: string; readonly HOME: string },
  root: string,
  start: FindOptions["questdb"]["start"],
): FindOptions {
  return {
    questdb: { start, version: QUESTDB_VERSION, httpPort: 0, pgPort: 0 },
    root,
    env,
    clock: systemClock(),
    log: createLog({ level: "silent", format: "json" }),
    onProgress: () => undefined,
  };
}

test("an image that cannot be downloaded is told in the engine's words, and nothing is written", async () => {
  const { PATH, HOME, root } = await withDocker(`
    [ "$1" = version ] && echo 28.0 && exit 0
    [ "$1" = pull ] && echo "dial tcp: lookup of the registry: no such host" >&2
    exit 1`);
  const finding = findQuestdb(optionsFor({ PATH, HOME }, root, "docker"), NEVER);
  await expect(finding).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringMatching(
      /Docker could not download questdb\/questdb:\S+: dial tcp: lookup of the registry: no such host/,
    ),
  });
  await expect(finding).rejects.not.toThrow("apt-get install docker.io");
  await expect(stat(dockerEnvFile(root))).rejects.toThrow("ENOENT");
});

test("a first start that the engine refuses does not bind the folder to Docker", async () => {
  const { PATH, HOME, root, called } = await withDocker(`
    [ "$1" = run ] && echo "cannot start containers here" >&2 && exit 125
    [ "$1" = version ] && echo 28.0
    exit 0`);
  const finding = findQuestdb(optionsFor({ PATH, HOME }, root, "docker"), NEVER);
  await expect(finding).rejects.toThrow("Docker could not start QuestDB: cannot start containers here");
  await expect(stat(dockerEnvFile(root))).rejects.toThrow("ENOENT");
  expect((await called()).at(-1)).toMatch(/^volume rm /);
});

test("an engine that hangs cannot keep a stop beyond ten seconds", { timeout: 20_000 }, async () => {
  const { PATH } = await withDocker(`[ "$1" = stop ] || [ "$1" = rm ] || [ "$1" = wait ] && exec sleep 60`);
  const container = watchContainer("tickwatch-questdb-00000000", { env: { PATH }, clock: systemClock() });
  void container.ended();
  const beganMs = performance.now();
  await container.terminate();
  expect(performance.now() - beganMs).toBeLessThan(10_000);
});

test("an abort during the start waits for the engine's answer, then removes what was started", async () => {
  const { PATH, root, called } = await withDocker(`[ "$1" = run ] && sleep 0.5; exit 0`);
  const ports = { http: 9000, minHttp: 9003, pg: 8812 };
  const launch = { root, volume: "tables", version: QUESTDB_VERSION, ports };
  const stopping = new AbortController();
  const launching = launchDocker(launch, { env: { PATH }, clock: systemClock() }, stopping.signal);
  const refused = expect(launching).rejects.toThrow("changed my mind");
  await until("the start", async () => (await called()).some((call) => call.startsWith("run ")));
  stopping.abort(new Error("changed my mind"));
  await refused;
  expect((await called()).map((call) => call.split(" ")[0])).toEqual(["rm", "run", "rm"]);
});

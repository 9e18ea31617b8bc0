// Promises to a person whose machine cannot run QuestDB: what was found, what is missing, the very commands to type.
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { type FindOptions, findQuestdb } from "../../ingest/questdb/local.ts";
import { javaMajor, probeDocker, probeJava } from "../../ingest/questdb/toolchain.ts";
import { QUESTDB_VERSION } from "../../ingest/questdb/version.ts";

const NEVER = new AbortController().signal;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "tickwatch-test-tools-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A PATH with nothing but these scripts. */
async function pathWith(scripts: Readonly<Record<string, string>>): Promise<string> {
  const path = await folder();
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(path, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(path, name), 0o755);
  }
  return path;
}

async function optionsWith(
  PATH: string,
  start: FindOptions["questdb"]["start"] = "auto",
): Promise<FindOptions> {
  const home = await folder();
  return {
    questdb: { start, version: QUESTDB_VERSION, httpPort: 0, pgPort: 0 },
    root: join(home, "data"),
    env: { PATH, HOME: home },
    clock: systemClock(),
    log: createLog({ level: "silent", format: "json" }),
    onProgress: () => undefined,
  };
}

async function failureOf(options: FindOptions): Promise<string> {
  const error: unknown = await findQuestdb(options, NEVER).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "ENVIRONMENT" });
  return error instanceof Error ? error.message : "";
}

test("on a machine with nothing, the error says what is missing and how to install it on Debian and macOS", async () => {
  const message = await failureOf(await optionsWith(await pathWith({})));
  expect(message).toMatch(/Docker +not installed\n +Java +not installed\n +Maven +not installed/);
  expect(message).toContain("sudo apt-get install docker.io");
  expect(message).toContain("sudo apt-get install openjdk-17-jre-headless maven");
  expect(message).toContain("brew install openjdk@17 maven");
  expect(message).toContain("QUESTDB_URL=http://127.0.0.1:9000");
});

test("an old Java and a Docker without engine are named as what they are", async () => {
  const PATH = await pathWith({
    java: `echo 'openjdk version "11.0.22" 2024-01-16' >&2`,
    docker: "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
  });
  const message = await failureOf(await optionsWith(PATH));
  expect(message).toContain("Java    version 11.0.22 is too old: 17 or newer is needed");
  expect(message).toContain("installed, but no engine answers (Cannot connect to the Docker daemon)");
  expect(message).toMatch(/Maven +not installed/);
  expect(message).toContain("sudo systemctl start docker");
});

test("a user who may not use the Docker engine learns how to become one who may", async () => {
  const PATH = await pathWith({
    docker: "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1",
  });
  const message = await failureOf(await optionsWith(PATH));
  expect(message).toContain("this user may not use its engine");
  expect(message).toContain("sudo usermod -aG docker");
});

test("a Docker engine that hangs holds up nothing for long", async () => {
  const PATH = await pathWith({ docker: "exec /bin/sleep 60" });
  const docker = await probeDocker({ PATH }, NEVER);
  expect(docker).toMatchObject({ usable: false, reason: expect.stringContaining("did not answer") });
});

test("an engine on another machine is not used: its ports would not be on this one's loopback", async () => {
  const PATH = await pathWith({ docker: "echo 28.0" });
  expect(await probeDocker({ PATH, DOCKER_HOST: "tcp://10.0.0.7:2375" }, NEVER)).toMatchObject({
    usable: false,
    reason: expect.stringContaining("DOCKER_HOST"),
  });
  expect(await probeDocker({ PATH, DOCKER_HOST: "unix:///var/run/docker.sock" }, NEVER)).toEqual({
    ...{ usable: true, command: "docker", version: "28.0" },
  });
});

test("an engine on another machine is not used when the command's context leads there, unless DOCKER_HOST leads elsewhere", async () => {
  const PATH = await pathWith({
    docker: `[ "$1" = context ] && echo "\${DOCKER_HOST:-ssh://me@elsewhere}" || echo 28.0`,
  });
  expect(await probeDocker({ PATH }, NEVER)).toMatchObject({
    usable: false,
    reason: expect.stringContaining("context"),
  });
  const here = { PATH, DOCKER_HOST: "unix:///var/run/docker.sock" };
  expect(await probeDocker(here, NEVER)).toMatchObject({ usable: true });
});

test("the Java of JAVA_HOME comes first, and a broken one does not hide the one on PATH", async () => {
  const home = await folder();
  await mkdir(join(home, "bin"));
  await writeFile(join(home, "bin", "java"), `#!/bin/sh\necho 'openjdk version "21.0.1"' >&2\n`);
  await chmod(join(home, "bin", "java"), 0o755);
  const PATH = await pathWith({ java: `echo 'openjdk version "17.0.2"' >&2` });
  const command = join(home, "bin", "java");
  expect(await probeJava({ PATH, JAVA_HOME: home }, NEVER)).toEqual({
    usable: true,
    command,
    version: "21.0.1",
  });
  expect(await probeJava({ PATH, JAVA_HOME: "/nowhere" }, NEVER)).toMatchObject({
    usable: true,
    command: "java",
  });
});

test.each([
  ["17.0.15", 17],
  ["1.8.0_402", 8],
  ["21", 21],
  ["24-ea", 24],
])("Java %s counts as %i", (version, major) => {
  expect(javaMajor(version)).toBe(major);
});

test("tables that were written by one engine are never left aside for an empty start with the other", async () => {
  const options = await optionsWith(await pathWith({ docker: "echo 28.0" }));
  await mkdir(join(options.root, "db"), { recursive: true });
  const message = await failureOf(options);
  expect(message).toContain("were written by QuestDB under Java");
  expect(message).not.toContain("Docker  28.0");
});

test("questdb.start = never without an address is a mistake in the configuration", async () => {
  const options = await optionsWith(await pathWith({}), "never");
  await expect(findQuestdb(options, NEVER)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("QUESTDB_URL"),
  });
});

// Promises of the download: only a whole file is ever taken for QuestDB's jar.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { cachedJar, cacheFolder, downloadJar } from "../../ingest/questdb/jar_cache.ts";
import { until } from "../support/questdb_until.ts";

const VERSION = "9.3.4";
const NEVER = new AbortController().signal;

/** A cache folder and a Maven that does what the script says; `$OUT` is the folder it is told to copy into. */
async function setting(script: string) {
  const home = await mkdtemp(join(tmpdir(), "tickwatch-test-cache-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const mvn = join(home, "mvn");
  const out = 'for a in "$@"; do case "$a" in -DoutputDirectory=*) OUT="${a#*=}";; esac; done';
  await writeFile(mvn, `#!/bin/sh\n${out}\n${script}\n`);
  await chmod(mvn, 0o755);
  const cacheDir = join(home, "cache");
  const progress: string[] = [];
  const options = {
    ...{ cacheDir, version: VERSION, mvn, env: { PATH: "/usr/bin:/bin" }, clock: systemClock() },
    onProgress: (message: string) => void progress.push(message),
  };
  return { options, cacheDir, progress };
}

test("a finished download is in the cache under its version, says how far it is, and leaves nothing beside it", async () => {
  const { options, cacheDir, progress } = await setting(`printf jar > "$OUT/questdb-${VERSION}.jar"`);
  expect(await cachedJar(cacheDir, VERSION)).toBeUndefined();
  const jar = await downloadJar(options, NEVER);
  expect(await cachedJar(cacheDir, VERSION)).toBe(jar);
  expect(await readFile(jar, "utf8")).toBe("jar");
  expect(await readdir(cacheDir)).toEqual([`questdb-${VERSION}.jar`]);
  expect(await cachedJar(cacheDir, "9.2.3")).toBeUndefined();
  expect(progress[0]).toContain(`downloading QuestDB ${VERSION}`);
});

test("a download that is interrupted half way leaves no jar", async () => {
  const { options, cacheDir } = await setting(
    `printf half > "$OUT/questdb-${VERSION}.jar"; exec /bin/sleep 600`,
  );
  const stopping = new AbortController();
  const refused = expect(downloadJar(options, stopping.signal)).rejects.toThrow("stop");
  await until("half a file", async () => {
    const folders = await readdir(cacheDir).catch(() => []);
    const files = await Promise.all(folders.map((name) => readdir(join(cacheDir, name)).catch(() => [])));
    return files.flat().length > 0;
  });
  stopping.abort(new Error("stop"));
  await refused;
  expect(await cachedJar(cacheDir, VERSION)).toBeUndefined();
  expect(await readdir(cacheDir)).toEqual([]);
});

test("what a killed download left behind is never used, and is removed when it is old", async () => {
  const { options, cacheDir } = await setting(`printf jar > "$OUT/questdb-${VERSION}.jar"`);
  for (const name of [".download-old", ".download-new"]) {
    await mkdir(join(cacheDir, name), { recursive: true });
    await writeFile(join(cacheDir, name, `questdb-${VERSION}.jar`), "half");
  }
  const yesterday = new Date(Date.now() - 86_400_000);
  await utimes(join(cacheDir, ".download-old"), yesterday, yesterday);
  expect(await cachedJar(cacheDir, VERSION)).toBeUndefined();
  await downloadJar(options, NEVER);
  expect((await readdir(cacheDir)).sort()).toEqual([".download-new", `questdb-${VERSION}.jar`]);
});

test("a Maven that fails is quoted", async () => {
  const { options, cacheDir } = await setting("echo '[ERROR] Could not transfer artifact'; exit 1");
  await expect(downloadJar(options, NEVER)).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringContaining("Could not transfer artifact"),
  });
  expect(await readdir(cacheDir)).toEqual([]);
});

test("the cache follows XDG_CACHE_HOME, else the home folder, and says so when there is neither", () => {
  expect(cacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/home/me" })).toBe("/x/tickwatch");
  expect(cacheFolder({ HOME: "/home/me" })).toBe("/home/me/.cache/tickwatch");
  expect(() => cacheFolder({})).toThrow("XDG_CACHE_HOME");
});

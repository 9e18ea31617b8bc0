// The cache folder with QuestDB's jar, filled by Maven. An interrupted download is never taken for a jar: it happens in
// a folder of its own and the finished file is renamed into place. Knows nothing of running the jar.
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import { type Env, lastLines, runCommand } from "./run_command.ts";

const DOWNLOAD_MS = 15 * 60_000;
const PROGRESS_EVERY_MS = 5_000;
const ABANDONED_AFTER_MS = 60 * 60_000;
const DOWNLOAD_PREFIX = ".download-";

/** The folder for downloads of this user: `tickwatch` under XDG_CACHE_HOME, else under ~/.cache. */
export function cacheFolder(env: Env): string {
  const base = env["XDG_CACHE_HOME"] || (env["HOME"] ? join(env["HOME"], ".cache") : undefined);
  if (base === undefined) {
    throw new TickwatchError(
      "ENVIRONMENT",
      "neither HOME nor XDG_CACHE_HOME is set: no place for QuestDB's jar",
    );
  }
  return join(base, "tickwatch");
}

/** Path of the jar of this version, or undefined when it has to be downloaded first. */
export async function cachedJar(cacheDir: string, version: string): Promise<string | undefined> {
  const path = jarPath(cacheDir, version);
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? path : undefined;
}

export interface DownloadOptions {
  readonly cacheDir: string;
  readonly version: string;
  readonly mvn: string;
  readonly env: Env;
  readonly clock: Clock;
  readonly onProgress: (message: string) => void;
}

/**
 * Fetches the jar with Maven, which verifies its checksum, and returns its path. Two downloads at once are harmless: the
 * last rename wins with the same bytes. Throws ENVIRONMENT with Maven's words.
 */
export async function downloadJar(options: DownloadOptions, signal: AbortSignal): Promise<string> {
  const { cacheDir, version, clock } = options;
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir, clock);
  const folder = await mkdtemp(join(cacheDir, DOWNLOAD_PREFIX));
  const startedMs = clock.monotonicMs();
  const report = () => {
    const seconds = Math.round((clock.monotonicMs() - startedMs) / 1000);
    options.onProgress(`downloading QuestDB ${version} with Maven (30 MB), ${seconds} s`);
  };
  report();
  const ticker = setInterval(report, PROGRESS_EVERY_MS);
  try {
    const artifact = `-Dartifact=org.questdb:questdb:${version}`;
    const args = ["-q", "-B", "-C", "dependency:copy", artifact, `-DoutputDirectory=${folder}`];
    const limits = { env: options.env, timeoutMs: DOWNLOAD_MS, cwd: folder };
    const result = await runCommand(options.mvn, args, limits, signal);
    const fresh = join(folder, `questdb-${version}.jar`);
    if (!result.ran || result.exitCode !== 0 || !(await stat(fresh).catch(() => undefined))) {
      const said = result.ran ? lastLines(result.stdout + result.stderr, 6) : "mvn is gone";
      throw new TickwatchError("ENVIRONMENT", `Maven could not download QuestDB ${version}:\n${said}`);
    }
    await sync(fresh);
    await rename(fresh, jarPath(cacheDir, version));
    return jarPath(cacheDir, version);
  } finally {
    clearInterval(ticker);
    await rm(folder, { recursive: true, force: true });
  }
}

function jarPath(cacheDir: string, version: string): string {
  return join(cacheDir, `questdb-${version}.jar`);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Folders of downloads that were killed. Younger ones may belong to a process that is at it right now. */
async function removeAbandoned(cacheDir: string, clock: Clock): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(DOWNLOAD_PREFIX)) continue;
    const path = join(cacheDir, name);
    const found = await stat(path).catch(() => undefined);
    const ageMs = clock.nowUs() / 1000 - (found?.mtimeMs ?? 0);
    if (found && ageMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

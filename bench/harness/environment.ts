// Where a result was measured: without it a figure means nothing.
import { statfs } from "node:fs/promises";
import { arch, cpus, loadavg, platform, release, tmpdir, totalmem } from "node:os";
import { dirname } from "node:path";
import * as z from "zod";
import { readVersion } from "../../ingest/cli/version.ts";
import { shippedPath } from "../../ingest/package_root.ts";
import { type Env, runCommand } from "../../ingest/questdb/run_command.ts";

export const EnvironmentSchema = z.object({
  /** ISO 8601, when the scenario began. */
  startedAt: z.string(),
  cpu: z.string(),
  cores: z.int(),
  memoryGib: z.number(),
  os: z.string(),
  /** File system of the folder that the spool and QuestDB were in. */
  fileSystem: z.string(),
  node: z.string(),
  tickwatch: z.string(),
  /** Short hash; "+" behind it when the tree had changes. Null outside of a repository. */
  commit: z.string().nullable(),
  /** Null in scenarios without a database. */
  questdb: z.string().nullable(),
  /** One-minute load average before the start: well below the number of cores on a quiet machine. */
  loadBefore: z.number(),
});
export type Environment = z.output<typeof EnvironmentSchema>;

/** Describes this machine. `questdb` is added by whoever starts one. */
export async function readEnvironment(
  startedAt: string,
  env: Env,
  signal: AbortSignal,
): Promise<Environment> {
  return {
    startedAt,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    os: `${platform()} ${release()} ${arch()}`,
    fileSystem: await fileSystemOf(tmpdir()),
    node: process.version.slice(1),
    tickwatch: readVersion(),
    commit: await commitOf(env, signal),
    questdb: null,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Magic numbers of statfs(2). A tmpfs makes every fsync free: then durability figures mean nothing. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
  2035054128: "overlay",
};

async function fileSystemOf(folder: string): Promise<string> {
  const { type } = await statfs(folder);
  return FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`;
}

async function commitOf(env: Env, signal: AbortSignal): Promise<string | null> {
  const git = async (...args: readonly string[]) => {
    const command = ["-C", dirname(shippedPath("package.json")), ...args];
    const result = await runCommand("git", command, { env, timeoutMs: 10_000 }, signal);
    return result.ran && result.exitCode === 0 ? result.stdout.trim() : null;
  };
  const head = await git("rev-parse", "--short", "HEAD");
  const changed = await git(
    "status",
    "--porcelain",
    "--",
    "ingest",
    "schema",
    "bench/workload",
    "bench/tasks",
  );
  return head === null ? null : `${head}${changed === "" ? "" : "+"}`;
}

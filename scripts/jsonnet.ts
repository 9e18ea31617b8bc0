// Runs the jsonnet program, once for all that is to be rendered: grafonnet is then read once. Knows what must be there,
// and says in words what is missing.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { SOURCES_DIR } from "./dashboard_manifest.ts";

const Lock = z.object({
  dependencies: z.array(
    z.object({
      source: z.object({ git: z.object({ remote: z.string(), subdir: z.string() }) }),
      sum: z.string(),
    }),
  ),
});

/** Why nothing can be rendered here, or undefined when all is there. */
export async function whatIsMissing(root: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const lock = Lock.parse(JSON.parse(readFileSync(join(root, SOURCES_DIR, "jsonnetfile.lock.json"), "utf8")));
  const grafonnet = lock.dependencies.find(({ source }) => source.git.remote.endsWith("/grafonnet.git"));
  if (grafonnet === undefined) return `${SOURCES_DIR}/jsonnetfile.lock.json does not name grafonnet`;
  const path = `${SOURCES_DIR}/vendor/github.com/grafana/grafonnet/${grafonnet.source.git.subdir}`;
  if (!existsSync(join(root, path, "main.libsonnet")))
    return `grafonnet is not in ${path}: run \`jb install\` (jsonnet-bundler) in ${SOURCES_DIR}`;
  if (sumOf(join(root, path)) !== grafonnet.sum)
    return `${path} is not what jsonnetfile.lock.json pins: remove ${SOURCES_DIR}/vendor and run \`jb install\` in ${SOURCES_DIR}`;
  const version = await run(["--version"], root, env);
  if (version.code !== 0)
    return "there is no `jsonnet` on the PATH: install go-jsonnet, or your system's package jsonnet";
  return undefined;
}

/** Values of the files, by their path. Throws with jsonnet's own words when one cannot be rendered. */
export async function evaluate(
  root: string,
  paths: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, unknown>> {
  const imports = paths.map((path) => `${JSON.stringify(path)}: import ${JSON.stringify(path)}`);
  const args = ["-J", join(SOURCES_DIR, "vendor"), "-J", ".", "-e", `{ ${imports.join(", ")} }`];
  const { code, out, err } = await run(args, root, env);
  if (code !== 0) throw new Error(err.trim());
  return new Map(Object.entries(z.record(z.string(), z.unknown()).parse(JSON.parse(out))));
}

/** As jsonnet-bundler computes it: SHA-256 over the bytes of all files in the order of a walk. */
function sumOf(folder: string): string {
  const hash = createHash("sha256");
  const walk = (path: string): void => {
    for (const name of readdirSync(path).toSorted()) {
      const below = join(path, name);
      if (statSync(below).isDirectory()) walk(below);
      else hash.update(readFileSync(below));
    }
  };
  walk(folder);
  return hash.digest("base64");
}

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const child = spawn("jsonnet", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { code: child.exitCode, out, err };
  } catch {
    return { code: null, out: "", err: "jsonnet could not be started" };
  }
}

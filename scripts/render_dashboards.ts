// Renders dashboards-jsonnet/ into provisioning/, which is committed so that users need no jsonnet. `--check` writes
// nothing and exits with 1 when something is stale: by a fresh rendering where jsonnet and grafonnet are there, by the
// manifest of hashes everywhere. `--root DIR` works on another copy of the project.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import {
  changedSince,
  MANIFEST,
  manifestText,
  readManifest,
  readSources,
  readTexts,
  SOURCES_DIR,
  type Texts,
} from "./dashboard_manifest.ts";
import { evaluate, whatIsMissing } from "./jsonnet.ts";

const DASHBOARDS = `${SOURCES_DIR}/dashboards`;

/** Grafana makes a folder of this folder. */
const OUTPUT_DIR = "provisioning/dashboards/files/tickwatch";

/** What is rendered besides dashboards, once its source exists. */
const OTHERS: Readonly<Record<string, string>> = {
  [`${SOURCES_DIR}/alerts/catalogue.jsonnet`]: "provisioning/alert_catalogue.json",
};

const AGAIN = "run `npm run dashboards`";

interface Context {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** Outputs by source. */
function targets(root: string): ReadonlyMap<string, string> {
  const dashboards = readdirSync(join(root, DASHBOARDS))
    .filter((name) => name.endsWith(".jsonnet"))
    .toSorted()
    .map((name) => [`${DASHBOARDS}/${name}`, `${OUTPUT_DIR}/${basename(name, ".jsonnet")}.json`] as const);
  const others = Object.entries(OTHERS).filter(([source]) => existsSync(join(root, source)));
  return new Map([...dashboards, ...others]);
}

/** What is there of what a rendering would write, left-over dashboards included. */
function presentOutputs(root: string): Texts {
  const folder = join(root, OUTPUT_DIR);
  const dashboards = existsSync(folder) ? readdirSync(folder).map((name) => `${OUTPUT_DIR}/${name}`) : [];
  return readTexts(root, [...dashboards, ...Object.values(OTHERS)]);
}

async function freshOutputs({ root, env }: Context): Promise<Texts> {
  const files = targets(root);
  const values = await evaluate(root, [...files.keys()], env);
  return new Map(
    [...files].map(([source, output]) => [output, `${JSON.stringify(values.get(source), null, 2)}\n`]),
  );
}

/** Runs one command line; `say` gets a line for each file written or found stale. Returns the exit code. */
export async function renderDashboards(
  args: readonly string[],
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { check: { type: "boolean" }, root: { type: "string" } },
  });
  const context = { root: values.root ?? join(import.meta.dirname, ".."), env, say };
  const missing = await whatIsMissing(context.root, env);
  if (values.check === true) return await check(context, missing);
  if (missing !== undefined) {
    say(missing);
    return 1;
  }
  return await write(context);
}

async function write(context: Context): Promise<number> {
  const { root, say } = context;
  let outputs: Texts;
  try {
    outputs = await freshOutputs(context);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
  const present = presentOutputs(root);
  const manifest = new Map([[MANIFEST, manifestText(readSources(root), outputs)]]);
  const stale = [...outputs].filter(([path, text]) => present.get(path) !== text);
  const leftOver = [...present.keys()].filter((path) => !outputs.has(path));
  for (const [path, text] of [...stale, ...manifest]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [path] of stale) say(`wrote ${path}`);
  for (const path of leftOver) {
    rmSync(join(root, path));
    say(`removed ${path}: its source is gone`);
  }
  if (stale.length + leftOver.length === 0) say(`${outputs.size} files are up to date`);
  return 0;
}

async function check(context: Context, missing: string | undefined): Promise<number> {
  const { root, say } = context;
  const found = manifestProblems(root);
  if (missing !== undefined) say(`compared with the manifest only: ${missing}`);
  else if (found.length === 0) found.push(...(await freshProblems(context)));
  for (const problem of found) say(problem);
  return found.length === 0 ? 0 : 1;
}

function manifestProblems(root: string): string[] {
  const manifest = readManifest(root);
  if (manifest === undefined) return [`${MANIFEST} is missing or unreadable; ${AGAIN}`];
  return [
    ...changedSince(manifest.sources, readSources(root)).map(
      (path) => `${path} is not what the dashboards were rendered from; ${AGAIN}`,
    ),
    ...changedSince(manifest.outputs, presentOutputs(root)).map(
      (path) => `${path} is not what was rendered; ${AGAIN}, and change the source instead`,
    ),
  ];
}

async function freshProblems(context: Context): Promise<string[]> {
  try {
    const fresh = await freshOutputs(context);
    const present = presentOutputs(context.root);
    return [...new Set([...fresh.keys(), ...present.keys()])]
      .filter((path) => fresh.get(path) !== present.get(path))
      .map((path) => `${path} differs from a fresh rendering; ${AGAIN}`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

if (process.argv[1] === import.meta.filename)
  process.exitCode = await renderDashboards(process.argv.slice(2), console.log);

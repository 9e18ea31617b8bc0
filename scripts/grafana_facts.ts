// Writes test/support/grafana_facts/: what Grafana's own packages say of dashboards, as JSON. They are large and are needed for
// nothing else, so they are installed into a temporary folder for this and are not dependencies. `--check` writes nothing and
// exits with 1 when something differs.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { shapesModule } from "./grafana_shapes.ts";

/** The newest Grafana we write dashboards for; the packages carry its number. */
const GRAFANA = "13.2.3";
const PACKAGES: Readonly<Record<string, string>> = {
  "@grafana/schema": GRAFANA,
  "@grafana/data": GRAFANA,
  react: "19.3.1",
  "react-dom": "19.3.1",
  // The last one for Node 20.
  "ts-json-schema-generator": "2.4.0",
};

const FOLDER = join(import.meta.dirname, "../test/support/grafana_facts");

/** The names that types leave open. */
const NAMES = `
globalThis.navigator ??= {};
Object.defineProperty(globalThis.navigator, "languages", { value: ["en"] });
const data = require("@grafana/data");
const reducers = data.fieldReducers.list().flatMap(({ id, aliasIds }) => [id, ...(aliasIds ?? [])]);
const { hues, getColorByName } = data.createTheme().visualization;
const special = ["transparent", "text", "panel-bg"].filter((name) => getColorByName(name) !== name);
const colors = [...hues.flatMap(({ shades }) => shades.map(({ name }) => name)), ...special];
console.log(JSON.stringify({
  units: data.getValueFormats().flatMap(({ submenu }) => submenu.map(({ value }) => value)),
  reducers, colors, fieldMatchers: Object.values(data.FieldMatcherID), transformers: Object.values(data.DataTransformerID),
}));`;

/** Everything under `Shapes`, inlined, without descriptions. */
const SCHEMA = `
const { createGenerator } = require("ts-json-schema-generator");
const settings = { expose: "none", topRef: false, additionalProperties: false, skipTypeCheck: true, jsDoc: "none" };
const generator = createGenerator({ path: "shapes.ts", tsconfig: "tsconfig.json", type: "Shapes", ...settings });
console.log(JSON.stringify(generator.createSchema("Shapes")));`;

const TSCONFIG = { compilerOptions: { module: "nodenext", target: "es2022", strict: true, types: [] } };

const NamesSchema = z.record(z.string(), z.array(z.string()).min(10));
const ShapesSchema = z.object({ properties: z.record(z.string(), z.record(z.string(), z.unknown())) });

function run(folder: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed:\n${stderr}`);
  return stdout;
}

/** One line for each key, so that a new version shows in a diff. */
function lines(object: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(object).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  return `{\n${entries.join(",\n")}\n}\n`;
}

function generate(folder: string): Map<string, string> {
  writeFileSync(join(folder, "shapes.ts"), shapesModule());
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  const names = NamesSchema.parse(JSON.parse(run(folder, process.execPath, "-e", NAMES)));
  const sorted = Object.entries(names).map(([list, ids]) => [list, [...new Set(ids)].toSorted()]);
  const { properties } = ShapesSchema.parse(JSON.parse(run(folder, process.execPath, "-e", SCHEMA)));
  const texts = { "names.json": lines(Object.fromEntries(sorted)), "shapes.json": lines(properties) };
  const versionOf = (name: string) =>
    z
      .object({ version: z.string() })
      .parse(createRequire(join(folder, "x.js"))(join(folder, "node_modules", name, "package.json"))).version;
  const manifest = {
    "made by": "npm run grafana-facts",
    packages: Object.fromEntries(Object.keys(PACKAGES).map((name) => [name, versionOf(name)])),
    sha256: Object.fromEntries(
      Object.entries({ "shapes.ts": shapesModule(), ...texts }).map(([name, text]) => [name, sha256(text)]),
    ),
  };
  return new Map([...Object.entries(texts), ["manifest.json", `${JSON.stringify(manifest, null, 2)}\n`]]);
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Runs one command line; `say` gets a line for each file written or found different. Returns the exit code. */
export function grafanaFacts(args: readonly string[], say: (line: string) => void): number {
  const { values } = parseArgs({ args: [...args], options: { check: { type: "boolean" } } });
  const folder = mkdtempSync(join(tmpdir(), "tickwatch-grafana-facts-"));
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: PACKAGES }));
    run(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund");
    const files = [...generate(folder)];
    const stale = files.filter(([name, text]) => read(join(FOLDER, name)) !== text);
    for (const [name, text] of stale) {
      if (values.check !== true) writeFileSync(join(FOLDER, name), text);
      say(
        values.check === true
          ? `${name} differs from what Grafana's packages say; run \`npm run grafana-facts\``
          : `wrote ${name}`,
      );
    }
    if (stale.length === 0) say(`${files.length} files are up to date`);
    return values.check === true && stale.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

if (process.argv[1] === import.meta.filename)
  process.exitCode = grafanaFacts(process.argv.slice(2), console.log);

// Packs the project as it would be published, installs the package into an empty folder as a user does, and tries the
// program there: what works in the repository may lack a file, or a dependency that only developers have.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { packageMistakes } from "./package_contents.ts";

const ROOT = join(import.meta.dirname, "..");

const BAD_CONFIG = `http:
  port: 99999
  prot: 8080
spool:
  bytesMax: lots
questdb:
  url: nowhere
`;

/** Where each of its mistakes is. */
const BAD_PATHS = ["http.port", "http.prot", "spool.bytesMax", "questdb.url"];

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let failures = 0;

function check(promise: string, kept: boolean, detail = ""): void {
  if (!kept) failures++;
  console.log(`${kept ? "ok  " : "FAIL"} ${promise}${kept || detail === "" ? "" : `\n${detail}`}`);
}

function run(file: string, args: readonly string[], cwd: string): Run {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, encoding: "utf8" });
  return { code: status, out: stdout ?? "", err: error?.message ?? stderr ?? "" };
}

function mustRun(file: string, args: readonly string[], cwd: string): string {
  const { code, out, err } = run(file, args, cwd);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} failed:\n${out}${err}`);
  return out;
}

function sourcesOf(folder: string, extension: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}

const Packed = z
  .array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }))
  .length(1);

/** Packs, and resolves with the path of the package. */
function packAndLook(folder: string): string {
  // The project is built first; what that prints would stand in the way of the answer.
  mustRun("npm", ["run", "--silent", "build"], ROOT);
  const answer = mustRun("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT);
  const [packed] = Packed.parse(JSON.parse(answer));
  if (packed === undefined) throw new Error("nothing was packed");
  const sources = [
    ...sourcesOf("ingest", ".ts"),
    ...sourcesOf("schema", ".ts"),
    ...sourcesOf("schema/migrations", ".sql"),
  ];
  const mistakes = packageMistakes(
    packed.files.map(({ path }) => path),
    sources,
  );
  check(
    `the package holds ${packed.files.length} files, all that it needs and nothing else`,
    mistakes.length === 0,
    mistakes.join("\n"),
  );
  return join(folder, packed.filename);
}

function tryInstalled(app: string): void {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  const tickwatch = (...args: readonly string[]) => run(join(app, "node_modules/.bin/tickwatch"), args, app);
  const told = tickwatch("--version");
  check("tickwatch --version tells the version", told.code === 0 && told.out.trim() === version, told.err);
  const bare = tickwatch("check-config");
  check("check-config accepts that there is no configuration", bare.code === 0, bare.err);
  copyFileSync(join(app, "node_modules/tickwatch/tickwatch.example.yaml"), join(app, "tickwatch.yaml"));
  const good = tickwatch("check-config");
  check(
    "check-config accepts the packaged example",
    good.code === 0 && good.out.includes("tickwatch.yaml line"),
    good.err,
  );
  writeFileSync(join(app, "tickwatch.yaml"), BAD_CONFIG);
  const bad = tickwatch("check-config");
  const named = BAD_PATHS.every((path) => bad.err.includes(path));
  check("check-config names every mistake and exits with 2", bad.code === 2 && named, bad.out + bad.err);
  check("no package of developers came along", !existsSync(join(app, "node_modules/vitest")));
}

const folder = mkdtempSync(join(tmpdir(), "tickwatch-package-"));
try {
  const file = packAndLook(folder);
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "private": true }\n');
  const options = ["--prefix", app, "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  mustRun("npm", ["install", ...options, file], app);
  tryInstalled(app);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

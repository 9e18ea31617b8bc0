// Small projects that break a rule, and the project's own tools run on them: a gate that has never been seen to bite may
// be one that sees nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import * as z from "zod";

const ROOT = join(import.meta.dirname, "../..");

const TOOLS = {
  biome: "@biomejs/biome/bin/biome",
  knip: "knip/bin/knip.js",
  tsc: "typescript/bin/tsc",
  vitest: "vitest/vitest.mjs",
} as const;

/** A folder with these files and this project's packages. Whoever makes it removes it. */
export function makeProject(files: Readonly<Record<string, string>>): string {
  const root = makeFolder(files);
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  return root;
}

/** A folder with these files. Whoever makes it removes it. */
export function makeFolder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "tickwatch-gate-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** One of this project's own files. */
export function ownFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

export interface ToolRun {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a tool to its end; `out` is what it wrote to stdout. */
export async function runTool(
  tool: keyof typeof TOOLS,
  root: string,
  args: readonly string[],
): Promise<ToolRun> {
  const bin = join(ROOT, "node_modules", TOOLS[tool]);
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [out] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code: child.exitCode, out };
}

const Report = z.object({
  diagnostics: z.array(
    z.object({
      category: z.string(),
      message: z.string(),
      location: z.object({ path: z.string(), start: z.object({ line: z.int() }).optional() }),
    }),
  ),
});

export type Finding = z.infer<typeof Report>["diagnostics"][number];

/** What the linter finds in these files with this project's own settings. */
export async function lint(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<readonly Finding[]> {
  // Without version control there is nothing that could say which files to leave out.
  const settings = { ...JSON.parse(ownFile("biome.json")), vcs: { enabled: false } };
  const root = makeProject({
    "biome.json": JSON.stringify(settings),
    "biome.fences.json": ownFile("biome.fences.json"),
    ...files,
  });
  onTestFinished(() => rmSync(root, { recursive: true }));
  const paths = Object.keys(files);
  const { out } = await runTool("biome", root, [
    "ci",
    "--max-diagnostics=none",
    "--reporter=json",
    "--colors=off",
    ...args,
    ...paths,
  ]);
  return Report.parse(JSON.parse(out)).diagnostics;
}

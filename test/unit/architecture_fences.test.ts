// The linter's fences are the picture of the house, neither less nor more: a file of every part that imports every other
// part is given to the real linter with the project's own settings.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { FOUNDATIONS, MAY_IMPORT } from "../support/import_rules.ts";

const ROOT = join(import.meta.dirname, "../..");

const PARTS = Object.keys(MAY_IMPORT);
const STAGES = PARTS.filter((part) => !FOUNDATIONS.includes(part) && !isInAnotherPart(part));

/** Where an import stands, and what it imports. */
type Arrow = `${string} → ${string}`;

const Report = z.object({
  diagnostics: z.array(
    z.object({
      category: z.string(),
      location: z.object({ path: z.string(), start: z.object({ line: z.int() }) }),
    }),
  ),
});

function isInAnotherPart(part: string): boolean {
  return PARTS.some((folder) => folder !== part && folder.endsWith("/") && part.startsWith(folder));
}

/** A file of a part. */
function fileIn(part: string): string {
  return part.endsWith("/") ? `${part}any_file.ts` : part;
}

/** Nothing of the target may be imported, not even types. */
function isForbidden(part: string, target: string): boolean {
  const rules = MAY_IMPORT[part]?.map((rule) => rule.replace(/^type /, "")) ?? [];
  return target !== part && !part.startsWith(target) && !rules.some((rule) => rule.startsWith(target));
}

function importLine(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return `import "${path.startsWith(".") ? path : `./${path}`}";\n`;
}

/** What the linter says about files whose line N imports the N-th stage. */
async function fenced(): Promise<Arrow[]> {
  const root = mkdtempSync(join(tmpdir(), "tickwatch-fences-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const { vcs, ...settings } = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
  expect(vcs).toBeDefined();
  writeFileSync(join(root, "biome.json"), JSON.stringify(settings));
  copyFileSync(join(ROOT, "biome.fences.json"), join(root, "biome.fences.json"));
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  for (const part of PARTS) {
    const file = fileIn(part);
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), STAGES.map((stage) => importLine(file, fileIn(stage))).join(""));
  }
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const options = ["lint", "--only=style/noRestrictedImports", "--max-diagnostics=none", "--reporter=json"];
  const child = spawn(process.execPath, [biome, ...options], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [report] = await Promise.all([json(child.stdout), once(child, "close")]);
  return Report.parse(report).diagnostics.map(({ category, location }) => {
    expect(category).toBe("lint/style/noRestrictedImports");
    const part = PARTS.find((candidate) => fileIn(candidate) === location.path);
    return `${part} → ${STAGES[location.start.line - 1]}` as const;
  });
}

test("every forbidden import of a stage is an error of the linter, and no allowed one is", {
  timeout: 60_000,
}, async () => {
  const forbidden = PARTS.flatMap((part) =>
    STAGES.filter((stage) => isForbidden(part, stage)).map((stage): Arrow => `${part} → ${stage}`),
  );
  expect(forbidden).toContain("ingest/spool/ → ingest/sources/");
  expect(forbidden).not.toContain("ingest/deliver/ → ingest/spool/");
  expect((await fenced()).toSorted()).toEqual(forbidden.toSorted());
});

// The linter's fences are the picture of the house, neither less nor more: a file of every part that imports every other
// part is given to the real linter with the project's own settings.
import { posix } from "node:path";
import { expect, test } from "vitest";
import { FOUNDATIONS, MAY_IMPORT } from "../support/import_rules.ts";
import { lint } from "../support/tool_fixture.ts";

const PARTS = Object.keys(MAY_IMPORT);
const STAGES = PARTS.filter((part) => !FOUNDATIONS.includes(part) && !isInAnotherPart(part));

/** Where an import stands, and what it imports. */
type Arrow = `${string} → ${string}`;

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
  const lines = (file: string) => STAGES.map((stage) => importLine(file, fileIn(stage))).join("");
  const files = Object.fromEntries(PARTS.map(fileIn).map((file) => [file, lines(file)]));
  const findings = await lint(files, ["--formatter-enabled=false", "--assist-enabled=false"]);
  return findings
    .filter(({ category }) => category === "lint/style/noRestrictedImports")
    .map(({ location }) => {
      const part = PARTS.find((candidate) => fileIn(candidate) === location.path);
      return `${part} → ${STAGES[(location.start?.line ?? 0) - 1]}` as const;
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

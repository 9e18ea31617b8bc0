// Formatter, linter, type check and the search for dead code bite, with this project's own settings.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lint, makeProject, ownFile, runTool } from "../support/tool_fixture.ts";

const TIMEOUT = { timeout: 60_000 };

function project(files: Readonly<Record<string, string>>): string {
  const root = makeProject(files);
  onTestFinished(() => rmSync(root, { recursive: true }));
  return root;
}

test("the linter finds what the house style forbids, each with its rule", TIMEOUT, async () => {
  const long = `export function long(): number {\n${"  Number(1);\n".repeat(71)}  return 1;\n}\n`;
  const files = {
    "ingest/any.ts": "export const x: any = 1;\n",
    "ingest/bang.ts": "export const first = (texts: string[]) => texts[0]!;\n",
    "ingest/console.ts": 'console.log("hello");\n',
    "ingest/default.ts": "export default 1;\n",
    "ingest/dirty.ts": "export   const x = 1\n",
    "ingest/extension.ts": 'import { x } from "./any";\n\nexport const y = x;\n',
    "ingest/floating.ts": "async function later() {}\n\nexport function now(): void {\n  later();\n}\n",
    "ingest/long.ts": long,
    "ingest/star.ts": 'export * from "./any.ts";\n',
    "ingest/value.ts": 'import { X } from "./x.ts";\n\nexport const y: X = 1;\n',
    "ingest/x.ts": "export type X = number;\n",
    "test/long.ts": long,
  };
  const found = (await lint(files)).map(({ category, location }) => `${location.path} ${category}`);
  expect(found.toSorted()).toEqual([
    "ingest/any.ts lint/suspicious/noExplicitAny",
    "ingest/bang.ts lint/style/noNonNullAssertion",
    "ingest/console.ts lint/suspicious/noConsole",
    "ingest/default.ts lint/style/noDefaultExport",
    "ingest/dirty.ts format",
    "ingest/extension.ts lint/correctness/useImportExtensions",
    "ingest/floating.ts lint/nursery/noFloatingPromises",
    "ingest/long.ts lint/complexity/noExcessiveLinesPerFunction",
    "ingest/star.ts lint/performance/noReExportAll",
    "ingest/value.ts lint/style/useImportType",
  ]);
});

test("the type check knows that a list may be shorter and an object may lack a key", TIMEOUT, async () => {
  const root = project({
    "tsconfig.json": ownFile("tsconfig.json"),
    "package.json": '{ "type": "module" }',
    "ingest/a.ts": [
      "export const first = (texts: readonly string[]): string => texts[0];",
      "export const path = (env: Record<string, string>): string | undefined => env.PATH;",
      "export const x: { y?: number } = { y: undefined };",
      "export enum Colour { Red }",
    ].join("\n"),
  });
  const { code, out } = await runTool("tsc", root, ["-p", "tsconfig.json", "--pretty", "false"]);
  expect(code).not.toBe(0);
  expect([...out.matchAll(/a\.ts\((\d),/g)].map(([, line]) => line)).toEqual(["1", "2", "3", "4"]);
});

test("files, exports and packages that nobody uses are found", TIMEOUT, async () => {
  const root = project({
    "knip.json": ownFile("knip.json"),
    "tsconfig.json": ownFile("tsconfig.json"),
    "package.json": JSON.stringify({ name: "x", type: "module", dependencies: { pino: "*", zod: "*" } }),
    "ingest/main.ts": 'import "zod";\nimport { used } from "./a.ts";\n\nused();\n',
    "ingest/a.ts": "export const used = (): number => unused;\nexport const unused = 1;\n",
    "ingest/orphan.ts": "export const x = 1;\n",
  });
  const { code, out } = await runTool("knip", root, ["--reporter=json"]);
  expect(code).toBe(1);
  const { issues } = JSON.parse(out);
  const names = (kind: string) =>
    issues.flatMap((issue: Record<string, { name: string }[]>) =>
      (issue[kind] ?? []).map(({ name }) => name),
    );
  expect({ files: names("files"), exports: names("exports"), packages: names("dependencies") }).toEqual({
    files: [join("ingest", "orphan.ts")],
    exports: ["unused"],
    packages: ["pino"],
  });
});

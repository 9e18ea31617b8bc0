// The form of the sources: names, sizes, registries, and what only a few files may do. Each check is shown to bite.
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { EVENTS } from "../../schema/registry.ts";
import { codeOf, importsOf, type SourceFile, sourceFiles } from "../support/source_files.ts";

const LINES_MAX = 400;

const PROGRAM = sourceFiles("schema", "ingest");
const ALL = [...PROGRAM, ...sourceFiles("bench", "scripts", "test")];

/** What only these files may do, because everything else gets it handed in. */
const PRIVILEGES: readonly {
  readonly what: string;
  readonly code: RegExp;
  readonly files: readonly string[];
}[] = [
  {
    what: "ask the system for the time",
    code: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b/,
    files: ["ingest/clock.ts"],
  },
  {
    what: "draw a random number",
    code: /\bMath\.random\b/,
    // The service hands it to the pipeline; the others take one from their tests.
    files: ["ingest/service.ts", "ingest/daemon/supervisor.ts", "ingest/sources/ccxt/ccxt_source.ts"],
  },
  {
    what: "read the environment or the arguments, or end the process",
    code: /\bprocess\.(?:env|argv|exit|exitCode|abort)\b/,
    files: ["ingest/main.ts"],
  },
  {
    what: "listen to signals",
    code: /\bprocess\.(?:on|once|addListener)\(/,
    files: ["ingest/main.ts", "ingest/demo/simulator/process.ts"],
  },
  {
    what: "write to the terminal",
    code: /\bprocess\.(?:stdout|stderr)\.write\b/,
    files: ["ingest/main.ts", "ingest/log.ts"],
  },
  { what: "assert a type", code: /\sas\s(?!const\b)/, files: ["schema/define.ts"] },
];

/** Lines of code without what stands in quotes, and without names that imports and exports rename. */
function bareLines(file: SourceFile): string[] {
  return codeOf(file)
    .split("\n")
    .map((line) => (/^\s*(?:import|export)\s(?:type\s)?[*{]/.test(line) ? "" : line))
    .map((line) => line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, '""'));
}

function abused(files: readonly SourceFile[]): string[] {
  return PRIVILEGES.flatMap(({ what, code, files: allowed }) =>
    files
      .filter(({ path }) => !allowed.includes(path))
      .filter((file) => bareLines(file).some((line) => code.test(line)))
      .map(({ path }) => `${path} may not ${what}`),
  );
}

function tooLong(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
}

function misnamed(paths: readonly string[]): string[] {
  const catchAlls = /^(?:utils?|helpers?|common|types|misc|shared|index)(?:\.test)?\.ts$/;
  return paths.filter((path) => {
    const parts = path.split("/");
    return (
      !parts.every((part) => /^[a-z0-9_]+(?:\.test)?(?:\.ts)?$/.test(part)) || catchAlls.test(basename(path))
    );
  });
}

/** The first line of each module says what it is for. Definitions of events do so in a field of theirs. */
function unexplained(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ text, path }) => !/^(?:#!.*\n)?\/\/ \S/.test(text) && !path.startsWith("schema/events/"))
    .map(({ path }) => path);
}

/** Sources by their maker, `create…Source`, that the registry does not know. */
function unlistedSources(files: readonly SourceFile[]): string[] {
  const registry = files.find(({ path }) => path === "ingest/sources/registry.ts");
  const listed = new Set(registry === undefined ? [] : importsOf(registry).map(({ to }) => to));
  return files
    .filter((file) => /export (?:async )?function create\w+Source\b/.test(codeOf(file)))
    .map(({ path }) => path)
    .filter((path) => !listed.has(path));
}

const file = (path: string, text: string): SourceFile => ({ path, text });

test("names of files and folders are in snake_case and say what is inside", () => {
  expect(misnamed(ALL.map(({ path }) => path))).toEqual([]);
  const bad = [
    "ingest/spool/tableQueue.ts",
    "ingest/ccxt-lane.ts",
    "ingest/spool/utils.ts",
    "ingest/Spool/cursor.ts",
  ];
  expect(misnamed([...bad, "ingest/spool/cursor.ts", "test/unit/a_b2.test.ts"])).toEqual(bad);
});

test(`no file is longer than ${LINES_MAX} lines`, () => {
  expect(tooLong(ALL)).toEqual([]);
  expect(tooLong([file("a.ts", "x\n".repeat(LINES_MAX)), file("b.ts", "x\n".repeat(LINES_MAX + 1))])).toEqual(
    [`b.ts has ${LINES_MAX + 1} lines`],
  );
});

test("every module opens with what it is for", () => {
  expect(unexplained(PROGRAM)).toEqual([]);
  expect(unexplained([file("ingest/a.ts", "export const a = 1;\n"), file("b.ts", "// Why.\n")])).toEqual([
    "ingest/a.ts",
  ]);
});

test("time, chance, environment, signals and type assertions stay where they are handed out", () => {
  expect(abused(PROGRAM)).toEqual([]);
});

test.each([
  "const nowMs = Date.now();",
  "const now = new Date();",
  "const id = Math.random();",
  'const url = process.env["QUESTDB_URL"];',
  "process.exit(1);",
  'process.once("SIGTERM", stop);',
  "const row = input as Row;",
])("a stage is caught at: %s", (line) => {
  expect(abused([file("ingest/deliver/delivery.ts", `${line}\n`)])).toHaveLength(1);
});

test("comments, texts and constants are not mistaken for what is caught", () => {
  const fine = [
    "// Never Date.now(): the row came as it is.",
    'const words = "as large as process.env says";',
    "const codes = [1, 2] as const;",
    'import * as z from "zod";',
    'import type * as z from "zod";',
  ];
  expect(abused([file("ingest/deliver/delivery.ts", fine.join("\n"))])).toEqual([]);
});

test("every event is a file of its name and a line in the registry", () => {
  const folder = join(import.meta.dirname, "../../schema/events");
  const files = readdirSync(folder).map((name) => name.replace(/\.ts$/, ""));
  expect(EVENTS.map(({ name }) => name).toSorted()).toEqual(files.toSorted());
});

test("every source is a file and a line in the registry", () => {
  expect(unlistedSources(PROGRAM)).toEqual([]);
  const forgotten = file("ingest/sources/redis.ts", "export function createRedisSource(): Source {");
  expect(unlistedSources([...PROGRAM, forgotten])).toEqual(["ingest/sources/redis.ts"]);
});

// Protects docs/faults.md from telling what is not so: the tests, metrics and messages that it names exist, and no fault
// of the suite is missing. Each check is shown to bite.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { METRICS } from "../../ingest/metrics/catalog.ts";
import { ACTS } from "../support/fault_acts.ts";
import { FAULT_KINDS, MALFORMED } from "../support/fault_kinds.ts";
import { type SourceFile, sourceFiles } from "../support/source_files.ts";

interface FaultRow {
  readonly fault: string;
  /** Producers, rows, other tables, what is seen. */
  readonly cells: readonly string[];
  /** `file: name` of each test. */
  readonly tests: readonly string[];
}

const COLUMNS = 6;

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/faults.md"), "utf8");
const TESTS = sourceFiles("test").filter(({ path }) => path.endsWith(".test.ts"));
const PROGRAM = sourceFiles("ingest");

function rowsOf(page: string): readonly FaultRow[] {
  const lines = page.split("\n").filter((line) => /^\| (?!fault |-)/.test(line));
  return lines.map((line) => {
    const cells = line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    const [fault = ""] = cells;
    // The name of a test may hold a colon; the file's may not.
    const tests = (cells[COLUMNS - 1] ?? "").split(/; (?=[a-z_]+: )/);
    return { fault, cells: cells.slice(1, -1), tests };
  });
}

function incomplete(rows: readonly FaultRow[]): string[] {
  const isWhole = ({ cells }: FaultRow) => cells.length === COLUMNS - 2 && cells.every((cell) => cell !== "");
  return rows.filter((row) => !isWhole(row)).map(({ fault }) => fault);
}

/** Tests that no file has under this name. */
function missingTests(rows: readonly FaultRow[], files: readonly SourceFile[]): string[] {
  return rows
    .flatMap(({ tests }) => tests)
    .filter((one) => {
      const [, file = "", name = ""] = /^([a-z_]+): (.*)$/.exec(one) ?? [];
      const text = files.find(({ path }) => basename(path) === `${file}.test.ts`)?.text ?? "";
      return name === "" || !text.includes(`"${name}"`);
    });
}

function missingFaults(rows: readonly FaultRow[], names: readonly string[]): string[] {
  const named = new Set(rows.flatMap(({ fault }) => [...fault.matchAll(/`(\w+)`/g)].map(([, name]) => name)));
  return names.filter((name) => !named.has(name));
}

/** What the page says that somebody sees, and nobody prints. */
function unseen(rows: readonly FaultRow[], program: readonly SourceFile[]): string[] {
  const cells = rows.map(({ cells: [, , , seen = ""] }) => seen);
  const messages = cells.flatMap((cell) =>
    [...cell.matchAll(/"([^"]+)"/g)].map(([, message = ""]) => message),
  );
  const metrics = cells.flatMap((cell) =>
    [...cell.matchAll(/`(tickwatch_\w+)`/g)].map(([, name = ""]) => name),
  );
  return [
    ...messages.filter((message) => !program.some(({ text }) => text.includes(message))),
    ...metrics.filter((name) => !(name in METRICS)),
  ];
}

const ROWS = rowsOf(PAGE);
const FAULTS = [...Object.keys(FAULT_KINDS), ...Object.keys(ACTS), ...Object.keys(MALFORMED)];

const BAD = rowsOf(
  '| a fault (`late`) | nothing | all there |  | "no such words"; `tickwatch_no` | kills: no such test |',
);

test("every fault is told with all its consequences", () => {
  expect(ROWS.length).toBeGreaterThan(35);
  expect(incomplete(ROWS)).toEqual([]);
  expect(incomplete(BAD)).toEqual(["a fault (`late`)"]);
});

test("every test that the page names exists", () => {
  expect(missingTests(ROWS, TESTS)).toEqual([]);
  expect(missingTests(BAD, TESTS)).toEqual(["kills: no such test"]);
});

test("every fault of the suite is on the page", () => {
  expect(missingFaults(ROWS, FAULTS)).toEqual([]);
  expect(missingFaults(BAD, FAULTS)).toEqual(FAULTS.filter((name) => name !== "late"));
});

test("every message and metric that the page names exists", () => {
  expect(unseen(ROWS, PROGRAM)).toEqual([]);
  expect(unseen(BAD, PROGRAM)).toEqual(["no such words", "tickwatch_no"]);
});

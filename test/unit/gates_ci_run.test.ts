// The script that everything must pass, before stand-ins for the tools that it calls: what it counts, what stops it and
// what does not. The tools themselves are tried elsewhere.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { makeFolder, ownFile } from "../support/tool_fixture.ts";

/** Fails when its arguments contain $BAD. Brings "another Node" when asked to. */
const NPM = `#!/bin/sh
case "$*" in
  *"\${BAD:-nothing}"*) echo "npm $* fails"; exit 1 ;;
  "install --prefix"*) mkdir -p "$3/node_modules/.bin" && ln -s "$(command -v node)" "$3/node_modules/.bin/node" ;;
esac
echo "npm $*"
`;

/** Reports what $REPORT says and does what $DEED says. */
const VITEST = `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
const path = process.argv.find((word) => word.startsWith("--outputFile.json=")).split("=")[1];
if (process.env.REPORT) writeFileSync(path, process.env.REPORT);
console.log("vitest", process.argv.slice(-2).join(" "), process.env.TICKWATCH_QUESTDB_VERSION ?? "", process.env.QUESTDB_URL ?? "");
if (process.env.DEED === "child") spawn("sleep", ["300"], { detached: true, stdio: "ignore" }).unref();
if (process.env.DEED === "file") writeFileSync(process.env.TMPDIR + "/tickwatch-forgotten", "");
process.exitCode = Number(process.env.CODE ?? 0);
`;

const GATES = 12;
const RUNS = 5;

const TIMEOUT = { timeout: 60_000 };

function report(passed: number, failed: number, brokenFiles = 0): string {
  const broken = { status: "failed", assertionResults: [{ status: "passed" }] };
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: 1,
    numTodoTests: 0,
    testResults: [
      {
        status: failed > 0 ? "failed" : "passed",
        assertionResults: [{ status: failed > 0 ? "failed" : "passed" }],
      },
      ...Array.from({ length: brokenFiles }, () => broken),
    ],
  });
}

interface CiRun {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly last: string | undefined;
}

async function ci(env: Readonly<Record<string, string>>): Promise<CiRun> {
  const root = makeFolder({
    ".ci/run": ownFile(".ci/run"),
    ".ci/count_tests.mjs": ownFile(".ci/count_tests.mjs"),
    "node_modules/vitest/vitest.mjs": VITEST,
    "bin/npm": NPM,
    "bin/docker": "#!/bin/sh\n",
    "bin/promtool": "#!/bin/sh\n",
  });
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const tool of ["npm", "docker", "promtool"]) chmodSync(join(root, "bin", tool), 0o755);
  const child = spawn("bash", [join(root, ".ci/run")], {
    // Somewhere else, and on purpose with the settings of a machine that has a QuestDB.
    cwd: tmpdir(),
    env: { PATH: `${root}/bin:${process.env["PATH"]}`, QUESTDB_URL: "http://127.0.0.1:9000", ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [out] = await Promise.all([text(child.stdout), once(child, "close")]);
  const lines = out.trimEnd().split("\n");
  return { code: child.exitCode, lines, last: lines.at(-1) };
}

test("gates and tests are counted together, and all of them passing is success", TIMEOUT, async () => {
  const { code, lines, last } = await ci({ REPORT: report(7, 0) });
  expect({ code, last }).toEqual({ code: 0, last: `${GATES + RUNS * 7} passed, 0 failed` });
  expect(lines.filter((line) => line.startsWith("vitest "))).toEqual([
    "vitest --project unit  ",
    "vitest --project integration 9.3.4 ",
    "vitest --project integration 9.2.3 ",
    "vitest --project fault  ",
    "vitest --project unit  ",
  ]);
});

test("a gate that fails is counted, and what comes after it runs", TIMEOUT, async () => {
  const { code, lines, last } = await ci({ BAD: "knip", REPORT: report(1, 0) });
  expect({ code, last }).toEqual({ code: 1, last: `${GATES - 1 + RUNS} passed, 1 failed` });
  expect(lines.some((line) => /^FAILED .*dead code/.test(line))).toBe(true);
});

test.each(["npm ci", "run --silent build"])(
  "without `%s` nothing else makes sense",
  async (bad) => {
    const { code, lines, last } = await ci({ BAD: bad.replace("npm ", ""), REPORT: report(1, 0) });
    expect(code).toBe(1);
    expect(last).toMatch(/^\d passed, 1 failed$/);
    expect(lines.join("\n")).not.toContain("vitest ");
  },
  60_000,
);

test.each([
  ["tests that fail", { REPORT: report(5, 2), CODE: "1" }, 2],
  ["files that fail beside their tests", { REPORT: report(5, 0, 3), CODE: "1" }, 3],
  ["a run that fails although nothing in it did", { REPORT: report(5, 0), CODE: "1" }, 1],
  ["a run without any test", { REPORT: report(0, 0) }, 1],
  ["a run without a report", {}, 1],
])(
  "%s count as failed",
  async (_, env, failed) => {
    const { code, last } = await ci(env);
    expect(code).toBe(1);
    expect(last).toMatch(new RegExp(` passed, ${RUNS * failed} failed$`));
  },
  60_000,
);

test.each(["child", "file"])(
  "a %s that the tests leave behind is found",
  async (deed) => {
    const { code, lines, last } = await ci({ REPORT: report(1, 0), DEED: deed });
    expect({ code, last }).toEqual({ code: 1, last: `${GATES - 1 + RUNS} passed, 1 failed` });
    expect(lines.join("\n")).toMatch(
      deed === "child" ? /process \d+ still runs: sleep 300/ : /tickwatch-forgotten/,
    );
  },
  60_000,
);

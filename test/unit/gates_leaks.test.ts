// The leak check bites: a project of test files, each of which leaves something else behind, run by the real Vitest.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

const FILES: Readonly<Record<string, string>> = {
  tidy: `
    const server = createServer().listen(0, "127.0.0.1");
    const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"]);
    const timer = setTimeout(() => undefined, 60_000);
    onTestFinished(() => { clearTimeout(timer); server.close(); child.kill(); });`,
  timer: "setTimeout(() => undefined, 60_000);",
  server: 'await once(createServer().listen(0, "127.0.0.1").unref(), "listening");',
  child: 'spawn("sleep", ["300"], { detached: true, stdio: "ignore" }).unref();',
  broken: "throw new Error('the promise is broken');",
};

interface Outcome {
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const outcomes = new Map<string, Outcome>();

beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), "tickwatch-leaks-"));
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  for (const [name, body] of Object.entries(FILES))
    writeFileSync(join(root, `${name}.test.ts`), testFile(body));
  const setup = JSON.stringify(join(ROOT, "test/support/leaks.ts"));
  writeFileSync(
    join(root, "vitest.config.mjs"),
    `export default { test: { pool: "forks", maxWorkers: 5, setupFiles: [${setup}] } };`,
  );
  const report = join(root, "report.json");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--root", root, "--reporter=json", `--outputFile=${report}`];
  const [code] = await once(spawn(process.execPath, args, { stdio: "ignore" }), "close");
  expect(code).toBe(1);
  for (const result of JSON.parse(readFileSync(report, "utf8")).testResults)
    outcomes.set(/(\w+)\.test\.ts$/.exec(result.name)?.[1] ?? "", result);
  rmSync(root, { recursive: true });
}, 120_000);

function testFile(body: string): string {
  return `
    import { spawn } from "node:child_process";
    import { once } from "node:events";
    import { createServer } from "node:net";
    import { expect, onTestFinished, test } from "vitest";
    test("passes", async () => { ${body}\n expect([spawn, once, createServer, onTestFinished]).toHaveLength(4); });`;
}

test("a file that cleans up passes", () => {
  expect(outcomes.get("tidy")).toMatchObject({ status: "passed", message: "" });
});

test.each([
  ["timer", /- 1 x Timeout/],
  ["server", /- server on .*127\.0\.0\.1/],
  ["child", /- process \d+: sleep 300/],
])("a file that leaves a %s behind fails although its tests pass, and says what it is", (name, words) => {
  expect(outcomes.get(name)).toMatchObject({ status: "failed", assertionResults: [{ status: "passed" }] });
  expect(outcomes.get(name)?.message).toMatch(words);
});

test("a process that a file leaves behind is ended", () => {
  const pid = Number(/- process (\d+): sleep/.exec(outcomes.get("child")?.message ?? "")?.[1]);
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

test("a test that fails fails without the leak check as well", () => {
  expect(outcomes.get("broken")).toMatchObject({
    status: "failed",
    assertionResults: [{ status: "failed" }],
  });
});

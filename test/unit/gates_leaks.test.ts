// The leak check bites: a project of test files, each of which leaves something else behind, run by the real Vitest.
import { rmSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { makeProject, ownFile, runTool } from "../support/tool_fixture.ts";

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
  const tests = Object.entries(FILES).map(([name, body]) => [`${name}.test.ts`, testFile(body)]);
  const root = makeProject({
    "leaks.ts": ownFile("test/support/leaks.ts"),
    "vitest.config.mjs":
      'export default { test: { pool: "forks", maxWorkers: 5, setupFiles: ["leaks.ts"], reporters: ["json"] } };',
    ...Object.fromEntries(tests),
  });
  const { code, out } = await runTool("vitest", root, ["run"]);
  rmSync(root, { recursive: true });
  expect(code).toBe(1);
  for (const result of JSON.parse(out).testResults)
    outcomes.set(/(\w+)\.test\.ts$/.exec(result.name)?.[1] ?? "", result);
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

test("a process that a file leaves behind is ended", async () => {
  const pid = Number(/- process (\d+): sleep/.exec(outcomes.get("child")?.message ?? "")?.[1]);
  // Killed, it is still listed until its new parent has noticed.
  await eventually(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
});

test("a test that fails fails without the leak check as well", () => {
  expect(outcomes.get("broken")).toMatchObject({
    status: "failed",
    assertionResults: [{ status: "failed" }],
  });
});

// The examples of docs/http.md are run as they stand there, only with another address.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startTestGateway } from "./gateway_fixture.ts";

const run = promisify(execFile);
const KEY = "documented-key-0123456789";

interface Example {
  readonly language: string;
  readonly title: string;
  readonly code: string;
}

async function documentText(): Promise<string> {
  return readFile(new URL("../../docs/http.md", import.meta.url), "utf8");
}

async function examples(): Promise<readonly Example[]> {
  const text = await documentText();
  return [...text.matchAll(/^```(\w+)\n(?:#|\/\/) example: (.+)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", title = "", code = ""]) => ({ language, title, code }),
  );
}

const PROGRAMS: Readonly<Record<string, { readonly file: string; readonly command: readonly string[] }>> = {
  sh: { file: "example.sh", command: ["sh"] },
  python: { file: "example.py", command: ["python3"] },
  ts: { file: "example.mts", command: [process.execPath, "--import", import.meta.resolve("tsx")] },
};

async function runExample(
  { language, code }: Example,
  url: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const program = PROGRAMS[language];
  if (program === undefined) throw new Error(`no way to run ${language}`);
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-doc-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, program.file);
  await writeFile(file, code.replaceAll("http://127.0.0.1:8080", url));
  const [command = "", ...args] = program.command;
  const { stdout } = await run(command, [...args, file], {
    env: { ...process.env, ...env },
    timeout: 15_000,
  });
  return stdout;
}

test("docs/http.md has an example in each of the promised languages", async () => {
  expect((await examples()).map(({ language, title }) => [language, title])).toEqual([
    ["sh", "daemon_health with curl"],
    ["python", "daemon_health with Python"],
    ["ts", "daemon_health with TypeScript"],
    ["sh", "gzip NDJSON with curl"],
  ]);
  for (const { title, code } of await examples()) {
    const lines = code.split("\n").filter((line) => line !== "");
    expect(lines.length, title).toBeLessThanOrEqual(10);
  }
});

test.each([0, 1, 2, 3])("example %i works as it stands, without a key and with one", async (index) => {
  const example = (await examples())[index];
  if (example === undefined) throw new Error(`there is no example ${index}`);
  const rows = example.title.startsWith("gzip") ? 2 : 1;
  for (const keys of [[], [{ name: "documented", key: KEY }]]) {
    const gateway = await startTestGateway({ config: { keys } });
    const output = await runExample(example, gateway.url, { TICKWATCH_KEY: keys.length > 0 ? KEY : "" });
    expect(output).toContain(`"accepted":${rows},"rejected":[],"rejectedCount":0`);
    expect(gateway.pushed).toHaveLength(1);
    for (const row of gateway.pushed[0]?.rows ?? []) {
      const { ts } = row as { ts: number };
      expect(Math.abs(ts / 1000 - Date.now())).toBeLessThan(60_000);
    }
  }
});

test("the curl example fails when the row is refused", async () => {
  const [curl] = await examples();
  if (curl === undefined) throw new Error("there is no example");
  const gateway = await startTestGateway();
  const typo = { ...curl, code: curl.code.replace("uptime_s", "uptime") };
  await expect(runExample(typo, gateway.url, {})).rejects.toMatchObject({
    stdout: expect.stringContaining("uptime_s: missing; unknown field"),
  });
});

test("the table of answers names every code that the gateway can give, and no other", async () => {
  const source = await readFile(new URL("../../ingest/gateway/problem.ts", import.meta.url), "utf8");
  const union = source.slice(
    source.indexOf("export type ProblemCode"),
    source.indexOf("export interface Problem"),
  );
  const codes = [...union.matchAll(/"(\w+)"/g)].map((match) => match[1]);
  const rows = (await documentText()).split("\n").filter((line) => /^\| [45]\d\d +\|/.test(line));
  const documented = rows.flatMap((row) =>
    [...(row.split("|")[2] ?? "").matchAll(/`(\w+)`/g)].map((m) => m[1]),
  );
  expect(documented.toSorted()).toEqual(codes.toSorted());
  expect(codes.length).toBeGreaterThan(15);
});

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { welcomeText } from "../../ingest/cli/welcome.ts";
import { loadConfig } from "../../ingest/config/load.ts";
import { until } from "../support/questdb_until.ts";
import { cli, workingFolder } from "./cli_fixture.ts";

const ROOT = join(import.meta.dirname, "../..");
const VERSION = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
/** For tests that start a process, on a machine that is busy with other tests. */
const PROCESS_MS = 60_000;
const KEY = "a-key-of-enough-length";

function tickwatch(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = ["--import", "tsx", join(ROOT, "ingest/main.ts"), ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: ROOT }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

test("the program prints its version on stdout and nothing else", { timeout: PROCESS_MS }, async () => {
  expect(await tickwatch("--version")).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
});

test("the exit code of the process is the command's", { timeout: PROCESS_MS }, async () => {
  const { code, stderr } = await tickwatch("check-config", "--config", "no-such-file.yaml");
  expect(code).toBe(2);
  expect(stderr).toContain("no-such-file.yaml");
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "%s while it starts stops what has started, and the exit code is %i",
  { timeout: PROCESS_MS },
  async (signal, code) => {
    const cwd = workingFolder();
    const nobody = "http://127.0.0.1:1";
    const env = { ...process.env, QUESTDB_URL: nobody, TICKWATCH_EXCHANGES: "none", TICKWATCH_CONFIG: "" };
    const command = ["--import", import.meta.resolve("tsx"), join(ROOT, "ingest/main.ts"), "start"];
    const child = spawn(process.execPath, command, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const err: Buffer[] = [];
    child.stderr.on("data", (chunk) => err.push(chunk));
    const lock = join(cwd, ".tickwatch/spool/lock");
    await until("the spool to be open", () => existsSync(lock), PROCESS_MS);
    const exited = once(child, "exit");
    child.kill(signal);
    expect(await exited).toEqual([code, null]);
    expect(Buffer.concat(err).toString()).toContain("stopped before it had started");
    expect(existsSync(lock)).toBe(false);
  },
);

test("--help lists every command but hidden ones, with examples, and exits with 0", async () => {
  const { code, out } = await cli(["--help"]);
  expect(code).toBe(0);
  for (const command of ["start", "demo", "migrate", "doctor", "check-config"]) {
    expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
  }
  expect(out).toContain("Examples:");
  expect(out).not.toMatch(/^ {2}simulator/m);
});

test.each([
  ["no command", [], "Usage: tickwatch"],
  ["a mistyped command", ["docter"], "Did you mean doctor?"],
  ["an unknown option", ["start", "--fast"], "unknown option '--fast'"],
  ["an argument too many", ["doctor", "everything"], "too many arguments"],
  ["a port that is no number", ["simulator", "--port", "x"], "It must be a whole number."],
])("%s is a mistake in the command: exit code 2, said on stderr", async (_, args, words) => {
  const { code, out, err } = await cli(args);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain(words);
});

test("check-config prints what is in effect as YAML that can be used again, with origins", async () => {
  const cwd = workingFolder({ "tickwatch.yaml": `http:\n  port: 8099\ninstance: desk\n` });
  const { code, out, err } = await cli(["check-config"], { cwd, env: { TICKWATCH_LOG_LEVEL: "warn" } });
  expect(code).toBe(0);
  expect(err).toBe("");
  expect(out).toContain("port: 8099 # tickwatch.yaml line 2");
  expect(out).toContain("level: warn # TICKWATCH_LOG_LEVEL");
  expect(out).toContain("host: 127.0.0.1\n");
  const again = workingFolder({ "tickwatch.yaml": out });
  const { config } = loadConfig({ env: {}, cwd: again, hostname: "other" });
  expect(config).toEqual(parse(out));
  expect(config.instance).toBe("desk");
});

test("check-config hides secrets", async () => {
  const env = {
    TICKWATCH_API_KEY: KEY,
    QUESTDB_PASSWORD: "hush",
    QUESTDB_URL: "http://me:hush@127.0.0.1:9000",
  };
  const { code, out, err } = await cli(["check-config"], { env });
  expect(code).toBe(0);
  expect(out + err).not.toMatch(/hush|a-key-of/);
  expect(out).toContain("TICKWATCH_API_KEY");
});

test("check-config reports five mistakes at once and exits with 2", async () => {
  const yaml =
    "http: {port: 0, hots: a}\nlog: {level: loud}\nquestdb: {version: new}\nspool: {segmentBytes: 1}";
  const { code, out, err } = await cli(["check-config"], { cwd: workingFolder({ "tickwatch.yaml": yaml }) });
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toMatch(/^5 mistakes in the configuration tickwatch.yaml:\n/);
  for (const path of ["http.port", "http.hots", "log.level", "questdb.version", "spool.segmentBytes"]) {
    expect(err).toMatch(new RegExp(`^  ${path} \\(tickwatch.yaml line \\d\\): `, "m"));
  }
});

test("check-config knows which exchanges CCXT has", async () => {
  const { code, err } = await cli(["check-config"], { env: { TICKWATCH_EXCHANGES: "okx,binanceusdn" } });
  expect(code).toBe(2);
  expect(err).toContain("pipeline.exchanges[1].id (TICKWATCH_EXCHANGES): ");
  expect(err).toContain("binanceusdm");
});

test("the configuration file may be named before or after the command", async () => {
  const cwd = workingFolder({ "desk.yaml": "instance: desk" });
  for (const args of [
    ["--config", "desk.yaml", "check-config"],
    ["check-config", "-c", "desk.yaml"],
  ]) {
    expect((await cli(args, { cwd })).out).toContain("instance: desk # desk.yaml line 1");
  }
});

test("an error is its message alone; with log level debug its stack as well", async () => {
  const cwd = workingFolder({ "a-file": "" });
  const env = {
    TICKWATCH_DATA_DIR: "a-file/below",
    TICKWATCH_QUESTDB_START: "java",
    TICKWATCH_EXCHANGES: "none",
  };
  const plain = await cli(["migrate"], { cwd, env });
  expect(plain.code).toBe(3);
  expect(plain.err).toContain("cannot make ");
  expect(plain.err).not.toMatch(/^ +at /m);
  const verbose = await cli(["migrate"], { cwd, env: { ...env, TICKWATCH_LOG_LEVEL: "debug" } });
  expect(verbose.err).toMatch(/^ +at /m);
});

test("warnings about the configuration go to stderr, not into the result", async () => {
  const { out, err } = await cli(["check-config"], { env: { TICKWATCH_HTTP_PROT: "1" } });
  expect(err).toContain("warning: the environment variable TICKWATCH_HTTP_PROT is unknown");
  expect(out).not.toContain("PROT");
});

test("a person is told where everything is", () => {
  const info = {
    ...{ pid: 1, version: "1.2.3", http: "http://127.0.0.1:8080", startedAt: "2026-11-21T10:00:00Z" },
    questdb: { http: "http://127.0.0.1:9001", pg: "127.0.0.1:8813", version: "9.3.4", pid: 2 },
    simulator: { pid: 3, http: "http://127.0.0.1:7001" },
  };
  const text = welcomeText(info, { demo: true, dataDir: ".tickwatch" });
  for (const address of [
    "http://127.0.0.1:9001 ",
    "http://127.0.0.1:8080/v1/events/:table",
    "http://127.0.0.1:8080/openapi.json",
    "http://127.0.0.1:8080/metrics",
    "http://127.0.0.1:7001/control",
    'curl -sG http://127.0.0.1:9001/exp --data-urlencode "query=SELECT',
    "Ctrl-C",
  ]) {
    expect(text).toContain(address);
  }
});

import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../ingest/clock.ts";
import { type Check, ok, type Result, runChecks, warning } from "../../ingest/doctor/check.ts";
import { limitsFinding, nodeCheck } from "../../ingest/doctor/machine_checks.ts";
import { resultJson, resultText, summaryText } from "../../ingest/doctor/report.ts";
import { settingsFinding } from "../../ingest/doctor/server_checks.ts";
import { driftFinding, suspendedFinding } from "../../ingest/doctor/table_checks.ts";
import type { Drift } from "../../ingest/questdb/drift.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { cli, workingFolder } from "./cli_fixture.ts";

const LEAVE_ALONE = { TICKWATCH_EXCHANGES: "none" };
const never = new AbortController().signal;

/** What `doctor --json` said, by name of the check. */
async function doctor(cwd: string, env: Readonly<Record<string, string>>) {
  const { code, out, err } = await cli(["doctor", "--json"], { cwd, env: { ...LEAVE_ALONE, ...env } });
  const results: Result[] = out.split("\n").map((line) => JSON.parse(line));
  return { code, err, of: new Map(results.map((result) => [result.name, result])) };
}

async function collect(checks: readonly Check[], clock: Clock): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of runChecks(checks, clock, never)) results.push(result);
  return results;
}

/** A port that somebody listens on until the test ends. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === "object" && address !== null ? String(address.port) : "";
}

test("without a QuestDB and an instance doctor says so with the remedy, looks at the rest, and exits with 0", async () => {
  const { code, of } = await doctor(workingFolder(), { TICKWATCH_HTTP_PORT: await freePort() });
  expect(code).toBe(0);
  expect(of.get("questdb")).toMatchObject({ level: "warning", remedy: expect.stringContaining("npm start") });
  expect(of.get("tickwatch")).toMatchObject({ level: "warning", remedy: "npm start" });
  expect(of.get("node")).toMatchObject({ level: "ok", detail: process.versions.node });
  expect(of.get("http port")).toMatchObject({ level: "ok" });
  expect(of.get("data folder")).toMatchObject({ level: "ok" });
  expect(of.get("spool")).toMatchObject({ level: "ok" });
  expect(of.get("dead letters")).toMatchObject({ level: "ok" });
  expect([...of.keys()]).toContain("docker or java");
});

test("a configured QuestDB that does not answer is a failure, and the exit code is 1", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { code, of } = await doctor(workingFolder(), {
    QUESTDB_URL: url,
    TICKWATCH_HTTP_PORT: await freePort(),
  });
  expect(code).toBe(1);
  expect(of.get("questdb")).toMatchObject({ level: "failure", detail: expect.stringContaining(url) });
  expect(of.get("questdb")?.remedy).toContain("QUESTDB_URL");
  expect(of.has("tables")).toBe(false);
});

test("a port in use is a failure that names the remedy", async () => {
  const port = await takenPort();
  const { code, of } = await doctor(workingFolder(), { TICKWATCH_HTTP_PORT: String(port) });
  expect(code).toBe(1);
  expect(of.get("http port")).toMatchObject({ level: "failure" });
  expect(of.get("http port")?.detail).toContain(`127.0.0.1:${port} is in use`);
  expect(of.get("http port")?.remedy).toContain("TICKWATCH_HTTP_PORT");
});

test("the port of the running instance is its own, known from run.json", async () => {
  const port = await takenPort();
  const cwd = workingFolder();
  mkdirSync(join(cwd, ".tickwatch"));
  const info = {
    ...{ pid: process.pid, version: "0.0.1", http: `http://127.0.0.1:${port}`, startedAt: "now" },
    questdb: { http: "http://127.0.0.1:1", pg: "127.0.0.1:2", version: null, pid: null },
  };
  const write = (pid: number) =>
    writeFileSync(join(cwd, ".tickwatch/run.json"), JSON.stringify({ ...info, pid }));
  write(process.pid);
  const running = await doctor(cwd, { TICKWATCH_HTTP_PORT: String(port) });
  expect(running.of.get("tickwatch")).toMatchObject({ level: "ok" });
  expect(running.of.get("http port")).toMatchObject({ level: "ok" });
  // Beyond the largest pid there can be: the file is of a process that is gone.
  write(2 ** 30);
  const gone = await doctor(cwd, { TICKWATCH_HTTP_PORT: String(port) });
  expect(gone.of.get("tickwatch")).toMatchObject({ level: "warning" });
  expect(gone.of.get("http port")).toMatchObject({ level: "failure" });
});

test("refused rows that are kept are counted", async () => {
  const cwd = workingFolder();
  mkdirSync(join(cwd, ".tickwatch/dead-letter"), { recursive: true });
  writeFileSync(join(cwd, ".tickwatch/dead-letter/00000001.ndjson"), "{}\n{}\n");
  const { of } = await doctor(cwd, { TICKWATCH_HTTP_PORT: await freePort() });
  expect(of.get("dead letters")).toMatchObject({ level: "warning", detail: "2 refused rows" });
});

test("an exchange that cannot be reached is a warning", async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const yaml = `pipeline: {exchanges: [{id: okx, urls: {rest: "${nowhere}"}}]}`;
  const cwd = workingFolder({ "tickwatch.yaml": yaml });
  const { code, out } = await cli(["doctor"], { cwd, env: { TICKWATCH_HTTP_PORT: await freePort() } });
  expect(code).toBe(0);
  expect(out).toMatch(/^warning +exchange okx +does not answer as it should: .*ECONNREFUSED/m);
});

test("mistakes in the configuration are the only finding, and a failure", async () => {
  const { code, out } = await cli(["doctor"], { env: { TICKWATCH_HTTP_PORT: "x" } });
  expect(code).toBe(1);
  expect(out).toMatch(/^failure +configuration +1 mistake in the configuration:\n +http.port/);
  expect(out).toMatch(/\n0 ok, 0 warnings, 1 failure$/);
});

test("a check that throws is a failure, one that hangs is cut off, and the others are reported in order", async () => {
  const clock = new ManualClock();
  const hanging: Check = { name: "hangs", run: () => new Promise(() => undefined) };
  const broken: Check = { name: "breaks", run: () => Promise.reject(new Error("no such file")) };
  const fine: Check = { name: "fine", run: async () => ok("well") };
  const results = collect([hanging, broken, fine], clock);
  await clock.advance(60_000);
  expect(await results).toEqual([
    expect.objectContaining({ name: "hangs", level: "failure", detail: "no result within 15 s" }),
    { name: "breaks", level: "failure", detail: "no such file" },
    { name: "fine", level: "ok", detail: "well" },
  ]);
});

test("a result is one line with its remedy below, or one JSON object", () => {
  const result = { name: "clock", ...warning("slow\nand odd", "set it\nthen look again") };
  expect(resultText(result)).toBe(
    [
      "warning  clock                slow",
      "                              and odd",
      "                              → set it",
      "                                then look again",
    ].join("\n"),
  );
  expect(JSON.parse(resultJson(result))).toEqual(result);
  expect(summaryText(["ok", "ok", "warning"])).toBe("2 ok, 1 warning, 0 failures");
});

test.each([
  ["20.18.3", "failure"],
  ["20.19.0", "ok"],
  ["22.0.0", "ok"],
  ["9.99.0", "failure"],
])("Node %s is %s", async (version, level) => {
  expect(await nodeCheck(version).run(never)).toMatchObject({ level });
});

test("low limits of the system are a warning with the commands that raise them", () => {
  const limits =
    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n";
  const finding = limitsFinding(limits, 65_530);
  expect(finding.level).toBe("warning");
  expect(finding.remedy).toContain("ulimit -n 1048576");
  expect(finding.remedy).toContain("vm.max_map_count=1048576");
  expect(limitsFinding(limits.replace("1024 ", "unlimited "), 1_048_576).level).toBe("ok");
});

test("settings that cost a foreign server CPU, disk or safety are named with what to write instead", () => {
  const shipped = new Map([
    ["readonly", "false"],
    ["line.auto.create.new.tables", "true"],
    ["line.auto.create.new.columns", "false"],
    ["wal.apply.worker.sleep.threshold", "10000"],
    ["wal.apply.worker.yield.threshold", "5"],
    ["cairo.writer.data.append.page.size", "16777216"],
    ["cairo.ttl.use.wall.clock", "true"],
  ]);
  const finding = settingsFinding(shipped, "9.3.4");
  expect(finding.level).toBe("warning");
  expect(finding.remedy?.split("\n").slice(1)).toEqual([
    "line.auto.create.new.tables=false",
    "wal.apply.worker.sleep.threshold=60",
    "cairo.writer.data.append.page.size=1M",
  ]);
  expect(settingsFinding(new Map([["cairo.writer.data.append.page.size", "1048576"]]), "9.3.4").level).toBe(
    "ok",
  );
  expect(settingsFinding(new Map([["readonly", "true"]]), "9.3.4").level).toBe("failure");
});

test("drift that loses rows is a failure, missing tables and other drift are warnings", () => {
  const missing: Drift = {
    table: "fills",
    kind: "table_missing",
    expected: "a table",
    actual: "missing",
    losesRows: true,
    remedy: "run `tickwatch migrate`",
  };
  const extra: Drift = {
    table: "fills",
    kind: "column_extra",
    column: "x",
    expected: "no such column",
    actual: "INT",
    losesRows: false,
    remedy: "nothing to do",
  };
  expect(driftFinding([], 20).level).toBe("ok");
  expect(driftFinding([missing], 20)).toMatchObject({ level: "warning", detail: "1 of 20 do not exist yet" });
  expect(driftFinding([extra], 20).level).toBe("warning");
  expect(driftFinding([{ ...extra, kind: "column_type", losesRows: true }], 20).level).toBe("failure");
});

test("a suspended table is a failure with the statement that resumes it, a backlog is a warning", () => {
  const table = (writerTxn: number, suspended: boolean) =>
    new Map([["fills", { sequencerTxn: 5_000, writerTxn, suspended, reason: suspended ? "disk full" : "" }]]);
  expect(suspendedFinding(table(5_000, false)).level).toBe("ok");
  expect(suspendedFinding(table(10, false)).level).toBe("warning");
  const finding = suspendedFinding(table(10, true));
  expect(finding).toMatchObject({ level: "failure", detail: "fills: disk full" });
  expect(finding.remedy).toContain('ALTER TABLE "fills" RESUME WAL');
});

// Promises of finding or starting QuestDB: an empty folder and Java are enough, nothing beyond this machine can reach
// it, it is kept alive, found again after a crash of ours, and never started twice.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { identify } from "../../ingest/process_identity.ts";
import {
  attachQuestdb,
  type FindOptions,
  findQuestdb,
  type Restart,
  type RunningQuestdb,
} from "../../ingest/questdb/local.ts";
import { runChild } from "../support/questdb_child.ts";
import { ownQuestdbChoice, quickStartEnv } from "../support/questdb_choice.ts";
import { removeQuestdbFolder } from "../support/questdb_folder.ts";
import { listeningOf } from "../support/questdb_listening.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { endWithUs } from "../support/questdb_watchdog.ts";

const NEVER = new AbortController().signal;

async function emptyRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-find-"));
  const root = join(folder, "questdb");
  onTestFinished(async () => {
    await removeQuestdbFolder(root);
    await rm(folder, { recursive: true, force: true });
  });
  return root;
}

function optionsFor(root: string, questdb: Partial<FindOptions["questdb"]> = {}): FindOptions {
  return {
    questdb: { ...ownQuestdbChoice(), start: "java", ...questdb },
    root,
    env: { ...quickStartEnv(), QDB_HTTP_NET_BIND_TO: "0.0.0.0:9000" },
    clock: systemClock(),
    log: createLog({ level: "silent", format: "json" }),
    onProgress: () => undefined,
  };
}

/** Found or started, and stopped when the test ends. */
async function find(options: FindOptions): Promise<RunningQuestdb> {
  const questdb = await findQuestdb(options, NEVER);
  let callOff = questdb.started ? endWithUs(pidOf(questdb)) : () => undefined;
  questdb.onRestart(() => {
    callOff();
    callOff = endWithUs(pidOf(questdb));
  });
  onTestFinished(async () => {
    await questdb.stop();
    callOff();
  });
  return questdb;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function pidOf(questdb: RunningQuestdb): number {
  if (questdb.pid === undefined) throw new Error("it has no process id");
  return questdb.pid;
}

async function isGone(pid: number): Promise<boolean> {
  return (await identify(pid)) === undefined;
}

async function octalMode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("an empty folder and Java are enough: the server answers with our settings, on loopback only, with its own passwords", async () => {
  const root = await emptyRoot();
  const questdb = await find(optionsFor(root));
  expect(questdb).toMatchObject({ kind: "java", started: true, version: ownQuestdbChoice().version });

  const sql = testSql(questdb.pg);
  const rows = await sql.query("SELECT property_path, value, value_source FROM (SHOW PARAMETERS)");
  const inForce = new Map(rows.map((row) => [row["property_path"], row["value"]]));
  const written = (await readFile(join(root, "conf", "server.conf"), "utf8"))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/=(.*)/s).slice(0, 2));
  for (const [name, value] of written) {
    if (!name?.endsWith("password")) expect([name, inForce.get(name ?? "")]).toEqual([name, value]);
  }
  expect(inForce.get("shared.worker.sleep.threshold")).toBe("60");
  const log = await readFile(join(root, "log", "server.log"), "utf8");
  expect(log).not.toContain("Invalid settings");
  expect(log).not.toMatch(/ I /);

  const ports = [portOf(questdb.http), questdb.pg.port, portOf(questdb.metricsUrl ?? "")];
  expect(await listeningOf(pidOf(questdb))).toEqual(
    ports.sort((a, b) => a - b).map((port) => ({ port, loopback: true })),
  );

  const shipped = testSql({ ...questdb.pg, user: "admin", password: "quest" });
  await expect(shipped.query("SELECT 1")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  const reader = testSql(questdb.pgReadonly);
  expect(await reader.query("SELECT 1 one FROM long_sequence(1)")).toEqual([{ one: 1 }]);
  await expect(reader.query("CREATE TABLE x (a INT)")).rejects.toMatchObject({ code: "DB_SQL" });
  expect(questdb.pg.password).not.toBe(questdb.pgReadonly?.password);
  expect(await octalMode(root)).toBe("700");
  expect(await octalMode(questdb.credentialsFile ?? "")).toBe("600");
  expect(await octalMode(join(root, "conf", "server.conf"))).toBe("600");

  const pid = pidOf(questdb);
  await questdb.stop();
  expect(await isGone(pid)).toBe(true);
});

test("a server that crashes is started again on the same ports with its data, and listeners hear of it once", async () => {
  const questdb = await find(optionsFor(await emptyRoot()));
  const sql = testSql(questdb.pg);
  await sql.query("CREATE TABLE kept (ts TIMESTAMP, x INT) TIMESTAMP(ts) PARTITION BY DAY WAL");
  await sql.query("INSERT INTO kept VALUES ('2026-11-21T10:00:00.000000Z', 7)");
  const restarts: Restart[] = [];
  questdb.onRestart((restart) => restarts.push(restart));
  const before = pidOf(questdb);
  process.kill(before, "SIGKILL");
  await until("the restart", () => restarts.length > 0, 60_000);
  expect(restarts).toEqual([
    { exit: { exitCode: null, signal: "SIGKILL" }, downtimeMs: expect.any(Number), attempts: 1 },
  ]);
  expect(questdb.pid).not.toBe(before);
  expect(await until("the row", async () => (await sql.query("SELECT x FROM kept"))[0])).toEqual({ x: 7 });
  expect((await fetch(`${questdb.http}/ping`)).status).toBe(204);
  const after = pidOf(questdb);
  await questdb.stop();
  expect(await isGone(after)).toBe(true);
  expect(restarts).toHaveLength(1);
});

test("after kill -9 of its process the server is taken over, not started again; while that lived it was shared", async () => {
  const root = await emptyRoot();
  const owner = runChild("questdb_owner.ts", { root, version: ownQuestdbChoice().version });
  const reported = await owner.first();
  const options = optionsFor(root);

  const shared = await findQuestdb(options, NEVER);
  expect(reported).toEqual({ http: shared.http, pid: shared.pid, started: true });
  expect(shared.started).toBe(false);
  const attached = await attachQuestdb(options, NEVER);
  expect(attached).toMatchObject({ started: false, pid: shared.pid });
  await shared.stop();
  expect((await fetch(`${shared.http}/ping`)).status).toBe(204);

  owner.kill("SIGKILL");
  await owner.ended;
  const adopted = await find(options);
  expect(adopted).toMatchObject({ started: true, http: shared.http, pid: shared.pid });
  expect(adopted.notes.join()).toContain("taken over");

  const restarted = new Promise((resolve) => adopted.onRestart(resolve));
  process.kill(pidOf(adopted), "SIGKILL");
  await restarted;
  expect((await fetch(`${adopted.http}/ping`)).status).toBe(204);
  const pid = pidOf(adopted);
  await adopted.stop();
  expect(await isGone(pid)).toBe(true);
  expect(await attachQuestdb(options, NEVER)).toBeUndefined();
});

test("ports in use are left to their users: the next free ones are taken and the change is reported", async () => {
  const busy = createServer();
  onTestFinished(() => new Promise<void>((resolve) => busy.close(() => resolve())));
  const port = await new Promise<number>((resolve) => {
    busy.listen(0, "127.0.0.1", () => {
      const address = busy.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
    });
  });
  const questdb = await find(optionsFor(await emptyRoot(), { httpPort: port, pgPort: port }));
  expect(portOf(questdb.http)).toBeGreaterThan(port);
  expect(questdb.pg.port).toBeGreaterThan(portOf(questdb.http));
  expect(questdb.notes.join("\n")).toContain(
    `port ${port} is in use: QuestDB's HTTP is on ${portOf(questdb.http)}`,
  );
});

test("two that start at once in one folder get the same server, and one of them looks after it", async () => {
  const root = await emptyRoot();
  const other = runChild("questdb_owner.ts", { root, version: ownQuestdbChoice().version });
  const [mine, reported] = await Promise.all([find(optionsFor(root)), other.first()]);
  expect(reported).toMatchObject({ http: mine.http, pid: mine.pid, started: !mine.started });
  other.kill("SIGTERM");
  expect(await other.ended).toBe(0);
});

test("an abort while the server is starting leaves no process behind", async () => {
  const root = await emptyRoot();
  const stopping = new AbortController();
  const finding = findQuestdb(optionsFor(root), stopping.signal);
  const refused = expect(finding).rejects.toThrow("changed my mind");
  const state = await until("the server to be launched", async () => {
    const text = await readFile(join(root, "server.json"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : JSON.parse(text);
  });
  stopping.abort(new Error("changed my mind"));
  await refused;
  expect(await isGone(state.server.pid)).toBe(true);
  expect(await attachQuestdb(optionsFor(root), NEVER)).toBeUndefined();
});

test("a Docker that cannot get the image, or not start it, is passed over for Java, and the reason is reported", async () => {
  for (const [failing, reason] of [
    ["pull", "could not download"],
    ["run", "could not start"],
  ]) {
    const root = await emptyRoot();
    const bin = await mkdtemp(join(tmpdir(), "tickwatch-test-bin-"));
    onTestFinished(() => rm(bin, { recursive: true, force: true }));
    const missing = failing === "pull" ? '[ "$1" = image ] && exit 1;' : "";
    const script = `#!/bin/sh\n${missing}[ "$1" = ${failing} ] && exit 1\n[ "$1" = version ] && echo 28.0\nexit 0\n`;
    await writeFile(join(bin, "docker"), script, { mode: 0o755 });
    const options = optionsFor(root, { start: "auto" });
    const env = { ...options.env, PATH: `${bin}:${options.env["PATH"]}` };
    const questdb = await find({ ...options, env });
    expect(questdb.kind).toBe("java");
    expect(questdb.notes.join()).toContain(`passed over: Docker ${reason}`);
    await questdb.stop();
  }
});

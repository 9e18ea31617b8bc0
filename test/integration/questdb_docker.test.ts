// Promises of QuestDB in a container, against a real Docker engine: as private, as well kept and as easily found again
// as under Java. They need an engine that answers and the image; downloading it is no test's business.
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { containerName } from "../../ingest/questdb/docker_server.ts";
import {
  attachQuestdb,
  type FindOptions,
  findQuestdb,
  type Restart,
  type RunningQuestdb,
} from "../../ingest/questdb/local.ts";
import { runChild } from "../support/questdb_child.ts";
import { ownQuestdbChoice } from "../support/questdb_choice.ts";
import { dockerMissing, runDocker } from "../support/questdb_docker.ts";
import { removeQuestdbFolder } from "../support/questdb_folder.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { endContainerWithUs } from "../support/questdb_watchdog.ts";

const NEVER = new AbortController().signal;
const { version } = ownQuestdbChoice();
const missing = await dockerMissing(version);
if (missing !== undefined) console.warn(`the tests of QuestDB under Docker are not run here: ${missing}`);
const dockerTest = test.runIf(missing === undefined);

async function emptyRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-docker-"));
  const root = join(folder, "questdb");
  onTestFinished(async () => {
    await removeQuestdbFolder(root);
    await rm(folder, { recursive: true, force: true });
  });
  return root;
}

function optionsFor(root: string, questdb: Partial<FindOptions["questdb"]> = {}): FindOptions {
  return {
    questdb: { ...ownQuestdbChoice(), start: "docker", ...questdb },
    root,
    env: process.env,
    clock: systemClock(),
    log: createLog({ level: "silent", format: "json" }),
    onProgress: () => undefined,
  };
}

/** Found or started, and stopped when the test ends. */
async function find(options: FindOptions): Promise<RunningQuestdb> {
  const questdb = await findQuestdb(options, NEVER);
  const callOff = endContainerWithUs(options.root);
  onTestFinished(async () => {
    await questdb.stop();
    callOff();
  });
  return questdb;
}

function portOf(url: string | undefined): number {
  return Number(new URL(url ?? "").port);
}

/** Names of the containers, running or not, that belong to the folder. */
async function containersOf(root: string): Promise<string> {
  return await runDocker([
    "ps",
    "--all",
    "--filter",
    `name=${containerName(root)}`,
    "--format",
    "{{.Names}}",
  ]);
}

/** When the folder's container was started. */
async function startedAt(root: string): Promise<string> {
  return await runDocker(["inspect", "--format", "{{.State.StartedAt}}", containerName(root)]);
}

async function makeKept(questdb: RunningQuestdb): Promise<void> {
  const sql = testSql(questdb.pg);
  await sql.query("CREATE TABLE kept (ts TIMESTAMP, x INT) TIMESTAMP(ts) PARTITION BY DAY WAL");
  await sql.query("INSERT INTO kept VALUES ('2026-11-21T10:00:00.000000Z', 7)");
}

async function expectKept(questdb: RunningQuestdb): Promise<void> {
  const sql = testSql(questdb.pg);
  expect(await until("the row", async () => (await sql.query("SELECT x FROM kept"))[0])).toEqual({ x: 7 });
}

dockerTest(
  "an empty folder and Docker are enough: our settings, on loopback only, with its own passwords, quiet",
  async () => {
    const root = await emptyRoot();
    const questdb = await find(optionsFor(root));
    expect(questdb).toMatchObject({ kind: "docker", started: true, version, pid: undefined, notes: [] });

    const sql = testSql(questdb.pg);
    const rows = await sql.query("SELECT env_var_name, value, value_source FROM (SHOW PARAMETERS)");
    const inForce = new Map(rows.map((row) => [row["env_var_name"], row["value"]]));
    const written = (await readFile(join(root, "docker.env"), "utf8"))
      .split("\n")
      .filter((line) => line.startsWith("QDB_") && !line.startsWith("QDB_LOG_"))
      .map((line) => line.split(/=(.*)/s).slice(0, 2));
    expect(written.length).toBeGreaterThan(30);
    for (const [name, value] of written) {
      if (!name?.endsWith("PASSWORD")) expect([name, inForce.get(name ?? "")]).toEqual([name, value]);
    }

    const log = await runDocker(["logs", containerName(root)]);
    expect(log).not.toContain("Invalid settings");
    expect(log).not.toMatch(/ I /);
    const ports = [questdb.http, questdb.metricsUrl].map(portOf).concat(questdb.pg.port);
    const published = (await runDocker(["port", containerName(root)])).split("\n");
    expect(published.map((line) => line.replace(/^.* -> /, "")).sort()).toEqual(
      ports.map((port) => `127.0.0.1:${port}`).sort(),
    );
    expect(await (await fetch(questdb.metricsUrl ?? "")).text()).toContain("questdb_");

    const shipped = testSql({ ...questdb.pg, user: "admin", password: "quest" });
    await expect(shipped.query("SELECT 1")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const reader = testSql({ ...questdb.pg, ...questdb.pgReadonly });
    expect(await reader.query("SELECT 1 one FROM long_sequence(1)")).toEqual([{ one: 1 }]);
    await expect(reader.query("CREATE TABLE x (a INT)")).rejects.toMatchObject({ code: "DB_SQL" });
  },
);

dockerTest(
  "tables survive a stop, and go where their folder is moved to; a stop leaves no container",
  async () => {
    const root = await emptyRoot();
    const first = await find(optionsFor(root));
    await makeKept(first);
    const beganMs = performance.now();
    await first.stop();
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    expect(await containersOf(root)).toBe("");

    const elsewhere = `${root}-moved`;
    await rename(root, elsewhere);
    const moved = await find(optionsFor(elsewhere));
    expect(moved.notes).toEqual([]);
    await expectKept(moved);
    await moved.stop();
    await rename(elsewhere, root);
  },
);

dockerTest(
  "a folder whose volume is not in this engine is not started empty; a volume whose folder was deleted is named",
  async () => {
    const root = await emptyRoot();
    const first = await find(optionsFor(root));
    await makeKept(first);
    await first.stop();

    await rm(root, { recursive: true });
    const inherited = await find(optionsFor(root));
    expect(inherited.notes.join()).toContain(`docker volume rm ${containerName(root)}`);
    await expectKept(inherited);
    await inherited.stop();

    await runDocker(["volume", "rm", containerName(root)]);
    await expect(findQuestdb(optionsFor(root, { start: "auto" }), NEVER)).rejects.toMatchObject({
      code: "ENVIRONMENT",
      message: expect.stringContaining(
        `volume ${containerName(root)}, which this Docker engine does not have`,
      ),
    });
  },
);

dockerTest("a container that is killed is started again on the same ports with its data", async () => {
  const root = await emptyRoot();
  const questdb = await find(optionsFor(root));
  await makeKept(questdb);
  const restarts: Restart[] = [];
  questdb.onRestart((restart) => restarts.push(restart));
  await runDocker(["kill", containerName(root)]);
  await until("the restart", () => restarts.length > 0, 60_000);
  expect(restarts).toEqual([
    { exit: { exitCode: 137, signal: null }, downtimeMs: expect.any(Number), attempts: 1 },
  ]);
  await expectKept(questdb);
  expect((await fetch(`${questdb.http}/ping`)).status).toBe(204);
});

dockerTest(
  "after kill -9 of its process the container is taken over, not started again; while that lived it was shared",
  async () => {
    const root = await emptyRoot();
    const owner = runChild("questdb_owner.ts", { root, version, start: "docker" });
    onTestFinished(endContainerWithUs(root));
    const reported = await owner.first();
    const options = optionsFor(root);
    const beganAt = await startedAt(root);

    const shared = await findQuestdb(options, NEVER);
    expect(reported).toEqual({ http: shared.http, started: true });
    expect(shared.started).toBe(false);
    await shared.stop();
    expect(await attachQuestdb(options, NEVER)).toMatchObject({ started: false, http: shared.http });

    owner.kill("SIGKILL");
    await owner.ended;
    const adopted = await find(options);
    expect(adopted).toMatchObject({ started: true, http: shared.http, kind: "docker" });
    expect(adopted.notes.join()).toContain("taken over");
    expect(await startedAt(root)).toBe(beganAt);

    const restarted = new Promise((resolve) => adopted.onRestart(resolve));
    await runDocker(["kill", containerName(root)]);
    await restarted;
    expect((await fetch(`${adopted.http}/ping`)).status).toBe(204);
    await adopted.stop();
    expect(await containersOf(root)).toBe("");
    expect(await attachQuestdb(options, NEVER)).toBeUndefined();
  },
);

dockerTest("ports in use are left to their users: the container gets the next free ones", async () => {
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
  expect(questdb.notes.join("\n")).toContain(
    `port ${port} is in use: QuestDB's HTTP is on ${portOf(questdb.http)}`,
  );
  expect((await fetch(`${questdb.http}/ping`)).status).toBe(204);
});

dockerTest("an abort while the container is being started leaves neither container nor volume", async () => {
  const root = await emptyRoot();
  const stopping = new AbortController();
  const finding = findQuestdb(optionsFor(root), stopping.signal);
  const refused = expect(finding).rejects.toThrow("changed my mind");
  await until("the container", async () => (await containersOf(root)) !== "");
  stopping.abort(new Error("changed my mind"));
  await refused;
  expect(await containersOf(root)).toBe("");
  expect(await runDocker(["volume", "ls", "--quiet", "--filter", `name=${containerName(root)}`])).toBe("");
  expect(await attachQuestdb(optionsFor(root), NEVER)).toBeUndefined();
});

dockerTest("an engine that goes away and comes back does not cost a server that lives on", async () => {
  const root = await emptyRoot();
  const bin = await mkdtemp(join(tmpdir(), "tickwatch-test-bin-"));
  onTestFinished(() => rm(bin, { recursive: true, force: true }));
  const away = join(bin, "away");
  const script = [
    "#!/bin/sh",
    `[ "$1" = wait ] && while [ ! -e ${away} ]; do sleep 0.1; done`,
    `[ -e ${away} ] && echo "Cannot connect to the Docker daemon" >&2 && exit 1`,
    `PATH="${process.env["PATH"]}" exec docker "$@"`,
  ];
  await writeFile(join(bin, "docker"), `${script.join("\n")}\n`, { mode: 0o755 });
  const options = optionsFor(root);
  const failures = vi.spyOn(options.log, "error");
  const questdb = await find({ ...options, env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` } });
  const beganAt = await startedAt(root);
  const restarts: Restart[] = [];
  questdb.onRestart((restart) => restarts.push(restart));
  await writeFile(away, "");
  await until("a failed attempt", () => failures.mock.calls.length > 0);
  await rm(away);
  await until("the server to be found", () => restarts.length > 0);
  expect(await startedAt(root)).toBe(beganAt);
  expect((await fetch(`${questdb.http}/ping`)).status).toBe(204);
});

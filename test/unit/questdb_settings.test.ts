// Promises of the settings that a started QuestDB gets, as a file and as a container's environment.
import { expect, test } from "vitest";
import {
  containerName,
  dockerEnvFile,
  dockerJvmVariable,
  dockerRunArgs,
} from "../../ingest/questdb/docker_server.ts";
import {
  environmentName,
  logConf,
  serverConf,
  serverEnvFile,
  serverSettings,
} from "../../ingest/questdb/server_settings.ts";
import { compareVersions } from "../../ingest/questdb/version.ts";

const OPTIONS = {
  ...({ bindHost: "127.0.0.1", httpPort: 9000, minHttpPort: 9003, pgPort: 8812, version: "9.3.4" } as const),
  credentials: { user: "u", password: "pw-u", readonlyUser: "r", readonlyPassword: "pw-r" },
};

test("every address that the server listens on is the given host's", () => {
  const binds = [...serverSettings(OPTIONS)].filter(([name]) => name.endsWith("bind.to"));
  expect(binds).toEqual([
    ["http.net.bind.to", "127.0.0.1:9000"],
    ["http.min.net.bind.to", "127.0.0.1:9003"],
    ["pg.net.bind.to", "127.0.0.1:8812"],
  ]);
  expect(serverSettings(OPTIONS).get("line.tcp.enabled")).toBe("false");
});

test("rows can make neither tables nor columns, and a row from the future expires no other", () => {
  const settings = serverSettings(OPTIONS);
  expect(settings.get("line.auto.create.new.tables")).toBe("false");
  expect(settings.get("line.auto.create.new.columns")).toBe("false");
  expect(settings.get("cairo.ttl.use.wall.clock")).toBe("true");
});

test("the pool that serves HTTP and PGWire spins no longer than the others", () => {
  const settings = serverSettings(OPTIONS);
  for (const pool of ["shared", "wal.apply", "mat.view.refresh", "export", "view.compiler"]) {
    for (const [step, limit] of [
      ["yield", "10"],
      ["nap", "30"],
      ["sleep", "60"],
    ]) {
      expect(settings.get(`${pool}.worker.${step}.threshold`)).toBe(limit);
    }
  }
});

test("a server before 9.3 gets no setting that it does not know", () => {
  const older = [...serverSettings({ ...OPTIONS, version: "9.2.3" }).keys()];
  expect(older.filter((name) => name.startsWith("view.compiler"))).toEqual([]);
  expect(older).toContain("shared.worker.sleep.threshold");
});

test("file and container say the same", () => {
  const inFile = serverConf(OPTIONS)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const inContainer = serverEnvFile(OPTIONS).trimEnd().split("\n");
  expect(inContainer.slice(0, -1)).toEqual(
    inFile.map((line) => line.replace(/^[^=]+/, (name) => environmentName(name))),
  );
  expect(inContainer).toContain("QDB_PG_READONLY_PASSWORD=pw-r");
  const levels = /w\.stdout\.level=(.*)/.exec(logConf())?.[1];
  expect(inContainer.at(-1)).toBe(`QDB_LOG_W_STDOUT_LEVEL=${levels}`);
  expect(levels).not.toContain("INFO");
});

test("a container's ports are published on loopback only, its data is in a volume of its own, no password is an argument", () => {
  const ports = { http: 9100, minHttp: 9103, pg: 8912 };
  const launch = { root: "/data/questdb", volume: "tables", version: "9.3.4", ports };
  const args = dockerRunArgs(launch);
  const published = args.filter((_, i) => args[i - 1] === "--publish");
  expect(published).toEqual(["127.0.0.1:9100:9000", "127.0.0.1:9103:9003", "127.0.0.1:8912:8812"]);
  expect(args).toContain("tables:/var/lib/questdb");
  expect(args.slice(args.indexOf("--env-file"), args.indexOf("--env-file") + 2)).toEqual([
    "--env-file",
    dockerEnvFile(launch.root),
  ]);
  expect(args.at(-1)).toBe("questdb/questdb:9.3.4");
  expect(args.join(" ")).not.toMatch(/password|PASSWORD|--env[ =]| -e /);
  expect(dockerJvmVariable()).toContain("-Xmx512m");
});

test("two data folders have two containers, one folder has always the same", () => {
  expect(containerName("/a")).toBe(containerName("/a"));
  expect(containerName("/a")).not.toBe(containerName("/b"));
  expect(containerName("/a")).toMatch(/^tickwatch-questdb-[0-9a-f]{8}$/);
});

test("versions compare by number, not by letter, whatever follows them", () => {
  expect(compareVersions("9.3.4", "9.10.0")).toBeLessThan(0);
  expect(compareVersions("10.0.0", "9.9.9")).toBeGreaterThan(0);
  expect(compareVersions("9.3.4-SNAPSHOT", "9.3.4")).toBe(0);
  expect(compareVersions("QuestDB 9.2.3", "9.2.3")).toBe(0);
});

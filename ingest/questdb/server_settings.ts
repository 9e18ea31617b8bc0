// The settings a QuestDB gets from us, as one list: a server.conf for a local Java, environment variables for a
// container. Tuned for a small host: fewer spinning workers, small pages, a quiet log. Pure: no files, no processes.
import type { PgCredentials } from "./credentials.ts";
import { compareVersions } from "./version.ts";

export interface ServerSettingsOptions {
  /** 127.0.0.1 for a process of this host; 0.0.0.0 inside a container, whose ports are published on 127.0.0.1 only. */
  readonly bindHost: "127.0.0.1" | "0.0.0.0";
  readonly httpPort: number;
  /** Port of the small server with health check and Prometheus text. */
  readonly minHttpPort: number;
  readonly pgPort: number;
  readonly version: string;
  readonly credentials: PgCredentials;
}

/**
 * Pools that spin long after each job. `shared` serves HTTP, PGWire and queries unless they get pools of their own, and
 * matters most: with these thresholds 100 commits a second cost a quarter of the CPU they cost as shipped.
 */
const SPINNING_POOLS = ["shared", "wal.apply", "mat.view.refresh", "export", "http", "pg"];

const SPIN_LIMITS = { yield: 10, nap: 30, sleep: 60 };

/** Name and value of every setting, in the order they are written. Contains passwords. */
export function serverSettings(options: ServerSettingsOptions): ReadonlyMap<string, string> {
  const { bindHost, credentials } = options;
  return new Map([
    ["http.net.bind.to", `${bindHost}:${options.httpPort}`],
    ["http.min.net.bind.to", `${bindHost}:${options.minHttpPort}`],
    ["pg.net.bind.to", `${bindHost}:${options.pgPort}`],
    ["pg.user", credentials.user],
    ["pg.password", credentials.password],
    ["pg.readonly.user", credentials.readonlyUser],
    ["pg.readonly.password", credentials.readonlyPassword],
    ...tunedSettings(options.version),
  ]);
}

/** What every server of ours has, wherever it runs: no address, no password. */
function tunedSettings(version: string): [string, string][] {
  const settings: [string, string][] = [
    ["pg.readonly.user.enabled", "true"],
    ["telemetry.enabled", "false"],
    ["metrics.enabled", "true"],
    ["query.timeout", "30s"],
    // A row dated in the future must not make the server expire today's rows.
    ["cairo.ttl.use.wall.clock", "true"],
    // Tables come from the schema alone; a typo in a row must not make a column.
    ["line.auto.create.new.tables", "false"],
    ["line.auto.create.new.columns", "false"],
    ["line.tcp.enabled", "false"],
    // As shipped every column of an active partition takes 16 MB of disk.
    ["cairo.writer.data.append.page.size", "1M"],
    ["cairo.o3.column.memory.size", "128K"],
    // And every symbol column of a table or rollup, 17 MB for the index of its names.
    ["cairo.writer.data.index.value.append.page.size", "64K"],
    ["cairo.writer.data.index.key.append.page.size", "16K"],
    ["http.min.worker.count", "1"],
  ];
  // The view compiler has its own pool since 9.3; an older server would call its settings probable typos.
  const pools =
    compareVersions(version, "9.3.0") >= 0 ? [...SPINNING_POOLS, "view.compiler"] : SPINNING_POOLS;
  for (const pool of pools) {
    for (const [step, limit] of Object.entries(SPIN_LIMITS)) {
      settings.push([`${pool}.worker.${step}.threshold`, String(limit)]);
    }
  }
  return settings;
}

/** The text of `conf/server.conf`. Contains passwords: write it with mode 0600. */
export function serverConf(options: ServerSettingsOptions): string {
  const lines = [...serverSettings(options)].map(([name, value]) => `${name}=${value}`);
  return `# Written by tickwatch at every start: changes made here are lost.\n${lines.join("\n")}\n`;
}

const LOG_LEVELS = "ERROR,CRITICAL,ADVISORY";

/** The text of `conf/log.conf`. As shipped, every commit writes several lines, which costs a third of the CPU. */
export function logConf(): string {
  return [
    "# Written by tickwatch at every start: changes made here are lost.",
    "writers=stdout",
    "w.stdout.class=io.questdb.log.LogConsoleWriter",
    `w.stdout.level=${LOG_LEVELS}`,
    "",
  ].join("\n");
}

/** The same settings and log levels as environment variables of a container, one `NAME=value` a line. Contains passwords. */
export function serverEnvFile(options: ServerSettingsOptions): string {
  return envLines(serverSettings(options));
}

/** The same for the container of docker-compose.yml, which gives it its passwords by other variables. */
export function composeEnvFile(version: string): string {
  const head = "# Generated from ingest/questdb/server_settings.ts by `npm run gen`; do not edit.\n";
  return `${head}${envLines(tunedSettings(version))}JVM_PREPEND=${JVM_OPTIONS.join(" ")}\n`;
}

function envLines(settings: Iterable<readonly [string, string]>): string {
  const lines = [...settings].map(([name, value]) => `${environmentName(name)}=${value}`);
  return `${[...lines, `QDB_LOG_W_STDOUT_LEVEL=${LOG_LEVELS}`].join("\n")}\n`;
}

/** QuestDB's rule: `pg.user` is `QDB_PG_USER`. */
export function environmentName(setting: string): string {
  return `QDB_${setting.replaceAll(".", "_").toUpperCase()}`;
}

/** Heap and collector for a small host; out of memory ends the process, so that the supervisor brings it back. */
export const JVM_OPTIONS: readonly string[] = [
  "-Xms64m",
  "-Xmx512m",
  "-XX:+UseParallelGC",
  "-XX:+ExitOnOutOfMemoryError",
];

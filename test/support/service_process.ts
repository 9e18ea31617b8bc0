// The program as a user runs it: a process of its own, with a configuration file, in a folder of its own. Whatever it
// starts is ended with the test.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFailed, onTestFinished } from "vitest";
import { freePort } from "../../ingest/questdb/free_port.ts";
import { type RunInfo, readRunFile } from "../../ingest/run_file.ts";
import { ownQuestdbChoice, quickStartEnv } from "./questdb_choice.ts";
import type { QuestdbInstance } from "./questdb_instance.ts";
import { until } from "./questdb_until.ts";
import { type Family, newFamily } from "./service_family.ts";

type Section = Readonly<Record<string, unknown>>;

export interface ServiceOptions {
  readonly command?: "start" | "demo";
  /** Sections for the configuration file, over the ones of the tests (no exchanges, free ports). */
  readonly config?: Readonly<Record<string, Section | string>>;
  /** The QuestDB that is configured; without one the program starts its own, under Java. */
  readonly questdb?: Pick<QuestdbInstance, "http" | "pg">;
  /** Added to the environment of the program. */
  readonly env?: Readonly<Record<string, string>>;
  /** For beforeAll and the like: the caller removes the place. */
  readonly keep?: boolean;
}

/** Where programs of one configuration run, one after the other or at once. */
export interface ServicePlace {
  /** Configured data folder: spool, run.json. */
  readonly dataDir: string;
  readonly httpPort: number;
  /** Base address of the gateway. */
  readonly http: string;
  /** The same as that of all its rows about itself. */
  readonly instance: string;
  /** Starts the program; resolves when the process runs, long before it is ready. */
  run(): Promise<ServiceProcess>;
  /** Runs another command of it to its end. */
  call(...command: readonly string[]): Promise<ServiceProcess & { readonly ending: Ending }>;
  /** All processes of it that live. */
  readonly family: Family;
  /** Ends its processes and removes its folder. Done by itself at the end of the test unless `keep` was asked for. */
  remove(): Promise<void>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceProcess {
  readonly pid: number;
  /** What run.json says once it is this process's, and /readyz answers 200. Rejects with its output when it ends before. */
  ready(): Promise<RunInfo>;
  kill(signal: NodeJS.Signals): void;
  /** Ctrl-C in a terminal: the signal reaches every process of the group. */
  interrupt(): void;
  readonly ended: Promise<Ending>;
  hasEnded(): boolean;
  stdout(): string;
  stderr(): string;
}

/** Makes a place with a configuration file. */
export async function servicePlace(options: ServiceOptions = {}): Promise<ServicePlace> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-service-"));
  const httpPort = await freePort(0, new Set());
  const instance = `host-${httpPort}-${process.pid}`;
  const family = newFamily();
  const remove = async () => {
    await family.end();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  if (!options.keep) onTestFinished(remove);
  const text = JSON.stringify(await configuration(options, { instance, http: { port: httpPort } }), null, 2);
  await writeFile(join(folder, "tickwatch.json"), text);
  const dataDir = join(folder, ".tickwatch");
  const http = `http://127.0.0.1:${httpPort}`;
  const config = ["--config", "tickwatch.json"];
  const args = [...(await program()), options.command ?? "start", ...config];
  const env = () => ({ ...options.env, ...family.env });
  return {
    ...{ dataDir, httpPort, http, instance, family, remove },
    async run() {
      const start = { args, folder, env: env() };
      const service = await launch(start, (pid) => readyInfo(dataDir, http, pid));
      if (!options.keep) onTestFailed(() => console.error(outputOf(service)));
      return service;
    },
    async call(...command) {
      const start = { args: [...(await program()), ...command, ...config], folder, env: env() };
      const called = await launch(start, async () => undefined);
      return { ...called, ending: await called.ended };
    },
  };
}

async function configuration(options: ServiceOptions, base: Record<string, Section | string>) {
  const { config = {}, questdb, command } = options;
  const merged: Record<string, unknown> = {
    ...base,
    questdb: questdb === undefined ? await ownQuestdb() : externalQuestdb(questdb),
    ...(command === "demo" ? {} : { pipeline: { exchanges: [] } }),
  };
  for (const [name, section] of Object.entries(config)) {
    const before = merged[name];
    merged[name] =
      typeof before === "object" && typeof section === "object" ? { ...before, ...section } : section;
  }
  return merged;
}

async function ownQuestdb(): Promise<Section> {
  const httpPort = await freePort(0, new Set());
  const pgPort = await freePort(0, new Set([httpPort]));
  return { start: "java", version: ownQuestdbChoice().version, httpPort, pgPort };
}

function externalQuestdb({ http, pg }: Pick<QuestdbInstance, "http" | "pg">): Section {
  return { url: http, pgHost: pg.host, pgPort: pg.port, user: pg.user, password: pg.password };
}

async function readyInfo(dataDir: string, http: string, pid: number): Promise<RunInfo | undefined> {
  const info = await readRunFile(dataDir);
  if (info?.pid !== pid) return undefined;
  const answer = await fetch(`${http}/readyz`).catch(() => undefined);
  return answer?.status === 200 ? info : undefined;
}

interface Launch {
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

async function launch(
  { args, folder, env }: Launch,
  look: (pid: number) => Promise<RunInfo | undefined>,
): Promise<ServiceProcess> {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...withoutSettings(quickStartEnv()), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, as a terminal gives it.
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let ending: Ending | undefined;
  // "close", not "exit": then all that it wrote has been read.
  const ended = new Promise<Ending>((resolve) => {
    child.once("exit", (code, signal) => (ending = { code, signal }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const { pid } = child;
  if (pid === undefined) throw new Error("the program has no process id");
  const service: ServiceProcess = {
    ...{ pid, ended },
    ready: () =>
      until(
        "the service to be ready",
        async () => {
          if (ending !== undefined)
            throw new Error(`it ended (${JSON.stringify(ending)})\n${outputOf(service)}`);
          return await look(pid);
        },
        90_000,
      ),
    kill: (signal) => void child.kill(signal),
    interrupt: () => void process.kill(-pid, "SIGINT"),
    hasEnded: () => ending !== undefined,
    stdout: () => stdout,
    stderr: () => stderr,
  };
  return service;
}

/** Everything it has written, for the report of a failure. */
export function outputOf({ pid, stdout, stderr }: ServiceProcess): string {
  return `--- process ${pid}, stdout:\n${stdout()}--- stderr:\n${stderr()}---`;
}

/** What the person who runs the tests has set for their own tickwatch is not meant for this one. */
function withoutSettings(env: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(TICKWATCH|QUESTDB|QDB)_/.test(name)));
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The built program, as it is shipped; the sources when there is none, or when it is older than they are. */
async function program(): Promise<readonly string[]> {
  const built = join(ROOT, "dist/ingest/main.js");
  const isFresh = existsSync(built) && (await stat(built)).mtimeMs >= (await newestSourceMs());
  return isFresh ? [built] : ["--import", import.meta.resolve("tsx"), join(ROOT, "ingest/main.ts")];
}

let newestMs: Promise<number> | undefined;

function newestSourceMs(): Promise<number> {
  newestMs ??= (async () => {
    let newest = 0;
    for (const folder of ["ingest", "schema"]) {
      const names = await readdir(join(ROOT, folder), { recursive: true });
      const sources = names.filter((name) => name.endsWith(".ts"));
      const times = await Promise.all(
        sources.map(async (name) => (await stat(join(ROOT, folder, name))).mtimeMs),
      );
      newest = Math.max(newest, ...times);
    }
    return newest;
  })();
  return newestMs;
}

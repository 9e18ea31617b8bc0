// The stage of the fault suite: QuestDB, the fault proxy in front of it, the service as its own process, the workload as
// another, and a query connection past the proxy. For a whole test file; made once, ended once.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { openSql, type Sql } from "../../ingest/questdb/sql.ts";
import type { TableAccount, VerifyReport } from "../../ingest/verify/report.ts";
import { type FaultLoad, type LoadOptions, type LoadProcess, startLoadProcess } from "./fault_load.ts";
import { expectKept, judge, type Verdict } from "./fault_oracle.ts";
import { type FaultProxy, startFaultProxy } from "./fault_proxy.ts";
import type { QuestdbInstance } from "./questdb_instance.ts";
import { until } from "./questdb_until.ts";
import { outputOf, type ServicePlace, type ServiceProcess, servicePlace } from "./service_process.ts";
import { delivered } from "./service_proof.ts";

export interface FaultStage {
  readonly proxy: FaultProxy;
  readonly place: ServicePlace;
  readonly sql: Sql;
  /** The running service; undefined between two. */
  readonly service: ServiceProcess | undefined;
  /** Starts the service, and waits until it is ready unless told not to. */
  start(options?: { readonly wait?: boolean }): Promise<ServiceProcess>;
  /** Ends the service with a signal and waits for its end. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  load(options?: Partial<LoadOptions>): Promise<FaultLoad>;
  /** Stops the load, waits until all is delivered and visible, and asks the oracle. */
  verdict(load: FaultLoad): Promise<Verdict>;
  /** The same after an ordered stop, when nothing is being sent again any more; leaves no service running. */
  verdictAtRest(load: FaultLoad): Promise<Verdict>;
  /** As `verdict`, and the promise must have been kept, with no row given up. */
  proves(load: FaultLoad): Promise<void>;
  /** As `verdictAtRest`, and the promise must have been kept, with no row given up. */
  provesAtRest(load: FaultLoad): Promise<void>;
  /** What `tickwatch verify` says: the tables that do not add up, each with its account. */
  unaccounted(): Promise<ReadonlyMap<string, TableAccount>>;
  /** Resolves when the segments on disk take less. */
  untilSpoolBelow(bytes: number): Promise<void>;
  resources(): Promise<Resources>;
  /** Lines of the dead-letter files. */
  deadLetters(): Promise<readonly string[]>;
  /** Ends everything but QuestDB. */
  close(): Promise<void>;
}

/** What the service takes of its machine. */
export interface Resources {
  readonly rssBytes: number;
  readonly fds: number;
  /** Files of the spool's segments. */
  readonly spoolBytes: number;
}

export interface StageOptions {
  readonly questdb: Pick<QuestdbInstance, "http" | "pg">;
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Added to the service's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Short waits, small segments and little memory, so that a few seconds of load use every path. */
const CONFIG = {
  writer: { requestTimeoutMs: 1_500, lingerMinMs: 10, lingerMaxMs: 50 },
  spool: { segmentBytes: 131_072, memoryBytes: 262_144, graceS: 0 },
};

/** Starts proxy and workload; the service is started by `start`. */
export async function openStage(options: StageOptions): Promise<FaultStage> {
  const { questdb, config = {}, env = {} } = options;
  const proxy = await startFaultProxy(questdb.http);
  const merged = {
    ...config,
    writer: { ...CONFIG.writer, ...config["writer"] },
    spool: { ...CONFIG.spool, ...config["spool"] },
  };
  const place = await servicePlace({
    ...{ keep: true, config: merged, env },
    questdb: { http: proxy.url, pg: questdb.pg },
  });
  const loads = await startLoadProcess();
  const sql = openSql({ ...questdb.pg });
  return new Stage(proxy, place, loads, sql);
}

class Stage implements FaultStage {
  readonly proxy: FaultProxy;
  readonly place: ServicePlace;
  readonly sql: Sql;
  readonly #loads: LoadProcess;
  service: ServiceProcess | undefined;
  #last: ServiceProcess | undefined;
  #seed = 0;

  constructor(proxy: FaultProxy, place: ServicePlace, loads: LoadProcess, sql: Sql) {
    this.proxy = proxy;
    this.place = place;
    this.#loads = loads;
    this.sql = sql;
  }

  async start({ wait = true }: { readonly wait?: boolean } = {}): Promise<ServiceProcess> {
    // What a test that failed has left.
    if (this.service !== undefined) await this.end("SIGKILL");
    this.service = await this.place.run();
    this.#last = this.service;
    if (wait) await this.service.ready();
    return this.service;
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { service } = this;
    this.service = undefined;
    service?.kill(signal);
    const ending = await service?.ended;
    if (service === undefined || ending === undefined) return;
    const inOrder = signal === "SIGTERM" ? ending.code === 0 : ending.signal === signal;
    if (!inOrder) throw new Error(`it ended with ${JSON.stringify(ending)}\n${outputOf(service)}`);
  }

  load(options: Partial<LoadOptions> = {}): Promise<FaultLoad> {
    this.#seed += 1;
    return this.#loads.start({ http: this.place.http, seed: this.#seed, ...options });
  }

  async verdict(load: FaultLoad): Promise<Verdict> {
    await load.stop();
    await delivered(this.sql, this.service === undefined ? undefined : this.place.http);
    return judge(this.sql, load.journal);
  }

  async verdictAtRest(load: FaultLoad): Promise<Verdict> {
    await load.stop();
    await delivered(this.sql, this.place.http);
    await this.end("SIGTERM");
    return this.verdict(load);
  }

  async provesAtRest(load: FaultLoad): Promise<void> {
    await this.verdictAtRest(load);
    await this.proves(load);
    expect(Object.fromEntries(await this.unaccounted())).toEqual({});
  }

  async unaccounted(): Promise<ReadonlyMap<string, TableAccount>> {
    const called = await this.place.call("verify", "--json");
    const report: VerifyReport | undefined = called.stdout() === "" ? undefined : JSON.parse(called.stdout());
    if (report === undefined || called.ending.code !== (report.ok ? 0 : 1))
      throw new Error(`verify ended with ${JSON.stringify(called.ending)}\n${outputOf(called)}`);
    const failed = report.tables.filter(({ verdict }) => verdict !== "adds up" && verdict !== "empty");
    return new Map(failed.map((account) => [account.table, account]));
  }

  async untilSpoolBelow(bytes: number): Promise<void> {
    await until(`the spool to shrink to ${bytes} bytes`, async () => {
      return (await this.resources()).spoolBytes < bytes;
    });
  }

  async proves(load: FaultLoad): Promise<void> {
    try {
      expectKept(await this.verdict(load));
      const letters = (await this.deadLetters()).filter((line) => line.includes(load.mark));
      if (letters.length > 0) throw new Error(`good rows were given up, such as ${letters[0]}`);
    } catch (error) {
      console.error(this.#last === undefined ? "" : outputOf(this.#last));
      throw error;
    }
  }

  async resources(): Promise<Resources> {
    const pid = this.service?.pid;
    if (pid === undefined) throw new Error("no service runs");
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const folder = join(this.place.dataDir, "spool");
    const names = (await readdir(folder)).filter((name) => name.endsWith(".segment"));
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
    );
    return {
      rssBytes: 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]),
      fds: (await readdir(`/proc/${pid}/fd`)).length,
      spoolBytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  }

  async close(): Promise<void> {
    await this.#loads.end();
    await this.place.remove();
    await this.proxy.close();
    await this.sql.close();
  }

  async deadLetters(): Promise<readonly string[]> {
    const folder = join(this.place.dataDir, "dead-letter");
    const names = await readdir(folder).catch(() => []);
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
    return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
  }
}

/** Resolves when /readyz has nothing to complain about. */
export async function untilWell(place: ServicePlace): Promise<void> {
  await until(
    "the service to be well",
    async () => {
      const answer = await fetch(`${place.http}/readyz`).catch(() => undefined);
      if (answer?.status !== 200) return false;
      return JSON.parse(await answer.text()).problems.length === 0;
    },
    60_000,
  );
}

// What a scenario works with: processes to measure, a database, temporary folders, a place to say what is going on. Whatever was
// opened is closed when the scenario ends, however it ends.
import type { Clock } from "../../ingest/clock.ts";
import type { Env } from "../../ingest/questdb/run_command.ts";
import { type BenchQuestdb, openBenchQuestdb } from "./bench_questdb.ts";
import { type TemporaryFolder, temporaryFolder } from "./leftovers.ts";
import type { Task } from "./task.ts";
import { startWorker, type Worker } from "./worker_process.ts";

export interface BenchOptions {
  readonly env: Env;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Longest time for one measured process. */
  readonly timeoutMs: number;
  /** Folder for CPU profiles of the measured processes; none are taken if absent. */
  readonly profileDir?: string | undefined;
}

export class Bench {
  readonly env: Env;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly #options: BenchOptions;
  readonly #folders: TemporaryFolder[] = [];
  readonly #workers = new Set<{ kill(): Promise<void> }>();
  #questdb: Promise<BenchQuestdb> | undefined;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.env = options.env;
    this.clock = options.clock;
    this.timeoutMs = options.timeoutMs;
    options.signal.addEventListener("abort", () => void this.#killAll());
  }

  say(line: string): void {
    this.#options.say(line);
  }

  /** Throws when the person has had enough. */
  throwIfAborted(): void {
    this.#options.signal.throwIfAborted();
  }

  /** One server for the whole scenario, started when it is asked for first. */
  questdb(): Promise<BenchQuestdb> {
    this.#questdb ??= openBenchQuestdb(this.env, (line) => this.say(line), this.#options.signal);
    return this.#questdb;
  }

  /** Version of the server; null when the scenario needed none. */
  async questdbVersion(): Promise<string | null> {
    return this.#questdb === undefined ? null : (await this.#questdb).version;
  }

  /** A new folder, removed at the end. */
  async folder(name: string): Promise<string> {
    const folder = await temporaryFolder(name);
    this.#folders.push(folder);
    return folder.path;
  }

  /** Removes a folder that is done with before the end: some are large. */
  async removeFolder(path: string): Promise<void> {
    await this.#folders.find((folder) => folder.path === path)?.remove();
  }

  /** Starts a task; its process ends with the scenario at the latest. */
  start<I, O>(task: Task<I, O>, input: I, nodeFlags: readonly string[] = []): Worker<O> {
    this.throwIfAborted();
    const { env, timeoutMs, profileDir } = this.#options;
    const worker = startWorker(task, input, { env, timeoutMs, nodeFlags, profileDir });
    this.endAtLast(worker);
    return worker;
  }

  /** Runs a task that needs no further word, in a process of its own. */
  async run<I, O>(task: Task<I, O>, input: I, nodeFlags: readonly string[] = []): Promise<O> {
    const worker = this.start(task, input, nodeFlags);
    try {
      return await worker.result;
    } finally {
      await worker.end();
    }
  }

  /** Another kind of process to end with the scenario. */
  endAtLast(process: { kill(): Promise<void> }): void {
    this.#workers.add(process);
  }

  async close(): Promise<void> {
    await this.#killAll();
    await (await this.#questdb?.catch(() => undefined))?.close();
    for (const folder of this.#folders) await folder.remove();
  }

  async #killAll(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.kill()));
  }
}

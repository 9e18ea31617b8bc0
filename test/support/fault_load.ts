// The handle on the workload's process (fault_workload.ts): starts loads one after the other and hears how they get on.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { FAULT_TABLES, type FaultTable } from "./fault_rows.ts";
import { until } from "./questdb_until.ts";

/** What the process is told, a line of JSON each. */
export type LoadCommand =
  | {
      readonly command: "start";
      /** Base address of the gateway. */
      readonly http: string;
      readonly journal: string;
      readonly mark: string;
      readonly seed: number;
      readonly tables: readonly FaultTable[];
      readonly producers: number;
      /** Rows of one request, at the most. */
      readonly rowsMax: number;
      /** Longest pause of a producer between two requests. */
      readonly pauseMs: number;
    }
  | { readonly command: "stop" };

/** What it tells. */
export interface LoadCounts {
  readonly mark: string;
  readonly acknowledged: number;
  /** Answers by status; 0 stands for no answer. */
  readonly answers: Readonly<Record<string, number>>;
}

export interface FaultLoad extends LoadCounts {
  /** Path of the journal; there until the process is ended. */
  readonly journal: string;
  /** Resolves when so many more rows were acknowledged. */
  acknowledges(more: number, withinMs?: number): Promise<void>;
  /** Resolves when no request is under way and none will be. */
  stop(): Promise<void>;
}

export type LoadOptions = Pick<Extract<LoadCommand, { command: "start" }>, "http" | "seed"> &
  Partial<Pick<Extract<LoadCommand, { command: "start" }>, "tables" | "producers" | "rowsMax" | "pauseMs">>;

export interface LoadProcess {
  /** One at a time. */
  start(options: LoadOptions): Promise<FaultLoad>;
  end(): Promise<void>;
}

let marks = 0;

/** Starts the process; the caller ends it. */
export async function startLoadProcess(): Promise<LoadProcess> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-load-"));
  const script = fileURLToPath(new URL("./fault_workload.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const heard = listen(child);
  await until("the workload's process", () => heard.isReady());

  return {
    async start(options) {
      const mark = `load-${process.pid}-${Date.now().toString(36)}-${++marks}`;
      const journal = join(folder, mark);
      const defaults = { tables: FAULT_TABLES, producers: 4, rowsMax: 50, pauseMs: 10 };
      heard.tell({ command: "start", ...defaults, ...options, mark, journal });
      const counts = () => heard.counts(mark);
      return {
        ...{ mark, journal },
        get acknowledged() {
          return counts().acknowledged;
        },
        get answers() {
          return counts().answers;
        },
        async acknowledges(more, withinMs = 60_000) {
          const wanted = counts().acknowledged + more;
          await until(`${more} more acknowledged rows`, () => counts().acknowledged >= wanted, withinMs);
        },
        async stop() {
          if (heard.hasStopped(mark)) return;
          heard.tell({ command: "stop" });
          await until("the workload to stop", () => heard.hasStopped(mark), 120_000);
        },
      };
    },
    async end() {
      const closed = once(child, "close");
      child.stdin?.end();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listen(child: ChildProcess) {
  const last = new Map<string, LoadCounts & { readonly stopped?: boolean }>();
  let ready = false;
  if (child.stdout === null || child.stdin === null) throw new Error("the workload has no pipes");
  const { stdin } = child;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.ready) ready = true;
    else last.set(message.mark, message);
  });
  const stillRuns = () => {
    if (child.exitCode !== null) throw new Error(`the workload has ended with code ${child.exitCode}`);
  };
  return {
    isReady: () => {
      stillRuns();
      return ready;
    },
    tell(command: LoadCommand) {
      stillRuns();
      stdin.write(`${JSON.stringify(command)}\n`);
    },
    counts(mark: string): LoadCounts {
      stillRuns();
      return last.get(mark) ?? { mark, acknowledged: 0, answers: {} };
    },
    hasStopped(mark: string): boolean {
      stillRuns();
      return last.get(mark)?.stopped ?? false;
    },
  };
}

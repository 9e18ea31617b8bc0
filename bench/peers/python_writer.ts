// The official Python client as a writer of the comparison, when `python3` has it. Its script reports in JSON lines.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { shippedPath } from "../../ingest/package_root.ts";
import { runCommand } from "../../ingest/questdb/run_command.ts";
import type { Bench } from "../harness/bench.ts";
import { Mailbox, messageFrom } from "../harness/mailbox.ts";
import type { MarkLoad, MarkWriter } from "../harness/mark_writer.ts";
import { WrittenSchema } from "../harness/written.ts";
import { MARKS, markRows } from "../workload/mark_event.ts";

export type PythonMode = "rows" | "dataframe";

const PACKAGES: Readonly<Record<PythonMode, readonly string[]>> = {
  rows: ["questdb.ingress"],
  dataframe: ["questdb.ingress", "pandas", "pyarrow"],
};

const POOL_ROWS = 10_000;

/** Why the client cannot be measured here; undefined when it can. */
export async function pythonMissing(
  bench: Bench,
  python: string,
  mode: PythonMode,
): Promise<string | undefined> {
  const script = `import ${PACKAGES[mode].join(", ")}`;
  const options = { env: bench.env, timeoutMs: 30_000 };
  const result = await runCommand(
    python,
    ["-W", "ignore", "-c", script],
    options,
    new AbortController().signal,
  );
  if (!result.ran) return `there is no ${python}`;
  if (result.exitCode === 0) return undefined;
  return `${python} lacks ${PACKAGES[mode].map((name) => name.split(".")[0]).join(", ")}`;
}

/** The rows that the script writes, as a file it can read. */
export async function writePythonPool(bench: Bench): Promise<string> {
  const path = join(await bench.folder("python"), "pool.json");
  await writeFile(path, JSON.stringify(markRows(POOL_ROWS, 1)));
  return path;
}

export interface PythonJob extends MarkLoad {
  readonly mode: PythonMode;
  readonly python: string;
  readonly address: string;
  readonly rowsPerFlush: number;
  readonly pool: string;
}

export function pythonWriter(bench: Bench, { python, ...job }: PythonJob): MarkWriter {
  const script = shippedPath("bench", "peers", "python_client.py");
  const child = spawn(python, [script, JSON.stringify({ ...job, table: MARKS.name })], {
    env: { ...bench.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const mailbox = new Mailbox();
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => mailbox.close(error));
    child.once("close", (code) => {
      mailbox.close(new Error(`the Python client ended early (exit code ${code})`));
      resolve();
    });
  });
  createInterface({ input: child.stdout }).on("line", (line) => mailbox.put(messageFrom(JSON.parse(line))));
  const timer = setTimeout(() => child.kill("SIGKILL"), bench.timeoutMs);
  bench.endAtLast({
    async kill() {
      clearTimeout(timer);
      child.kill("SIGKILL");
      await ended;
    },
  });
  return {
    ready: () => mailbox.take("ready", z.unknown()).then(() => undefined),
    go: () => void child.stdin.write("go\n"),
    written: () => mailbox.take("written", WrittenSchema),
    async end() {
      await ended;
      clearTimeout(timer);
    },
  };
}

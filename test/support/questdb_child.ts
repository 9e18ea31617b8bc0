// Starts a TypeScript file of the tests as a process of its own, for promises about several processes and about kill -9.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { quickStartEnv } from "./questdb_choice.ts";

export interface ChildRun {
  readonly pid: number;
  /** The lines it has written to stdout, parsed as JSON. */
  readonly messages: readonly unknown[];
  /** The first message; rejects, with what it wrote to stderr, when it ends without one. */
  first(): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  stderr(): string;
}

/** Runs test/support/`file` with `input` as JSON in its first argument. Killed when the test ends, if it still runs. */
export function runChild(file: string, input: unknown): ChildRun {
  const script = new URL(file, import.meta.url).pathname;
  const args = ["--import", "tsx", script, JSON.stringify(input)];
  const env = quickStartEnv();
  const child: ChildProcess = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const messages: unknown[] = [];
  let errors = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const { stdout, stderr, pid } = child;
  if (stdout === null || stderr === null || pid === undefined) throw new Error(`${file} did not start`);
  stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const lines = createInterface({ input: stdout });
  const first = new Promise<unknown>((resolve, reject) => {
    lines.on("line", (line) => {
      messages.push(JSON.parse(line));
      resolve(messages[0]);
    });
    lines.once("close", () => reject(new Error(`${file} ended without a message:\n${errors}`)));
  });
  first.catch(() => undefined);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    pid,
    messages,
    first: () => first,
    kill: (signal) => void child.kill(signal),
    ended,
    stderr: () => errors,
  };
}

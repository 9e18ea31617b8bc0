// Runs a short program and returns what it said. Knows nothing of the programs it runs.
import { spawn } from "node:child_process";

/** The environment of child processes; injected, so that nothing reads `process.env` on the way. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface CommandOptions {
  readonly env: Env;
  readonly timeoutMs: number;
  readonly cwd?: string;
}

/** `missing`: there is no such program. `exitCode` is null when a signal, also ours after the time-out, ended it. */
export type CommandResult =
  | { readonly ran: false }
  | {
      readonly ran: true;
      readonly exitCode: number | null;
      readonly timedOut: boolean;
      readonly stdout: string;
      readonly stderr: string;
    };

const OUTPUT_CHARS_MAX = 200_000;

/** Runs to the end or to the time-out. Rejects only with the signal's reason, and then only after the program is gone. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const result = await new Promise<CommandResult>((resolve) => {
    const child = spawn(file, args, {
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-OUTPUT_CHARS_MAX);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-OUTPUT_CHARS_MAX);
    });
    const kill = () => child.kill("SIGKILL");
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeoutMs);
    signal.addEventListener("abort", kill);
    const done = (outcome: CommandResult) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      resolve(outcome);
    };
    child.once("error", () => done({ ran: false }));
    child.once("close", (exitCode) => done({ ran: true, exitCode, timedOut, stdout, stderr }));
  });
  signal.throwIfAborted();
  return result;
}

/** The last lines of an output that say something, for an error message. */
export function lastLines(text: string, count: number): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
}

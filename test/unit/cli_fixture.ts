// Runs command lines inside the test process: an io of its own that keeps what was printed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { CliIo } from "../../ingest/cli/io.ts";
import { runCli } from "../../ingest/cli.ts";
import { systemClock } from "../../ingest/clock.ts";

/** A working directory with these files, removed when the test ends. */
export function workingFolder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "tickwatch-cli-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `env` is all the environment there is, besides PATH and HOME. */
export async function cli(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<CliRun> {
  const out: string[] = [];
  const err: string[] = [];
  const io: CliIo = {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
    cwd: options.cwd ?? workingFolder(),
    hostname: "test-host",
    clock: systemClock(),
    interactive: false,
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    takeSignals: () => ({
      signal: new AbortController().signal,
      interruptedCode: 130,
      release: () => undefined,
    }),
  };
  const code = await runCli(args, io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

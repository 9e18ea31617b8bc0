#!/usr/bin/env node
// The process: arguments, environment, signals and the exit code are read and set here and nowhere else.
import { hostname } from "node:os";
import type { StopRequest } from "./cli/io.ts";
import { runCli } from "./cli.ts";
import { systemClock } from "./clock.ts";

const SIGNAL_NUMBER = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * `npm start` forwards a signal that the terminal has already sent to the whole process group: one Ctrl-C arrives
 * twice. A person needs longer for the second one.
 */
const SAME_REQUEST_MS = 500;

const clock = systemClock();

/**
 * A process that another one forked (the demo's) leaves SIGINT to it: Ctrl-C reaches the whole process group, and the
 * parent stops its children in order. When the parent is gone, the child stops as well.
 */
function takeSignals(): StopRequest {
  const controller = new AbortController();
  let requestedMs: number | undefined;
  let interruptedCode = 128;
  const listenerOf = (name: keyof typeof SIGNAL_NUMBER) => () => {
    requestedMs ??= clock.monotonicMs();
    interruptedCode = 128 + SIGNAL_NUMBER[name];
    controller.abort();
    if (clock.monotonicMs() - requestedMs > SAME_REQUEST_MS) process.exit(interruptedCode);
  };
  const orphaned = () => controller.abort();
  const listeners = [
    ["SIGINT", process.send === undefined ? listenerOf("SIGINT") : () => undefined],
    ["SIGTERM", listenerOf("SIGTERM")],
  ] as const;
  for (const [name, listener] of listeners) process.on(name, listener);
  process.on("disconnect", orphaned);
  return {
    signal: controller.signal,
    get interruptedCode() {
      return interruptedCode;
    },
    release() {
      for (const [name, listener] of listeners) process.off(name, listener);
      process.off("disconnect", orphaned);
    },
  };
}

/** A terminal that does not tell its width (some containers and build servers) cannot redraw a line. */
const { isTTY, columns } = process.stderr;

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  hostname: hostname(),
  clock,
  interactive: isTTY === true && columns > 0,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  takeSignals,
});

// The benchmarks' process: arguments, environment, signals and the exit code.
import { systemClock } from "../ingest/clock.ts";
import { runBench } from "./cli.ts";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => stopping.abort(new Error("stopped by a signal: nothing is reported")));
}

process.exitCode = await runBench(process.argv.slice(2), {
  env: process.env,
  clock: systemClock(),
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  signal: stopping.signal,
});

// `tickwatch start` and `tickwatch demo`: runs the service until a signal, or until it fails, and stops it in order.
// Says on stdout where to look; the service logs to stderr.
import type { LoadedConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
import type { RunningService, StopReport } from "../service.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";
import { showProgress } from "./progress.ts";
import { readVersion } from "./version.ts";
import { welcomeText } from "./welcome.ts";

/** Exit code 0 after an ordered stop, `interruptedCode` when asked to stop before it ran; failures of the service are thrown. */
export async function start(io: CliIo, options: GlobalOptions, demo: boolean): Promise<number> {
  const loaded = configurationFor(io, options);
  const stop = io.takeSignals();
  try {
    const service = await begin(io, loaded, demo, stop.signal);
    if (service === undefined) {
      io.err("stopped before it had started");
      return stop.interruptedCode;
    }
    io.out(welcomeText(service.info, { demo, dataDir: loaded.config.dataDir }));
    await runUntilStopped(io, service, stop.signal);
    return 0;
  } finally {
    stop.release();
  }
}

/** Undefined when the person changed their mind while it started. */
async function begin(
  io: CliIo,
  { config, warnings }: LoadedConfig,
  demo: boolean,
  signal: AbortSignal,
): Promise<RunningService | undefined> {
  const progress = await showProgress(io);
  try {
    const log = createLog({ level: config.log.level, format: config.log.format ?? "text" });
    for (const warning of warnings) log.warn({ warning }, "configuration");
    const { startService } = await import("../service.ts");
    const onProgress = (message: string) => progress.step(message);
    const { env, cwd, clock } = io;
    const version = readVersion();
    return await startService(config, { log, clock, version, env, cwd, onProgress, signal, demo });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    progress.end();
  }
}

async function runUntilStopped(io: CliIo, service: RunningService, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([aborted(signal), service.failed]);
  } finally {
    io.err("stopping… (the same signal again ends it at once)");
    io.out(stoppedText(await service.stop()));
  }
}

function stoppedText({ writtenRows, pendingRows }: StopReport): string {
  const written = `stopped; ${rowsOf(writtenRows)} written since the start`;
  if (pendingRows === 0) return `${written}, none waits`;
  return `${written}; ${rowsOf(pendingRows)} in the spool, delivered after the next start`;
}

function rowsOf(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

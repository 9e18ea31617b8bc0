// Looks after a started QuestDB: when it ends without being asked to, it is started again on the same ports, with
// growing pauses. Knows nothing of how it is started.
//
// One state: running → (ended) → waiting → starting → running; `stop()` leaves from anywhere and comes back to none.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ServerExit, ServerProcess } from "./server_process.ts";

const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 30_000;
/** A server that ran for so long has started well: the next pause is a short one again. */
const STEADY_MS = 60_000;

/** One restart that succeeded. */
export interface Restart {
  readonly exit: ServerExit;
  readonly downtimeMs: number;
  readonly attempts: number;
}

export interface SupervisorOptions {
  /** Starts the server again and returns when it answers. Leaves nothing behind when it rejects. */
  readonly relaunch: (signal: AbortSignal) => Promise<ServerProcess>;
  readonly log: Log;
  readonly clock: Clock;
}

export interface Supervisor {
  /** Process id at this moment; another one after a restart. */
  pid(): number | undefined;
  /** Called after each restart, when the server answers again. Returns what ends the subscription. */
  onRestart(listener: (restart: Restart) => void): () => void;
  /** Ends the server and the supervision. Safe to call twice. */
  stop(): Promise<void>;
}

/** Supervises a server that runs already. */
export function supervise(first: ServerProcess, options: SupervisorOptions): Supervisor {
  const stopping = new AbortController();
  const listeners = new Set<(restart: Restart) => void>();
  let current = first;
  const supervision = keepAlive();
  let stopped: Promise<void> | undefined;

  async function keepAlive(): Promise<void> {
    const { clock, log } = options;
    let pauseMs = PAUSE_FIRST_MS;
    for (;;) {
      const beganMs = clock.monotonicMs();
      const exit = await Promise.race([current.ended(), aborted(stopping.signal)]);
      if (exit === undefined || stopping.signal.aborted) return;
      const endedMs = clock.monotonicMs();
      log.warn({ ...exit }, "QuestDB ended unexpectedly; starting it again");
      if (endedMs - beganMs > STEADY_MS) pauseMs = PAUSE_FIRST_MS;
      for (let attempts = 1; ; attempts++) {
        await clock.sleep(pauseMs, stopping.signal);
        if (stopping.signal.aborted) return;
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
        const failure = await tryRelaunch();
        if (stopping.signal.aborted) return;
        if (failure === undefined) {
          const downtimeMs = Math.round(clock.monotonicMs() - endedMs);
          log.info({ downtimeMs, attempts, pid: current.pid }, "QuestDB is back");
          for (const listener of listeners) listener({ exit, downtimeMs, attempts });
          break;
        }
        if (attempts === 1)
          log.error({ err: failure.error }, "QuestDB could not be started again; trying on");
      }
    }
  }

  async function tryRelaunch(): Promise<{ readonly error: unknown } | undefined> {
    try {
      current = await options.relaunch(stopping.signal);
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  async function end(): Promise<void> {
    stopping.abort();
    await supervision;
    await current.terminate();
  }

  return {
    pid: () => current.pid,
    onRestart(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      stopped ??= end();
      return stopped;
    },
  };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

// The demo: the same program, with simulated exchanges and a simulated trading daemon as processes of their own. Its
// rows are kept apart from real ones, in a data folder below the configured one.
import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import type { Config, ExchangeConfig } from "../config/schema.ts";
import { TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { simulatorUrlOverrides } from "./simulator/simulator.ts";

export interface DemoOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Environment of the processes. */
  readonly env: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The simulated exchanges, in a process that may be killed: it comes back by itself. */
export interface DemoExchanges {
  readonly url: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Hears when a killed simulator is back under another pid. */
  onRestart(listener: () => void): void;
  stop(): Promise<void>;
}

/** A killed simulator stays away so long that its absence can be watched. */
const AWAY_MS = 30_000;
const LISTEN_MS = 20_000;
const SYMBOLS_SHOWN_EVERY = {
  openInterestEveryMs: 10_000,
  fundingRatesEveryMs: 30_000,
  liquidationsEveryMs: 10_000,
};

/** The configuration with the simulated venues instead of the configured exchanges, and a quicker beat. */
export function demoConfig(config: Config, simulatorUrl: string): Config {
  const exchanges = (["binanceusdm", "okx"] as const).map((id): ExchangeConfig => {
    const base =
      config.pipeline.exchanges.find((exchange) => exchange.id === id) ?? exchangeTemplate(config, id);
    return { ...base, urls: simulatorUrlOverrides(id, simulatorUrl).api };
  });
  return { ...config, pipeline: { ...config.pipeline, ...SYMBOLS_SHOWN_EVERY, exchanges } };
}

/** Starts the simulator process and looks after it. */
export async function startDemoExchanges({ clock, log, env }: DemoOptions): Promise<DemoExchanges> {
  const stopping = new AbortController();
  const listeners: (() => void)[] = [];
  let child = forkCommand(["simulator"], env);
  const url = await listening(child).catch(async (error: unknown) => {
    await ended(child);
    throw error;
  });
  const port = new URL(url).port;
  const care = (async () => {
    while (!stopping.signal.aborted) {
      await exited(child);
      if (stopping.signal.aborted) return;
      log.warn(
        { pid: child.pid, awayMs: AWAY_MS },
        "the simulated exchanges were stopped; they come back by themselves",
      );
      await clock.sleep(AWAY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      child = forkCommand(["simulator", "--port", port], env);
      await listening(child).catch((err: unknown) =>
        log.error({ err }, "the simulated exchanges did not start"),
      );
      for (const listener of listeners) listener();
    }
  })();
  return {
    url,
    get pid() {
      return child.pid ?? 0;
    },
    onRestart: (listener) => void listeners.push(listener),
    async stop() {
      stopping.abort();
      await ended(child);
      await care;
    },
  };
}

/** Starts the simulated trading daemon, which pushes its rows through the gateway like any foreign daemon. */
export function startDemoDaemon(
  gatewayUrl: string,
  key: string | undefined,
  env: Environment,
): { stop(): Promise<void> } {
  const withKey = key === undefined ? env : { ...env, TICKWATCH_API_KEY: key };
  const child = forkCommand(["trading-daemon", "--gateway", gatewayUrl], withKey);
  return { stop: () => ended(child) };
}

function exchangeTemplate(config: Config, id: string): ExchangeConfig {
  const [first] = config.pipeline.exchanges;
  if (first === undefined)
    throw new TickwatchError("CONFIG_INVALID", "the demo needs at least one configured exchange");
  const { urls: _, ...rest } = first;
  return { ...rest, id };
}

/** This program with another command, in a process of its own; its log goes to ours. */
function forkCommand(args: readonly string[], env: Environment): ChildProcess {
  const main = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
  return fork(main, [...args], { env: { ...env }, stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

const ListeningSchema = z.object({ type: z.literal("listening"), url: z.string() });

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new TickwatchError("ENVIRONMENT", `the simulated exchanges did not start: ${why}`));
    const timer = setTimeout(() => fail(`silent for ${LISTEN_MS} ms`), LISTEN_MS);
    child.on("message", (message) => {
      const parsed = ListeningSchema.safeParse(message);
      if (!parsed.success) return;
      clearTimeout(timer);
      resolve(parsed.data.url);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`it ended with ${signal ?? `code ${code}`}`);
    });
  });
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

/** Asks the process to end, and makes it end after three seconds. */
async function ended(child: ChildProcess): Promise<void> {
  const gone = exited(child);
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await gone;
  clearTimeout(timer);
}

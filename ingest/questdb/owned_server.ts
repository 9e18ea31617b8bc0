// The QuestDB of a data folder: takes over the one an earlier run left behind, or starts one, and looks after it.
// Works the same for Java and Docker; knows nothing of either.
import { mkdir } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import { messageOf, TickwatchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { identify, isRunning } from "../process_identity.ts";
import { credentialsFile, loadCredentials } from "./credentials.ts";
import type { Engine, ServerName } from "./engine.ts";
import { freePort, isFree } from "./free_port.ts";
import type { RunningQuestdb } from "./running.ts";
import type { ServerProcess } from "./server_process.ts";
import { answersAsOurs, HOST, httpUrl, pgAddress, waitUntilUsable } from "./server_readiness.ts";
import { readState, removeState, type ServerPorts, type ServerState, writeState } from "./server_state.ts";
import { type Supervisor, supervise } from "./supervisor.ts";

const RESTART_MS = 45_000;
const POLL_MS = 100;
const START_ATTEMPTS = 3;

export interface OwnedOptions {
  readonly root: string;
  readonly version: string;
  /** Wanted ports; 0 for any free one. */
  readonly ports: ServerPorts;
  readonly clock: Clock;
  readonly log: Log;
  readonly onProgress: (message: string) => void;
}

/** A server that answered, with what was written down about it. */
interface Live {
  readonly process: ServerProcess;
  readonly state: ServerState;
}

/** Makes the data folder, readable by this user only. */
export async function makeRoot(root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new TickwatchError("ENVIRONMENT", `cannot make ${root}: ${messageOf(cause)}`, { cause });
  });
}

/**
 * The server that runs for this data folder already, without looking after it; undefined when there is none. One that a
 * living process is starting or restarting is waited for. Throws ENVIRONMENT when it runs but does not answer.
 */
export async function shareRunning(
  engine: Engine,
  options: OwnedOptions,
  signal: AbortSignal,
): Promise<RunningQuestdb | undefined> {
  const live = await findLive(engine, options, signal);
  if (live === undefined) return undefined;
  const trouble = await troubleOf(live, options, signal);
  const owner = `process ${live.state.owner.pid}`;
  if (trouble === undefined) return running(live, engine, options, [`looked after by ${owner}`], undefined);
  const message = `the QuestDB that ${owner} looks after does not answer (${trouble}): stop that process and start again`;
  throw new TickwatchError("ENVIRONMENT", message);
}

/**
 * The server that runs for this data folder already. When the process that looked after it is gone, this one takes over;
 * then a server that does not answer, or is of another version, is ended instead (undefined). Otherwise it is shared.
 * The caller holds the start lock.
 */
export async function adoptRunning(
  engine: Engine,
  options: OwnedOptions,
  signal: AbortSignal,
): Promise<RunningQuestdb | undefined> {
  const live = await findLive(engine, options, signal);
  if (live === undefined) return undefined;
  if (await isRunning(live.state.owner)) return await shareRunning(engine, options, signal);
  const { version } = live.state;
  const trouble =
    version === options.version
      ? await troubleOf(live, options, signal)
      : `it is ${version}, wanted is ${options.version}`;
  if (trouble !== undefined) {
    options.onProgress(`ending the QuestDB that an earlier run left behind: ${trouble}`);
    await live.process.terminate();
    await removeState(options.root);
    return undefined;
  }
  const taken = { process: live.process, state: { ...live.state, owner: await self() } };
  await writeState(options.root, taken.state);
  const note = "taken over from an earlier run that did not stop it";
  return running(taken, engine, options, [note], superviseLive(taken, engine, options));
}

/** What is written down and runs. Waits for a server that its living owner is restarting just now. */
async function findLive(
  engine: Engine,
  options: OwnedOptions,
  signal: AbortSignal,
): Promise<Live | undefined> {
  const untilMs = options.clock.monotonicMs() + RESTART_MS;
  for (;;) {
    const state = await readState(options.root);
    if (state === undefined || state.kind !== engine.kind) return undefined;
    const process = await engine.find(state, signal);
    if (process !== undefined) return { process, state };
    if (!(await isRunning(state.owner))) return undefined;
    if (options.clock.monotonicMs() > untilMs) {
      const message = `process ${state.owner.pid} tries to start the QuestDB of ${options.root}, without success so far: see its log`;
      throw new TickwatchError("ENVIRONMENT", message);
    }
    await options.clock.sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}

/** Why a server cannot be used, or undefined when it can. */
async function troubleOf(
  live: Live,
  options: OwnedOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await answersAsOurs(live.state.ports, options, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

/**
 * Starts a server and returns when it answers. `notes` are added to its own. Throws ENVIRONMENT with the end of its log.
 * The caller holds the start lock.
 */
export async function startNew(
  engine: Engine,
  options: OwnedOptions,
  notes: readonly string[],
  signal: AbortSignal,
): Promise<RunningQuestdb> {
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(options.ports);
    options.onProgress(`starting QuestDB ${options.version} (${engine.kind}) on ${HOST}:${ports.http}`);
    try {
      const live = await bringUp(engine, ports, options, signal);
      const supervisor = superviseLive(live, engine, options);
      return running(live, engine, options, [...notes, ...portNotes(options.ports, ports)], supervisor);
    } catch (error) {
      await removeState(options.root);
      // Between choosing a port and using it another process may have been faster; anything else will not get better.
      const again =
        !signal.aborted && attempt < START_ATTEMPTS && (couldNotBind(error) || !(await allFree(ports)));
      if (again) continue;
      await engine.forget();
      signal.throwIfAborted();
      throw error;
    }
  }
}

/** Launches, waits until it answers as ours, writes it down. Leaves nothing running when it throws. */
async function bringUp(
  engine: Engine,
  ports: ServerPorts,
  options: OwnedOptions,
  signal: AbortSignal,
): Promise<Live> {
  const { process, name } = await engine.launch(ports, signal);
  try {
    const state = await stateOf(engine, name, ports, options);
    // Written before it answers: if this process is killed now, the next one still finds the server.
    await writeState(options.root, state);
    await waitUntilUsable(engine, process, ports, options, signal);
    return { process, state };
  } catch (error) {
    await process.terminate();
    throw error;
  }
}

function superviseLive(live: Live, engine: Engine, options: OwnedOptions): Supervisor {
  return supervise(live.process, {
    log: options.log,
    clock: options.clock,
    async relaunch(signal) {
      // An engine that was restarted may have lost sight of a server that lives on.
      const found = await engine.find(live.state, signal);
      if (found !== undefined && (await troubleOf(live, options, signal)) === undefined) return found;
      const preparation = await engine.prepare(signal);
      if (!preparation.usable) {
        const reasons = Object.values(preparation.findings).flatMap((tool) =>
          tool.usable ? [] : [tool.reason],
        );
        const why = preparation.failure ?? `${engine.kind} cannot be used any more: ${reasons.join("; ")}`;
        throw new TickwatchError("ENVIRONMENT", why);
      }
      return (await bringUp(engine, live.state.ports, options, signal)).process;
    },
  });
}

async function running(
  { process, state }: Live,
  engine: Engine,
  options: OwnedOptions,
  notes: readonly string[],
  supervisor: Supervisor | undefined,
): Promise<RunningQuestdb> {
  const credentials = await loadCredentials(options.root);
  const { ports } = state;
  return {
    kind: engine.kind,
    started: supervisor !== undefined,
    http: httpUrl(ports),
    httpAuthorization: undefined,
    metricsUrl: `http://${HOST}:${ports.minHttp}/metrics`,
    pg: pgAddress(ports, credentials),
    pgReadonly: {
      ...pgAddress(ports, credentials),
      user: credentials.readonlyUser,
      password: credentials.readonlyPassword,
    },
    credentialsFile: credentialsFile(options.root),
    version: state.version,
    get pid() {
      return supervisor ? supervisor.pid() : process.pid;
    },
    notes,
    onRestart: (listener) => supervisor?.onRestart(listener) ?? (() => undefined),
    async stop() {
      if (supervisor === undefined) return;
      await supervisor.stop();
      await removeState(options.root);
    },
  };
}

async function stateOf(
  engine: Engine,
  name: ServerName,
  ports: ServerPorts,
  options: OwnedOptions,
): Promise<ServerState> {
  const startedAt = new Date(options.clock.nowUs() / 1000).toISOString();
  return { kind: engine.kind, version: options.version, ports, startedAt, ...name, owner: await self() };
}

async function self() {
  const identity = await identify(process.pid);
  if (identity === undefined)
    throw new TickwatchError("ENVIRONMENT", "cannot read this process's own start time");
  return identity;
}

async function choosePorts(wanted: ServerPorts): Promise<ServerPorts> {
  const taken = new Set<number>();
  const choose = async (port: number) => {
    const chosen = await freePort(port, taken);
    taken.add(chosen);
    return chosen;
  };
  return {
    http: await choose(wanted.http),
    pg: await choose(wanted.pg),
    minHttp: await choose(wanted.minHttp),
  };
}

/** QuestDB's log says so; whoever had the port may be gone again by now. */
function couldNotBind(error: unknown): boolean {
  return error instanceof Error && /could not bind|createListenerFd/.test(error.message);
}

async function allFree(ports: ServerPorts): Promise<boolean> {
  const free = await Promise.all([isFree(ports.http), isFree(ports.pg), isFree(ports.minHttp)]);
  return free.every(Boolean);
}

function portNotes(wanted: ServerPorts, chosen: ServerPorts): string[] {
  const pairs = [
    ["HTTP", wanted.http, chosen.http],
    ["PGWire", wanted.pg, chosen.pg],
  ] as const;
  return pairs
    .filter(([, want, got]) => want !== 0 && want !== got)
    .map(([what, want, got]) => `port ${want} is in use: QuestDB's ${what} is on ${got}`);
}

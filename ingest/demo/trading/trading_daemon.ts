// The simulated trading daemon: what a user's own system would be beside tickwatch. It trades on a made-up market and
// tells tickwatch everything through its HTTP gateway, like any foreign daemon; it uses no inside of the service.
import { type Clock, systemClock } from "../../clock.ts";
import { linkAbort } from "../../daemon/linked_abort.ts";
import { nextSlot } from "../../daemon/sampler.ts";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { RandomStream } from "../simulator/random.ts";
import type { Identity } from "./emit.ts";
import { createGatewayClient } from "./gateway_client.ts";
import { createAlertIncident, createErrorIncident, createGapIncident } from "./incidents.ts";
import { Publisher } from "./publisher.ts";
import { STRATEGIES, type StrategySpec } from "./strategy.ts";
import { Telemetry } from "./telemetry.ts";
import { TradingFloor } from "./trading_floor.ts";

export interface TradingDaemonOptions {
  /** Where tickwatch listens, such as http://127.0.0.1:8080. */
  readonly gatewayUrl: string;
  /** One of its API keys, when it asks for one. */
  readonly key?: string;
  /** The same seed trades the same way, apart from times. Default 1, as the exchange simulator's. */
  readonly seed?: number;
  /** Default `demo-trader`. */
  readonly daemonName?: string;
  /** Names this process in `instance` columns. */
  readonly instance: string;
  readonly version: string;
  readonly strategies?: readonly StrategySpec[];
  readonly log: Log;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

const STEP_MS = 250;
/** After a pause of the process (a suspended laptop) it goes on from now instead of living through it. */
const CATCH_UP_MS_MAX = 10_000;
const MARK_EVERY_MS = 10_000;
const STORAGE_EVERY_MS = 60_000;
/** For the last rows after the abort. */
const DRAIN_MS = 3_000;

/**
 * Trades until the signal aborts, then hands over what it still has, at most for three seconds, and resolves. Rejects
 * when the simulation itself is broken; a gateway that is away only makes rows wait.
 */
export async function runTradingDaemon(options: TradingDaemonOptions): Promise<void> {
  const { gatewayUrl, key, seed = 1, daemonName = "demo-trader", instance, version, log, signal } = options;
  if (signal.aborted) return;
  const clock = options.clock ?? systemClock();
  const client = createGatewayClient(gatewayUrl, key);
  const jitter = new RandomStream(seed, "publisher");
  const publisher = new Publisher({ client, clock, log, random: () => jitter.next() });
  const identity: Identity = { daemon: daemonName, instance, account: "demo-main" };
  const event = (name: "started" | "stopped" | "crashed", reason: string) =>
    publisher.emit("daemon_events", {
      ts: clock.nowUs(),
      daemon: daemonName,
      instance,
      event: name,
      version,
      reason,
    });
  const life = linkAbort(signal);
  const publishing = publisher.run(life.signal);
  try {
    event("started", `simulated trading with seed ${seed}`);
    await trade({ ...options, clock, seed, identity, publisher });
    event("stopped", "asked to stop");
  } catch (error) {
    event("crashed", messageOf(error));
    throw error;
  } finally {
    life.release();
    await publishing;
    await publisher.drain(DRAIN_MS);
    await client.close();
  }
}

interface TradeOptions extends TradingDaemonOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly identity: Identity;
  readonly publisher: Publisher;
}

async function trade(options: TradeOptions): Promise<void> {
  const { clock, seed, identity, publisher, strategies = STRATEGIES } = options;
  const startUs = clock.nowUs();
  const shared = { strategies, seed, startUs, identity, emit: publisher.emit };
  const floor = new TradingFloor(shared);
  const telemetry = new Telemetry({ ...shared, monotonicMs: () => clock.monotonicMs() });
  const life = linkAbort(options.signal);
  try {
    const actors: readonly Actor[] = [
      atSlots(MARK_EVERY_MS, startUs, (ts) => {
        floor.mark(ts);
        telemetry.measurements(ts);
      }),
      atSlots(STORAGE_EVERY_MS, startUs, (ts) => telemetry.storage(ts)),
      floor,
      createErrorIncident(shared),
      createAlertIncident(shared),
      createGapIncident(shared),
    ];
    await Promise.all([
      liveThrough(clock, startUs, actors, life.signal),
      sampleHealth(clock, telemetry, life.signal),
    ]);
  } finally {
    life.release();
    telemetry.close();
  }
}

/** Something that acts when its time has come. */
interface Actor {
  step(nowUs: number): void;
}

/**
 * Lets the actors live through every step in order, each as soon as its time has come, until the signal aborts. When
 * the clock is set back it waits: nobody lives through the same time twice.
 */
async function liveThrough(
  clock: Clock,
  startUs: number,
  actors: readonly Actor[],
  signal: AbortSignal,
): Promise<void> {
  const stepUs = STEP_MS * 1000;
  let nextUs = startUs;
  while (!signal.aborted) {
    const nowUs = clock.nowUs();
    if (nowUs - nextUs > CATCH_UP_MS_MAX * 1000) nextUs = nowUs;
    for (; nextUs <= nowUs; nextUs += stepUs) {
      for (const actor of actors) actor.step(nextUs);
    }
    await clock.sleep((nextUs - nowUs) / 1000, signal);
  }
}

/**
 * Acts at the first step with its time, then at every whole multiple of `everyMs` with that multiple. It comes before
 * those who make events in the same step: what it marks is the state at that very moment.
 */
function atSlots(everyMs: number, startUs: number, take: (ts: number) => void): Actor {
  const everyUs = everyMs * 1000;
  let slotUs = startUs;
  return {
    step(nowUs) {
      if (nowUs < slotUs) return;
      const thisSlotUs = Math.floor(nowUs / everyUs) * everyUs;
      // Slots that passed while the process was suspended are left out.
      take(Math.max(slotUs, thisSlotUs));
      slotUs = thisSlotUs + everyUs;
    },
  };
}

/** Beside the others, because it has to wait for the system. */
async function sampleHealth(clock: Clock, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
  for (let ts = clock.nowUs(); !signal.aborted; ts = await nextSlot(clock, MARK_EVERY_MS, signal)) {
    await telemetry.health(ts);
  }
}

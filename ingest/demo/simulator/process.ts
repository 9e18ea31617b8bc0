// The simulator as a process of its own, so that the demo can lose its exchanges without losing itself. Called by a
// hidden command; does nothing on import. Talks to the parent over IPC when it was forked with it.

import { type SimulatorOptions, startExchangeSimulator } from "./simulator.ts";

/** What the process tells its parent, once, when it accepts connections. */
export interface ListeningMessage {
  readonly type: "listening";
  readonly url: string;
}

export interface SimulatorProcessOptions extends SimulatorOptions {
  /** Told the address as well; for a process that a person started. */
  readonly onListening?: (url: string) => void;
}

/**
 * Runs until SIGTERM, SIGINT or, when forked with IPC, until the parent goes away; resolves when all is closed.
 * Under a parent SIGINT is ignored: Ctrl-C reaches the whole process group, and the exchanges must not die before
 * the program that records them has stopped in order. The parent then disconnects or sends SIGTERM.
 */
export async function runSimulatorProcess(options: SimulatorProcessOptions = {}): Promise<void> {
  // Listening for the order to stop comes first, so that none is missed while the server starts.
  const order = listenForStop();
  try {
    const simulator = await startExchangeSimulator(options);
    const message: ListeningMessage = { type: "listening", url: simulator.url };
    // A parent that is already gone is not an error: the disconnect ends this process.
    process.send?.(message, undefined, undefined, () => {});
    options.onListening?.(simulator.url);
    await order.given;
    await simulator.stop();
  } finally {
    order.release();
  }
}

/** `release` gives up the listeners; the one for `disconnect` keeps the channel, and with it this process, alive. */
function listenForStop(): { readonly given: Promise<void>; release(): void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  const onSigint = process.send === undefined ? give : () => {};
  process.on("SIGTERM", give);
  process.on("SIGINT", onSigint);
  process.on("disconnect", give);
  const release = () => {
    process.off("SIGTERM", give);
    process.off("SIGINT", onSigint);
    process.off("disconnect", give);
  };
  return { given, release };
}

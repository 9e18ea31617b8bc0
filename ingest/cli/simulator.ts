// `tickwatch simulator`: the exchange simulator as a process of its own. The demo starts it this way; people may too.
import type { CliIo } from "./io.ts";

export interface SimulatorFlags {
  readonly port: number;
  readonly seed: number | undefined;
}

/** Runs until a signal, or until the process that forked it goes away. */
export async function simulator(io: CliIo, { port, seed }: SimulatorFlags): Promise<number> {
  const { runSimulatorProcess } = await import("../demo/simulator/process.ts");
  await runSimulatorProcess({
    port,
    ...(seed === undefined ? {} : { seed }),
    onListening: (url) => io.out(`simulated exchanges at ${url}; Ctrl-C ends them`),
  });
  return 0;
}

// `tickwatch trading-daemon`: the demo's simulated trading daemon, which knows tickwatch's gateway only.
import { createLog } from "../log.ts";
import type { CliIo } from "./io.ts";
import { readVersion } from "./version.ts";

export interface TradingDaemonFlags {
  readonly gateway: string;
  readonly seed: number | undefined;
}

/** Runs until a signal, or until the process that forked it goes away. */
export async function tradingDaemon(io: CliIo, { gateway, seed }: TradingDaemonFlags): Promise<number> {
  const stop = io.takeSignals();
  try {
    const { runTradingDaemon } = await import("../demo/trading/trading_daemon.ts");
    const key = io.env["TICKWATCH_API_KEY"];
    await runTradingDaemon({
      gatewayUrl: gateway,
      ...(key === undefined || key === "" ? {} : { key }),
      ...(seed === undefined ? {} : { seed }),
      instance: io.hostname,
      version: readVersion(),
      // Beside the service's own log: what it has to say and nothing of its trades.
      log: createLog({ level: "warn", format: io.env["TICKWATCH_LOG_FORMAT"] === "json" ? "json" : "text" }),
      clock: io.clock,
      signal: stop.signal,
    });
    return 0;
  } finally {
    stop.release();
  }
}

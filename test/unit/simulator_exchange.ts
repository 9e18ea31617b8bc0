// Real CCXT classes pointed at a simulator, for the simulator's tests. One class per file path: the package's
// export map hides the single classes, so the path is taken relative to its main module.

import type { Exchange } from "ccxt";
import { onTestFinished } from "vitest";
import {
  type ExchangeSimulator,
  type SimulatorOptions,
  simulatorUrlOverrides,
  startExchangeSimulator,
  type VenueId,
} from "../../ingest/demo/simulator/simulator.ts";

/** What CCXT leaves out of its own types. */
interface WsClientView {
  readonly url: string;
  readonly connectionStarted: number;
  readonly connectionEstablished: number;
  lastPong?: number;
  log(...words: unknown[]): void;
  readonly connection: { ping(): void; once(event: "pong", listener: () => void): void };
}

/** A parsed liquidation as both venues' classes give it. */
interface ParsedLiquidation {
  readonly symbol: string;
  readonly side?: string;
  readonly price?: number;
  readonly contracts?: number;
  readonly timestamp?: number;
}

export type TestExchange = Exchange & {
  loadHttpProxyAgent(): Promise<unknown>;
  parseWsLiquidation(raw: object, market?: object): ParsedLiquidation;
  clients: Record<string, WsClientView>;
};

type ExchangeClass = new (options: Record<string, unknown>) => TestExchange;

/** Starts a simulator that ends with the test. */
export async function simulatorForTest(options: SimulatorOptions = {}): Promise<ExchangeSimulator> {
  const simulator = await startExchangeSimulator({ liquidationsPerMinute: 0, ...options });
  onTestFinished(() => simulator.stop());
  return simulator;
}

/** A real exchange object without rate limit and with fast reconnects; ends with the test. */
export async function exchangeForTest(
  venue: VenueId,
  simulator: Pick<ExchangeSimulator, "url">,
  options: Record<string, unknown> = {},
): Promise<TestExchange> {
  const file = new URL(`./src/pro/${venue}.js`, import.meta.resolve("ccxt"));
  const loaded = (await import(file.href)) as { default: ExchangeClass };
  const exchange = new loaded.default({
    urls: simulatorUrlOverrides(venue, simulator.url),
    enableRateLimit: false,
    options: { ws: { backoff: { base: 10, max: 50 } } },
    ...options,
  });
  await exchange.loadHttpProxyAgent();
  onTestFinished(async () => {
    await exchange.close();
  });
  return exchange;
}

/** What a `watch*` loop of a program sees and suffers. */
export interface Watching {
  /** Every liquidation that CCXT parsed, also those that its `watch*` result swallows in a burst. */
  readonly parsed: ParsedLiquidation[];
  /** What `watch*` rejected with, in order. */
  readonly failures: Error[];
}

/** Watches liquidations over and over, as a program does, until the test ends. */
export function watchForTest(exchange: TestExchange, symbols: string[] | undefined): Watching {
  const watching: Watching = { parsed: [], failures: [] };
  const parse = exchange.parseWsLiquidation.bind(exchange);
  exchange.parseWsLiquidation = (raw, market) => {
    const liquidation = parse(raw, market);
    watching.parsed.push(liquidation);
    return liquidation;
  };
  let going = true;
  const loop = async () => {
    while (going) {
      try {
        await exchange.watchLiquidationsForSymbols(symbols as string[]);
      } catch (error) {
        watching.failures.push(error as Error);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  let ended = false;
  void loop().then(() => {
    ended = true;
  });
  onTestFinished(async () => {
    going = false;
    // A watch that is still loading markets would open its stream after a close, so one close isn't enough.
    while (!ended) {
      await exchange.close();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  return watching;
}

/** Waits for a condition; fails when it doesn't come. */
export async function until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// Whether an exchange answers from here, asked with the same CCXT class and addresses that the pipeline uses.
import type { Clock } from "../clock.ts";
import type { ExchangeConfig } from "../config/schema.ts";
import { classifyError } from "../sources/ccxt/classify_error.ts";
import { createHttp } from "../sources/ccxt/http.ts";
import { openExchange } from "../sources/ccxt/load_exchange.ts";
import { orAbort } from "../sources/ccxt/or_abort.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";

/** For one answer, connecting included. */
const ANSWER_MS = 5_000;

const SKEW_MS = 1_000;

/** Unreachable is a warning: everything else of tickwatch works without this exchange. */
export function exchangeCheck({ id, urls, rateLimitMs }: ExchangeConfig, clock: Clock): Check {
  return {
    name: `exchange ${id}`,
    async run(signal) {
      const http = createHttp({ clock, timeoutMs: ANSWER_MS, signal, onAnswer: () => undefined });
      const onLog = () => undefined;
      const settings = { id, linearOnly: true, urls, rateLimitMs, timeoutMs: ANSWER_MS, http, onLog };
      // Outside of the try: an id that CCXT does not know is a mistake to correct, not an exchange that is away.
      const exchange = await openExchange(settings);
      try {
        const asked = exchange.has["fetchTime"] === true ? exchange.fetchTime() : exchange.fetchStatus();
        const answer = await orAbort(asked, signal);
        return answerFinding(answer, http.lastLatencyMs, clock.nowUs() / 1000);
      } catch (error) {
        const { reason } = classifyError(error);
        return warning(
          `does not answer as it should: ${reason}`,
          "check network, proxy and whether the exchange serves this country; without it the exchange shows as disconnected",
        );
      } finally {
        await exchange.close();
        await http.close();
      }
    },
  };
}

/** `answer` is the exchange's time in ms, where it tells it. */
function answerFinding(answer: unknown, latencyMs: number | undefined, nowMs: number): Finding {
  const latency = `answers in ${(latencyMs ?? 0).toFixed(0)} ms`;
  if (typeof answer !== "number") return ok(latency);
  const skewMs = answer + (latencyMs ?? 0) / 2 - nowMs;
  if (Math.abs(skewMs) <= SKEW_MS) return ok(latency);
  return warning(
    `${latency}, but its clock is ${(skewMs / 1000).toFixed(1)} s from ours`,
    "keep this machine's clock with a time service (timedatectl set-ntp true)",
  );
}

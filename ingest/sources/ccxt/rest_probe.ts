// A cheap question to the exchange: is it there, how long does an answer take, how far is its clock from ours? Asked
// for each connectivity sample, and every few seconds while the exchange is away, so that its return is noticed soon.
// Probes are no fetches: they leave no row there.
import type { Clock } from "../../clock.ts";
import type { CcxtExchange } from "./ccxt_exchange.ts";
import { classifyError, MalformedResponse } from "./classify_error.ts";
import type { ExchangeHttp, HttpObservation } from "./http.ts";
import { orAbort } from "./or_abort.ts";
import type { RestHealth } from "./rest_health.ts";
import { finite } from "./rows.ts";

export interface ProbeResult {
  /** From the request's departure to the head of its answer: waiting for the rate limiter is not in it. */
  readonly latencyMs?: number | undefined;
  /** The exchange's clock minus ours, seen from the middle of the round trip. */
  readonly clockSkewMs?: number | undefined;
}

const CALL = "probe";

/** Pauses between probes while the exchange is away. */
const AWAY_FIRST_MS = 1_000;
const AWAY_MAX_MS = 3_000;

export interface ProbeContext {
  readonly ccxt: CcxtExchange;
  readonly http: ExchangeHttp;
  readonly health: RestHealth;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export class RestProbe {
  readonly #context: ProbeContext;
  readonly #method: "fetchTime" | "fetchStatus" | undefined;
  #underWay: Promise<ProbeResult> | undefined;
  #woken: (() => void) | undefined;

  constructor(context: ProbeContext) {
    this.#context = context;
    const { has } = context.ccxt;
    if (has["fetchTime"] === true) this.#method = "fetchTime";
    else if (has["fetchStatus"] === true) this.#method = "fetchStatus";
    context.health.onOutage(() => this.suspect());
  }

  /** False where CCXT has neither method: the state then follows from the fetches alone. */
  get possible(): boolean {
    return this.#method !== undefined;
  }

  /**
   * Asks, or joins the probe under way. Never rejects; an empty result when the exchange did not answer, must not be
   * asked now, or can't be.
   */
  probe(): Promise<ProbeResult> {
    const method = this.#method;
    const { health, signal } = this.#context;
    if (method === undefined || health.pauseMs > 0 || signal.aborted) return Promise.resolve({});
    this.#underWay ??= this.#ask(method).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Something looks wrong (a stream broke off): look at once instead of waiting for the next sample. */
  suspect(): void {
    this.#woken?.();
  }

  /** Probes while the exchange is away. Resolves when the signal aborts. */
  async watchOutages(): Promise<void> {
    const { health, clock, signal } = this.#context;
    if (!this.possible) return;
    while (!signal.aborted) {
      await this.#untilSuspected();
      let pauseMs = AWAY_FIRST_MS;
      do {
        await this.probe();
        if (health.disconnected) await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, AWAY_MAX_MS);
      } while (health.disconnected && !signal.aborted);
    }
  }

  async #ask(method: "fetchTime" | "fetchStatus"): Promise<ProbeResult> {
    const { ccxt, http, health, signal } = this.#context;
    const seen: HttpObservation = {};
    const answersBefore = http.answers;
    try {
      const answer = await orAbort(
        http.observe(seen, () => ccxt[method]()),
        signal,
      );
      const serverMs = method === "fetchTime" ? finite(answer) : undefined;
      if (method === "fetchTime" && serverMs === undefined)
        throw new MalformedResponse("no time in the answer");
      health.succeeded(CALL);
      return { latencyMs: seen.latencyMs, clockSkewMs: skewMs(serverMs, seen) };
    } catch (error) {
      if (signal.aborted) return {};
      const failure = classifyError(error);
      // Slow, but others were answered meanwhile: no outage.
      const merelySlow = failure.kind === "timeout" && http.answers > answersBefore;
      if (!merelySlow) health.failed(CALL, failure, seen.retryAfterMs);
      return {};
    }
  }

  async #untilSuspected(): Promise<void> {
    const { health, signal } = this.#context;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#woken = undefined;
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#woken = wake;
      signal.addEventListener("abort", wake, { once: true });
      if (health.disconnected || signal.aborted) wake();
    });
  }
}

function skewMs(serverMs: number | undefined, { sentUs, latencyMs }: HttpObservation): number | undefined {
  if (serverMs === undefined || sentUs === undefined || latencyMs === undefined) return undefined;
  return serverMs - (sentUs / 1000 + latencyMs / 2);
}

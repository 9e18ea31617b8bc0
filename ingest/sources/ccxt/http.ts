// The HTTP client that CCXT uses (its `fetchImplementation`): one undici agent per exchange and run. It is ours, so that
// every answer is timed, its status and headers are known to the call that caused it, a body that never ends is cut
// off, and everything under way ends at once when the run stops. Knows nothing of exchanges.
import { AsyncLocalStorage } from "node:async_hooks";
import { Agent, type Headers, fetch as undiciFetch } from "undici";
import type { Clock } from "../../clock.ts";

/** What one logical call saw of its last HTTP exchange. Filled in while the call runs. */
export interface HttpObservation {
  status?: number;
  /** When the last request left, wall clock. */
  sentUs?: number;
  /** From there to the head of the answer; the wait for CCXT's rate limiter is not in it. */
  latencyMs?: number;
  /** What `Retry-After` asked for. */
  retryAfterMs?: number;
}

/** What CCXT hands over. */
interface CcxtRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** What CCXT reads of an answer. */
interface CcxtAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  text(): Promise<string>;
}

export interface ExchangeHttp {
  /** For CCXT's `fetchImplementation`. */
  readonly fetchImplementation: (url: string, request: CcxtRequest) => Promise<CcxtAnswer>;
  /** Answers of any status so far. */
  readonly answers: number;
  /** Latency of the last answer, whoever asked. */
  readonly lastLatencyMs: number | undefined;
  /** Header of the last answer. */
  lastHeader(name: string): string | undefined;
  /** Runs a call; requests that it causes, however deep inside CCXT, are noted in the observation. */
  observe<T>(into: HttpObservation, call: () => Promise<T>): Promise<T>;
  /** Cuts every connection. */
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly clock: Clock;
  /** For a whole answer, body included. */
  readonly timeoutMs: number;
  /** Ends every request under way, and any that CCXT still tries afterwards. */
  readonly signal: AbortSignal;
  /** Called for each answer. */
  readonly onAnswer: () => void;
}

/** CCXT's class of that name stands for the same; the name is what we and CCXT's users see. */
class BodyError extends Error {
  override readonly name: "NetworkError" | "RequestTimeout";

  constructor(name: "NetworkError" | "RequestTimeout", message: string, cause: unknown) {
    super(message, { cause });
    this.name = name;
  }
}

export function createHttp({ clock, timeoutMs, signal, onAnswer }: HttpOptions): ExchangeHttp {
  const agent = new Agent({ connect: { timeout: timeoutMs }, keepAliveTimeout: 60_000 });
  const observations = new AsyncLocalStorage<HttpObservation>();
  let answers = 0;
  let lastLatencyMs: number | undefined;
  let lastHeaders: Headers | undefined;

  async function request(url: string, { method, headers, body, signal: ccxtSignal }: CcxtRequest) {
    const deadline = linkedDeadline([ccxtSignal, signal], timeoutMs);
    const seen = observations.getStore();
    const sentMs = clock.monotonicMs();
    if (seen) seen.sentUs = clock.nowUs();
    try {
      const response = await undiciFetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal: deadline.signal,
        dispatcher: agent,
        redirect: "error",
      });
      answers += 1;
      lastHeaders = response.headers;
      lastLatencyMs = clock.monotonicMs() - sentMs;
      if (seen) note(seen, response.status, lastLatencyMs, response.headers);
      onAnswer();
      const text = () => bodyOf(response, url, deadline);
      return { status: response.status, statusText: response.statusText, headers: response.headers, text };
    } catch (error) {
      deadline.end();
      throw error;
    }
  }

  return {
    fetchImplementation: request,
    get answers() {
      return answers;
    },
    get lastLatencyMs() {
      return lastLatencyMs;
    },
    lastHeader: (name) => lastHeaders?.get(name) ?? undefined,
    observe: (into, call) => observations.run(into, call),
    close: () => agent.destroy(),
  };
}

/** CCXT stops its own timer when the head of an answer is there; a body that never ends would hold the call for ever. */
async function bodyOf(
  response: { text(): Promise<string> },
  url: string,
  deadline: Deadline,
): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    if (deadline.expired) throw new BodyError("RequestTimeout", `the answer of ${url} did not end`, cause);
    throw new BodyError("NetworkError", `the answer of ${url} broke off`, cause);
  } finally {
    deadline.end();
  }
}

function note(into: HttpObservation, status: number, latencyMs: number, headers: Headers): void {
  into.status = status;
  into.latencyMs = latencyMs;
  const retryAfter = headers.get("retry-after");
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  if (seconds >= 0) into.retryAfterMs = seconds * 1000;
}

interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the time ran out. */
  readonly expired: boolean;
  end(): void;
}

/** AbortSignal.any() would leave a listener on the run's signal for each request on Node 20. */
function linkedDeadline(signals: readonly AbortSignal[], timeoutMs: number): Deadline {
  const controller = new AbortController();
  let expired = false;
  const abort = () => controller.abort();
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, timeoutMs);
  for (const signal of signals) {
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  }
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    end() {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}

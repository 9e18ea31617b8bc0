// Answers the venues' REST requests, or spoils the answer as the ruling fault says. Owns the REST connections, so
// that they can be cut. What an endpoint says is the venue API's business.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../../clock.ts";
import type { LastingFault } from "./fault.ts";
import type { ActiveFault, FaultBoard } from "./fault_board.ts";
import type { VenueId } from "./instruments.ts";
import type { RandomStream } from "./random.ts";
import { cutShort, wrongTypes } from "./spoil.ts";
import type { Traffic } from "./traffic.ts";
import type { RestAnswer, VenueApi } from "./venue_api.ts";

export interface RestSideOptions {
  readonly board: FaultBoard;
  readonly traffic: Traffic;
  readonly clock: Clock;
  /** Typical time to an answer; single answers take between half and twice of it. */
  readonly latencyMs: number;
  readonly random: RandomStream;
  /** Aborts when the simulator stops. */
  readonly stopping: AbortSignal;
}

export class RestSide {
  readonly #options: RestSideOptions;
  readonly #venueOf = new Map<Socket, VenueId>();

  constructor(options: RestSideOptions) {
    this.#options = options;
  }

  /** Never rejects: a client that went away in between is no error here. */
  async answer(
    api: VenueApi,
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { board, traffic } = this.#options;
    this.#own(request.socket, api.id);
    const fault = board.take(api.id, "rest");
    if (fault !== null) traffic.add(api.id, "faulted");
    traffic.request(api.id, api.endpoints.has(path) ? path : "other");
    const spec = fault?.spec ?? null;
    if (spec?.fault === "away") {
      request.socket.resetAndDestroy();
      return;
    }
    await this.#wait(fault);
    // The venue's clock is read after the wait: what is held is the request, not a finished answer.
    const nowMs = Math.floor(this.#options.clock.nowUs() / 1_000);
    const common = api.commonHeaders(path, query, nowMs);
    const answer = answerOf(api, path, query, nowMs, spec);
    const headers = { ...common, ...answer.headers, ...(spec?.fault === "status" ? spec.headers : {}) };
    if (spec?.fault === "stall" && spec.phase === "body") {
      const otherHalf = sendHalf(response, answer, headers);
      await fault?.ended;
      response.end(otherHalf);
    } else if (spec?.fault === "cut_body") {
      sendHalf(response, answer, headers);
      // The half must have left before the reset, which throws away what is still queued.
      await new Promise((resolve) => setImmediate(resolve));
      request.socket.resetAndDestroy();
    } else {
      send(response, answer, headers, spec?.fault === "malformed_json" ? cutShort : asItIs);
    }
  }

  /** Holds the request for as long as the fault and the usual latency ask. */
  async #wait(fault: ActiveFault | null): Promise<void> {
    const { clock, latencyMs, random, stopping } = this.#options;
    const spec = fault?.spec ?? null;
    if (spec?.fault === "stall" && spec.phase === "answer") await fault?.ended;
    if (spec?.fault === "slow") await clock.sleep(spec.delayMs, stopping);
    if (latencyMs > 0) await clock.sleep(latencyMs * 2 ** (2 * random.next() - 1), stopping);
  }

  /** Resets every open REST connection; of one venue if named. */
  cut(venue: VenueId | undefined): void {
    for (const [socket, of] of [...this.#venueOf]) {
      if (venue === undefined || of === venue) socket.resetAndDestroy();
    }
  }

  #own(socket: Socket, venue: VenueId): void {
    if (!this.#venueOf.has(socket)) socket.once("close", () => this.#venueOf.delete(socket));
    this.#venueOf.set(socket, venue);
  }
}

function answerOf(
  api: VenueApi,
  path: string,
  query: URLSearchParams,
  nowMs: number,
  spec: LastingFault | null,
): RestAnswer {
  if (spec?.fault === "status") return api.refusal(spec.status, spec.retryAfterS, nowMs);
  const answer = api.endpoints.get(path)?.(query, nowMs) ?? api.refusal(404, 0, nowMs);
  return spec?.fault === "wrong_types" ? { ...answer, body: wrongTypes(answer.body) } : answer;
}

function send(
  response: ServerResponse,
  answer: RestAnswer,
  headers: Readonly<Record<string, string>>,
  spoil: (text: string) => string,
): void {
  response.writeHead(answer.status, { "Content-Type": "application/json", ...headers });
  response.end(spoil(textOf(answer)));
}

function asItIs(text: string): string {
  return text;
}

/** Sends the head and half of the body under the whole body's length; returns the other half. */
function sendHalf(
  response: ServerResponse,
  answer: RestAnswer,
  headers: Readonly<Record<string, string>>,
): Buffer {
  const body = Buffer.from(textOf(answer));
  const half = Math.ceil(body.length / 2);
  const head = { "Content-Type": "application/json", ...headers, "Content-Length": String(body.length) };
  response.writeHead(answer.status, head);
  response.write(body.subarray(0, half));
  return body.subarray(half);
}

function textOf({ body }: RestAnswer): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

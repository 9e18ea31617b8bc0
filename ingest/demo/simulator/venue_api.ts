// What a venue's imitation has to answer. Pure: a request or a message in, text out; sockets, faults and time
// are the servers' business. One implementation per venue.

import type { VenueId } from "./instruments.ts";
import type { Liquidation } from "./liquidation_feed.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A string is sent as it is (a gateway's HTML page), anything else as JSON. */
  readonly body: Json;
}

export type Endpoint = (query: URLSearchParams, nowMs: number) => RestAnswer;

/** One client's WebSocket: what it subscribed to, and how the venue talks about it. */
export interface StreamSession {
  /** The venue's replies to a client's message. */
  receive(text: string): readonly Json[];
  /** The messages that this client gets for liquidations of one instrument: none when it didn't subscribe. */
  announce(group: readonly Liquidation[], nowMs: number): readonly Json[];
}

export interface VenueApi {
  readonly id: VenueId;
  /** By path, without the venue's prefix. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** How this venue words a refusal; also for an endpoint that does not exist (404). */
  refusal(status: number, retryAfterS: number, nowMs: number): RestAnswer;
  /** Headers that every answer carries. Called once per request: the venue counts. */
  commonHeaders(path: string, query: URLSearchParams, nowMs: number): Readonly<Record<string, string>>;
  hasStream(path: string): boolean;
  openStream(): StreamSession;
}

/** What a client sent, or `undefined` when it isn't JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a gateway or a firewall before the venue says: a page, not JSON. */
export function gatewayPage(status: number, headers: Readonly<Record<string, string>>): RestAnswer {
  const title = `${status} from the gateway`;
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status, headers: { ...headers, "Content-Type": "text/html" }, body };
}

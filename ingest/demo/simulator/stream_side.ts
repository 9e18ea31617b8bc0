// Serves the venues' WebSockets: handshakes, the clients' messages, pings, and liquidations to whoever subscribed;
// or spoils all that as the ruling fault says. What a message says is the venue API's business.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../clock.ts";
import type { FaultBoard } from "./fault_board.ts";
import type { VenueId } from "./instruments.ts";
import type { Liquidation } from "./liquidation_feed.ts";
import { cutShort, wrongTypes } from "./spoil.ts";
import type { Traffic } from "./traffic.ts";
import type { Json, StreamSession, VenueApi } from "./venue_api.ts";

const CLIENT_MESSAGE_BYTES_MAX = 64 * 1024;

export interface StreamSideOptions {
  readonly board: FaultBoard;
  readonly traffic: Traffic;
  readonly clock: Clock;
  /** Aborts when the simulator stops. */
  readonly stopping: AbortSignal;
}

interface Client {
  readonly venue: VenueId;
  readonly socket: WebSocket;
  readonly session: StreamSession;
}

export class StreamSide {
  readonly #options: StreamSideOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    autoPong: false,
    clientTracking: false,
    maxPayload: CLIENT_MESSAGE_BYTES_MAX,
  });
  readonly #clients = new Set<Client>();

  constructor(options: StreamSideOptions) {
    this.#options = options;
  }

  /** A client's handshake on one of the venue's stream paths. Never rejects. */
  async accept(api: VenueApi, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { board, traffic, clock, stopping } = this.#options;
    const fault = board.take(api.id, "ws");
    const spec = fault?.spec ?? null;
    if (spec?.fault === "away") {
      traffic.add(api.id, "faulted");
      socket.destroy();
      return;
    }
    if (spec?.fault === "status") {
      traffic.add(api.id, "faulted");
      refuseHandshake(socket, spec.status);
      return;
    }
    if (spec?.fault === "stall") {
      traffic.add(api.id, "faulted");
      await fault?.ended;
    }
    if (spec?.fault === "slow") await clock.sleep(spec.delayMs, stopping);
    // Once the simulator stops nobody would close a connection that opens now.
    if (stopping.aborted) socket.destroy();
    if (socket.destroyed) return;
    this.#server.handleUpgrade(request, socket, head, (opened) => this.#welcome(api, opened));
  }

  /** Sends liquidations of one instrument to the clients that subscribed to them. */
  deliver(venue: VenueId, group: readonly Liquidation[]): void {
    const { traffic, clock } = this.#options;
    traffic.add(venue, "liquidations", group.length);
    const nowMs = Math.floor(clock.nowUs() / 1_000);
    for (const client of this.#clients) {
      if (client.venue !== venue) continue;
      const messages = client.session.announce(group, nowMs);
      const each = messages.length === 0 ? 0 : group.length / messages.length;
      for (const message of messages) this.#sendData(client, message, each);
    }
  }

  /** Cuts every open WebSocket (the client sees 1006), or ends them with a close code; of one venue if named. */
  cut(venue: VenueId | undefined, closeCode?: number): void {
    for (const client of [...this.#clients]) {
      if (venue !== undefined && client.venue !== venue) continue;
      if (closeCode === undefined) client.socket.terminate();
      else client.socket.close(closeCode);
    }
  }

  #welcome(api: VenueApi, socket: WebSocket): void {
    const { traffic } = this.#options;
    const client: Client = { venue: api.id, socket, session: api.openStream() };
    this.#clients.add(client);
    traffic.add(api.id, "wsOpen");
    traffic.add(api.id, "wsOpenedTotal");
    socket.on("message", (data) => this.#receive(client, data));
    socket.on("ping", (payload) => {
      if (this.#rules(client) !== "stall") this.#later(client, () => socket.pong(payload));
    });
    // The close that follows says everything; without a listener the error would end the process.
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#clients.delete(client);
      traffic.add(api.id, "wsOpen", -1);
    });
  }

  #receive(client: Client, data: RawData): void {
    if (this.#rules(client) === "stall") return;
    const text = Buffer.isBuffer(data) ? data.toString("utf8") : "";
    for (const reply of client.session.receive(text)) {
      this.#later(client, () => client.socket.send(textOf(reply)));
    }
  }

  #sendData(client: Client, message: Json, liquidations: number): void {
    const { board, traffic } = this.#options;
    const spec = board.peek(client.venue, "ws")?.spec ?? null;
    if (spec?.fault === "silence" || spec?.fault === "stall") {
      traffic.add(client.venue, "faulted");
      return;
    }
    let text = textOf(message);
    if (spec?.fault === "malformed_json" || spec?.fault === "wrong_types") {
      board.take(client.venue, "ws");
      traffic.add(client.venue, "faulted");
      text = spec.fault === "malformed_json" ? cutShort(text) : textOf(wrongTypes(message));
    } else {
      traffic.add(client.venue, "liquidationsSent", liquidations);
    }
    traffic.add(client.venue, "wsMessagesSent");
    this.#later(client, () => client.socket.send(text));
  }

  /** At once, or after the delay of a `slow` fault; all of a client's messages keep their order. */
  #later(client: Client, act: () => void): void {
    const { board, clock, stopping } = this.#options;
    const spec = board.peek(client.venue, "ws")?.spec ?? null;
    const ifOpen = () => {
      if (client.socket.readyState === WebSocket.OPEN) act();
    };
    if (spec?.fault === "slow") void clock.sleep(spec.delayMs, stopping).then(ifOpen);
    else ifOpen();
  }

  #rules(client: Client): string | null {
    return this.#options.board.peek(client.venue, "ws")?.spec.fault ?? null;
  }
}

/** Answers a handshake with a plain HTTP status and ends the connection. */
export function refuseHandshake(socket: Duplex, status: number): void {
  const head = [`HTTP/1.1 ${status} Refused`, "Connection: close", "Content-Length: 0", "", ""].join("\r\n");
  // Without the destroy the client decides when the connection goes, and with it when the server can stop.
  socket.end(head, () => socket.destroy());
}

/** `pong` and the like are bare words on the wire, everything else is JSON. */
function textOf(message: Json): string {
  return typeof message === "string" ? message : JSON.stringify(message);
}

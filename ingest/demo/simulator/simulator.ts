// The exchange simulator: one HTTP and WebSocket server on which the real CCXT classes `binanceusdm` and `okx` find
// their venue, and which can be told to fail in every way that venues fail. For tests and the demo. This file
// builds and connects the parts; it is the only one that others import (besides process.ts).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../../clock.ts";
import { messageOf, TickwatchError } from "../../errors.ts";
import { BinanceusdmApi } from "./binanceusdm_api.ts";
import { answerControl, parseFault } from "./control.ts";
import type { Fault, FaultInput } from "./fault.ts";
import { FaultBoard } from "./fault_board.ts";
import { VENUE_IDS, type VenueId } from "./instruments.ts";
import { LiquidationFeed } from "./liquidation_feed.ts";
import { MarketModel } from "./market_model.ts";
import { OkxApi } from "./okx_api.ts";
import { RandomStream } from "./random.ts";
import { RestSide } from "./rest_side.ts";
import { refuseHandshake, StreamSide } from "./stream_side.ts";
import { type SimulatorStats, Traffic } from "./traffic.ts";
import type { VenueApi } from "./venue_api.ts";

export type { FaultInput } from "./fault.ts";
export type { VenueId } from "./instruments.ts";
export { simulatorUrlOverrides } from "./url_overrides.ts";

export interface SimulatorOptions {
  /** 0 (the default) takes a free port. */
  readonly port?: number;
  readonly host?: "127.0.0.1" | "::1";
  /** The same seed gives the same market, second by second after the start, and the same liquidations in turn. */
  readonly seed?: number;
  /** Per venue, over all symbols, at random times. 0 for none but bursts. Default 30. */
  readonly liquidationsPerMinute?: number;
  /** Typical time to a REST answer, varied from answer to answer. Default 0: at once. */
  readonly latencyMs?: number;
  readonly clock?: Clock;
}

export interface ExchangeSimulator {
  /** `http://127.0.0.1:<port>`; for `simulatorUrlOverrides` and for `GET` and `POST <url>/control`. */
  readonly url: string;
  readonly port: number;
  readonly venues: readonly VenueId[];
  /**
   * Sets a fault, does a one-off (drop, burst) or clears; the shapes are in fault.ts. Resolves when it is in force;
   * for a burst when the last liquidation was sent. Rejects with the mistakes in words when the fault is ill-formed.
   */
  control(fault: FaultInput): Promise<void>;
  stats(): SimulatorStats;
  /** Cuts every connection and frees the port. Afterwards nothing of the simulator keeps the process alive. */
  stop(): Promise<void>;
}

/** Starts the simulator; rejects with `ENVIRONMENT` when the port can't be had. */
export async function startExchangeSimulator(options: SimulatorOptions = {}): Promise<ExchangeSimulator> {
  const simulator = new Simulator(options);
  await simulator.listen(options.port ?? 0);
  return simulator;
}

class Simulator implements ExchangeSimulator {
  readonly venues = VENUE_IDS;
  readonly #host: string;
  readonly #server: Server;
  readonly #apis: Readonly<Record<VenueId, VenueApi>>;
  readonly #feeds: Readonly<Record<VenueId, LiquidationFeed>>;
  readonly #board: FaultBoard;
  readonly #traffic = new Traffic();
  readonly #rest: RestSide;
  readonly #streams: StreamSide;
  readonly #stopping = new AbortController();
  readonly #liquidationsPerMinute: number;
  #running: readonly Promise<void>[] = [];
  #port = 0;

  constructor({
    host = "127.0.0.1",
    seed = 1,
    liquidationsPerMinute = 30,
    latencyMs = 0,
    clock = systemClock(),
  }: SimulatorOptions) {
    this.#host = host;
    this.#liquidationsPerMinute = liquidationsPerMinute;
    const market = new MarketModel(seed, Math.floor(clock.nowUs() / 1_000));
    const stopping = this.#stopping.signal;
    this.#board = new FaultBoard(clock);
    const shared = { board: this.#board, traffic: this.#traffic, clock, stopping };
    this.#rest = new RestSide({ ...shared, latencyMs, random: new RandomStream(seed, "latency") });
    this.#streams = new StreamSide(shared);
    this.#apis = { binanceusdm: new BinanceusdmApi(market), okx: new OkxApi(market) };
    const feed = (venue: VenueId) =>
      new LiquidationFeed(venue, seed, market, clock, (group) => this.#streams.deliver(venue, group));
    this.#feeds = { binanceusdm: feed("binanceusdm"), okx: feed("okx") };
    this.#server = createServer((request, response) => this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.#host.includes(":") ? `[${this.#host}]` : this.#host}:${this.#port}`;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) => {
        const message = `The exchange simulator can't listen on ${this.#host}:${port}: ${messageOf(cause)}. Choose another port, or 0 for a free one.`;
        reject(new TickwatchError("ENVIRONMENT", message, { cause }));
      });
      this.#server.listen(port, this.#host, resolve);
    });
    const address = this.#server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : port;
    this.#running = VENUE_IDS.map((venue) =>
      this.#feeds[venue].run(this.#liquidationsPerMinute, this.#stopping.signal),
    );
  }

  async control(input: FaultInput): Promise<void> {
    await this.#apply(parseFault(input));
  }

  stats(): SimulatorStats {
    return this.#traffic.stats();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#board.clear(undefined);
    this.#streams.cut(undefined);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await Promise.all([closed, ...this.#running]);
  }

  async #apply(fault: Fault): Promise<void> {
    const { venue } = fault;
    if (fault.fault === "clear") return this.#board.clear(venue);
    if (fault.fault === "burst") {
      const venues = venue === undefined ? VENUE_IDS : [venue];
      await Promise.all(venues.map((v) => this.#feeds[v].burst(fault, this.#stopping.signal)));
      return;
    }
    if (fault.fault !== "drop") this.#board.set(fault);
    if (fault.fault !== "drop" && fault.fault !== "away") return;
    if (fault.channel !== "ws") this.#rest.cut(venue);
    if (fault.channel !== "rest")
      this.#streams.cut(venue, fault.fault === "drop" ? fault.closeCode : undefined);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, query, api, path } = this.#target(request);
    if (pathname === "/control") {
      const state = () => ({ url: this.url, faults: this.#board.lines(), stats: this.stats() });
      void answerControl(request, response, (fault) => this.#apply(fault), state);
    } else if (api === null) {
      response.writeHead(404, { "Content-Type": "text/plain" });
      response.end(
        `There is /control, and a venue each under ${VENUE_IDS.map((v) => `/${v}`).join(" and ")}.\n`,
      );
    } else {
      void this.#rest.answer(api, path, query, request, response);
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that resets during its handshake is no error here.
    socket.on("error", () => {});
    const { api, path } = this.#target(request);
    if (api?.hasStream(path)) void this.#streams.accept(api, request, socket, head);
    else refuseHandshake(socket, 404);
  }

  /** Not through `new URL`: that throws on some request targets. */
  #target(request: IncomingMessage): Target {
    const [pathname = "/", query = ""] = (request.url ?? "/").split("?", 2);
    const [, first = ""] = pathname.split("/", 2);
    const venue = VENUE_IDS.find((id) => id === first);
    const api = venue === undefined ? null : this.#apis[venue];
    return { pathname, query: new URLSearchParams(query), api, path: pathname.slice(first.length + 1) };
  }
}

interface Target {
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly api: VenueApi | null;
  /** Without the venue's prefix. */
  readonly path: string;
}

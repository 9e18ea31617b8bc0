// A TCP proxy in front of QuestDB's HTTP port that does what networks and broken servers do. One fault at a time,
// switchable while connections are open. It knows just enough of HTTP to tell where a request and an answer end.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Fault, falseAnswer, MALFORMED, type MalformedAnswer, NO_FAULT } from "./fault_kinds.ts";
import { Wire } from "./fault_wire.ts";
import { until } from "./questdb_until.ts";

export interface FaultProxy {
  /** Base address, the same under every fault. */
  readonly url: string;
  readonly fault: Fault;
  /** From now on requests meet this fault; `refuse`, `reset` and `stall` also concern connections that are open. */
  set(fault: Fault): Promise<void>;
  /** How often a request (or, where nobody listens to it, a connection) has met the present fault. */
  readonly hits: number;
  /** Resolves when the present fault was met so often. A refused connection is not seen, so `refuse` has no hits. */
  hit(times?: number): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and hands on to `target`, the base address of an HTTP server. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const proxy = new TcpProxy(new URL(target));
  await proxy.listen(0);
  return proxy;
}

class TcpProxy implements FaultProxy {
  readonly #target: URL;
  readonly #wires = new Set<Wire>();
  #server: Server | undefined;
  #port = 0;
  #fault: Fault = NO_FAULT;
  #hits = 0;
  /** Waiting while connections are stalled. */
  #flowing: PromiseWithResolvers | undefined;
  /** Requests that the server is to get after another one. */
  #late: Buffer[] = [];
  #closed = false;

  constructor(target: URL) {
    this.#target = target;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get fault(): Fault {
    return this.#fault;
  }

  get hits(): number {
    return this.#hits;
  }

  async hit(times = 1): Promise<void> {
    const { kind } = this.#fault;
    await until(`the fault "${kind}" to be met ${times} times`, () => this.#hits >= times, 60_000);
  }

  async set(fault: Fault): Promise<void> {
    const wasStalled = this.#flowing !== undefined;
    this.#fault = fault;
    this.#hits = 0;
    if (fault.kind === "refuse") this.#stopListening();
    // A stall ends with a cut: what is handed on long after its time is the fault "late".
    if (wasStalled || fault.kind === "refuse" || fault.kind === "reset") this.#cut();
    this.#flowing?.resolve();
    this.#flowing = fault.kind === "stall" ? promiseWithResolvers() : undefined;
    if (fault.kind !== "refuse" && this.#server === undefined) await this.listen(this.#port);
  }

  async listen(port: number): Promise<void> {
    // Our own port, which another socket may hold for a moment.
    await until("the proxy's port", async () => {
      const server = createServer({ pauseOnConnect: false }, (socket) => void this.#serve(socket));
      const listening = await Promise.race([
        once(server, "listening").then(() => true),
        new Promise<boolean>((resolve) => server.once("error", () => resolve(false))),
        new Promise<never>(() => server.listen(port, "127.0.0.1")),
      ]);
      const address = server.address();
      if (!listening || address === null || typeof address === "string") return false;
      this.#server = server;
      this.#port = address.port;
      return true;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    const open = [...this.#wires];
    this.#cut();
    this.#flowing?.resolve();
    await Promise.all(open.map((wire) => wire.gone()));
  }

  #cut(): void {
    for (const wire of this.#wires) wire.reset();
  }

  #stopListening(): void {
    const server = this.#server;
    this.#server = undefined;
    // Not awaited: it ends with its last connection, and they are cut afterwards.
    server?.close();
  }

  #wire(socket: Socket): Wire {
    const wire = new Wire(socket);
    this.#wires.add(wire);
    socket.once("close", () => this.#wires.delete(wire));
    return wire;
  }

  async #serve(socket: Socket): Promise<void> {
    const client = this.#wire(socket);
    if (this.#fault.kind === "reset" || this.#fault.kind === "refuse") {
      this.#hits += 1;
      client.reset();
      return;
    }
    let server: Wire | undefined;
    const upstream = () => {
      if (server?.isOpen) return server;
      const port = Number(this.#target.port);
      server = this.#wire(connect({ host: this.#target.hostname, port }));
      return server;
    };
    while (client.isOpen && !this.#closed) {
      const head = await client.readHead();
      if (head === undefined) break;
      await this.#exchange(client, head, upstream);
    }
    client.socket.destroy();
    server?.socket.destroy();
  }

  /** One request and what becomes of it, under the fault that holds when its headers have come. */
  async #exchange(client: Wire, head: Buffer, upstream: () => Wire): Promise<void> {
    const fault = this.#fault;
    if (fault.kind !== "none") this.#hits += 1;
    switch (fault.kind) {
      case "answer":
        await discard(client.body(head));
        await client.write(falseAnswer(fault.status));
        return;
      case "stumble":
        await this.#stumble(client, head, upstream(), fault);
        return;
      case "malformed":
        await this.#answerBadly(client, head, upstream, MALFORMED[fault.form]);
        return;
      case "late":
        await this.#keepForLater(client, head);
        return;
      case "refuse":
      case "reset":
        client.reset();
        return;
      default:
        await this.#handOn(client, head, upstream(), fault);
    }
  }

  async #handOn(client: Wire, head: Buffer, server: Wire, fault: Fault): Promise<void> {
    const handed = await this.#handOnRequest(client, head, server, fault);
    if (!handed) {
      client.reset();
      server.reset();
      return;
    }
    const answer = await server.readHead();
    if (answer === undefined) {
      client.reset();
      return;
    }
    if (fault.kind === "swallow_answer") {
      await discard(server.body(answer));
      client.reset();
      return;
    }
    if (fault.kind === "delay") await delay(fault.ms);
    await this.#sendLate();
    await this.#flowing?.promise;
    await client.write(answer);
    for await (const piece of server.body(answer)) {
      await this.#flowing?.promise;
      await client.write(piece);
    }
  }

  /** False when the fault, or the client, ended it before it was complete. */
  async #handOnRequest(client: Wire, head: Buffer, server: Wire, fault: Fault): Promise<boolean> {
    let left = fault.kind === "reset_after" ? fault.bytes : Number.POSITIVE_INFINITY;
    let due = Number(/^content-length:\s*(\d+)/im.exec(head.toString("latin1"))?.[1] ?? 0);
    for await (const piece of joined(head, client.body(head))) {
      if (piece !== head) due -= piece.length;
      for (const slice of fault.kind === "throttle" ? slices(piece, fault.bytesPerSecond / 20) : [piece]) {
        await this.#flowing?.promise;
        if (!client.isOpen) return false;
        await server.write(slice.subarray(0, left));
        left -= slice.length;
        if (left < 0) return false;
        if (fault.kind === "throttle") await delay(50);
      }
    }
    return due <= 0;
  }

  async #answerBadly(
    client: Wire,
    head: Buffer,
    upstream: () => Wire,
    { handedOn, bytes, ending }: MalformedAnswer,
  ): Promise<void> {
    if (handedOn) {
      const server = upstream();
      const complete = await this.#handOnRequest(client, head, server, NO_FAULT);
      const answer = complete ? await server.readHead() : undefined;
      // What the server refuses must not be confirmed.
      if (answer === undefined || !answer.toString("latin1").startsWith("HTTP/1.1 204")) {
        client.reset();
        server.reset();
        return;
      }
    } else {
      await discard(client.body(head));
    }
    await client.write(Buffer.from(bytes, "latin1"));
    for (let line = 0; ending === "endless" && client.isOpen && !this.#closed; line++) {
      await client.write(`X-Header-${line}: ${"x".repeat(200)}\r\n`);
      await delay(1);
    }
    if (ending === "cut") client.socket.end();
  }

  async #stumble(
    client: Wire,
    head: Buffer,
    server: Wire,
    { text, status }: Extract<Fault, { kind: "stumble" }>,
  ): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of client.body(head)) pieces.push(piece);
    const body = Buffer.concat(pieces);
    if (body.includes(text)) {
      await client.write(falseAnswer(status));
      return;
    }
    client.unread(body);
    await this.#handOn(client, head, server, NO_FAULT);
  }

  async #keepForLater(client: Wire, head: Buffer): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of joined(head, client.body(head))) pieces.push(piece);
    await client.gone();
    this.#late.push(Buffer.concat(pieces));
  }

  /** As a server does that was held up: the old request, whose client is long gone, after its successor. */
  async #sendLate(): Promise<void> {
    const { hostname: host, port } = this.#target;
    for (const request of this.#late.splice(0)) {
      const server = this.#wire(connect({ host, port: Number(port) }));
      await server.write(request);
      await server.readHead();
      server.socket.destroy();
    }
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((yes) => (resolve = yes));
  return { promise, resolve };
}

async function discard(pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of pieces);
}

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function slices(bytes: Buffer, sliceBytes: number): Buffer[] {
  const size = Math.max(1, Math.floor(sliceBytes));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

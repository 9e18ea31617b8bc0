// One side of a connection, read and written with await, and the little of HTTP/1.1 that a proxy has to know: where a
// message ends. Bytes are taken in as they come, so that the end of the connection is seen as soon as it comes, too.
import { once } from "node:events";
import type { Socket } from "node:net";

export class Wire {
  readonly socket: Socket;
  readonly #unread: Buffer[] = [];
  #ended = false;
  #wake = (): void => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined); // a cut connection is what this is for
    socket.on("data", (bytes: Buffer) => {
      this.#unread.push(bytes);
      this.#wake();
    });
    for (const event of ["end", "close"]) {
      socket.once(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** The other side is there; what it has sent before it went can still be read. */
  get isOpen(): boolean {
    return !this.#ended;
  }

  /** The next bytes, or undefined at the end of the connection, however it came. */
  async read(): Promise<Buffer | undefined> {
    while (this.#unread.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#unread.shift();
  }

  /** Gives back bytes that were read too much. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#unread.unshift(bytes);
  }

  /** Resolves when the other side has room for more, or is gone. */
  async write(bytes: Buffer | string): Promise<void> {
    if (this.socket.destroyed || !this.socket.writable) return;
    if (this.socket.write(bytes)) return;
    const done = new AbortController();
    const either = ["drain", "close"].map((event) => once(this.socket, event, { signal: done.signal }));
    await Promise.race(either).catch(() => undefined);
    done.abort();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Resolves when the other side has gone. */
  async gone(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Headers with the empty line behind them, or undefined when the connection ends before. */
  async readHead(): Promise<Buffer | undefined> {
    let head = Buffer.alloc(0);
    for (;;) {
      const end = head.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.unread(head.subarray(end + 4));
        return head.subarray(0, end + 4);
      }
      const more = await this.read();
      if (more === undefined) return undefined;
      head = Buffer.concat([head, more]);
    }
  }

  /** The pieces of a body, as they come; ends where the message or the connection ends. */
  async *body(head: Buffer): AsyncGenerator<Buffer> {
    const length = bodyLength(head);
    if (length === "chunked") {
      yield* this.#chunked();
      return;
    }
    for (let left = length; left > 0; ) {
      const piece = await this.read();
      if (piece === undefined) return;
      this.unread(piece.subarray(left));
      yield piece.subarray(0, left);
      left -= Math.min(left, piece.length);
    }
  }

  async *#chunked(): AsyncGenerator<Buffer> {
    let tail = "";
    while (!tail.endsWith("0\r\n\r\n")) {
      const piece = await this.read();
      if (piece === undefined) return;
      tail = (tail + piece.toString("latin1")).slice(-5);
      yield piece;
    }
  }
}

/** Bytes of the body behind these headers. */
function bodyLength(head: Buffer): number | "chunked" {
  const text = head.toString("latin1");
  if (/^HTTP\/1\.\d (?:1\d\d|204|304)\b/.test(text)) return 0;
  if (/^transfer-encoding:\s*chunked/im.test(text)) return "chunked";
  return Number(/^content-length:\s*(\d+)/im.exec(text)?.[1] ?? 0);
}

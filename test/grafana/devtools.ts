// The DevTools protocol of a Chromium, as far as the suite needs it: commands with answers, and events, over one
// WebSocket with one session per page. Knows nothing of Grafana.
import { WebSocket } from "ws";
import * as z from "zod";

const Message = z.union([
  z.object({
    id: z.int(),
    result: z.unknown().optional(),
    error: z.object({ message: z.string() }).optional(),
  }),
  z.object({ method: z.string(), params: z.unknown().optional(), sessionId: z.string().optional() }),
]);

type Listener = (params: unknown) => void;

interface Waiting {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to a browser. */
export class DevTools {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, Listener[]>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#receive(String(data)));
    socket.on("close", () => {
      for (const { method, reject } of this.#waiting.values())
        reject(new Error(`the browser has gone during ${method}`));
      this.#waiting.clear();
    });
    // What follows is a close.
    socket.on("error", () => undefined);
  }

  /** Resolves when the browser at `url` (ws://…) has answered the handshake. */
  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url, { maxPayload: 256 * 1024 * 1024, perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new DevTools(socket);
  }

  /** The command's result, checked. Rejects with the browser's words. */
  async send<T>(method: string, params: object, answer: z.ZodType<T>, sessionId?: string): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    const result = await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { method, resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
    return answer.parse(result);
  }

  /** Hears an event of one page. */
  on(sessionId: string, method: string, listener: Listener): void {
    const key = `${sessionId} ${method}`;
    this.#listeners.set(key, [...(this.#listeners.get(key) ?? []), listener]);
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.terminate();
    await closed;
  }

  #receive(text: string): void {
    const message = Message.parse(JSON.parse(text));
    if ("method" in message) {
      for (const listener of this.#listeners.get(`${message.sessionId} ${message.method}`) ?? [])
        listener(message.params);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) waiting?.reject(new Error(`${waiting.method}: ${message.error.message}`));
    else waiting?.resolve(message.result);
  }
}

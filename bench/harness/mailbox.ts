// Messages between the harness and the process that it measures: a topic and plain data. Both sides use this; a message
// waits until somebody asks for its topic.
import * as z from "zod";

const MessageSchema = z.object({ topic: z.string(), data: z.unknown().optional() });

/** What crosses between the processes. */
export type Message = z.output<typeof MessageSchema>;

/** One message from anywhere; throws when it is none of ours. */
export function messageFrom(raw: unknown): Message {
  return MessageSchema.parse(raw);
}

interface Waiter {
  resolve(data: unknown): void;
  reject(error: Error): void;
}

export class Mailbox {
  readonly #waiting = new Map<string, unknown[]>();
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #listeners = new Map<string, (data: unknown) => void>();
  #closed: Error | undefined;

  put({ topic, data }: Message): void {
    const listener = this.#listeners.get(topic);
    if (listener !== undefined) {
      listener(data);
      return;
    }
    const waiter = this.#waiters.get(topic)?.shift();
    if (waiter !== undefined) waiter.resolve(data);
    else this.#waiting.set(topic, [...(this.#waiting.get(topic) ?? []), data]);
  }

  /** The next message of a topic, checked. Rejects when the other side ends before it. */
  async take<S extends z.ZodType>(topic: string, schema: S): Promise<z.output<S>> {
    const queued = this.#waiting.get(topic) ?? [];
    if (queued.length > 0) return schema.parse(queued.shift());
    if (this.#closed !== undefined) throw this.#closed;
    const data = await new Promise<unknown>((resolve, reject) => {
      this.#waiters.set(topic, [...(this.#waiters.get(topic) ?? []), { resolve, reject }]);
    });
    return schema.parse(data);
  }

  /** Calls `listener` for every message of a topic from now on. */
  listen<S extends z.ZodType>(topic: string, schema: S, listener: (data: z.output<S>) => void): void {
    this.#listeners.set(topic, (data) => listener(schema.parse(data)));
    for (const data of this.#waiting.get(topic) ?? []) listener(schema.parse(data));
    this.#waiting.delete(topic);
  }

  /** The other side is gone: whoever waits gets the error. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(error);
    this.#waiters.clear();
  }
}

// The producer of live traffic, in a process of its own so that it does not count as the service: the W90 mix at a rate, sent
// as it becomes due, without waiting for earlier rows, as events come. A few rows a second are announced to the harness.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import * as z from "zod";
import { type Clock, systemClock } from "../../ingest/clock.ts";
import { type Channel, defineTask } from "../harness/task.ts";
import { PacedW90 } from "../workload/paced_w90.ts";
import type { TimedRow } from "../workload/w90/stream.ts";

const InputSchema = z.object({
  /** Where the service takes the rows (load.ts). */
  port: z.int(),
  rowsPerSecond: z.number().min(1),
  markersPerSecond: z.number().min(0.01),
  seed: z.int(),
});

export type ProducerInput = z.output<typeof InputSchema>;

const TICK_MS = 10;

export const task = defineTask({
  name: "load_producer",
  input: InputSchema,
  output: z.null(),
  async run(input, channel) {
    const socket = connect(input.port, "127.0.0.1");
    await once(socket, "connect");
    const producer = new Producer(input, socket, channel, systemClock());
    createInterface({ input: socket }).on("line", (line) => producer.obey(line));
    await producer.run();
    await once(socket, "close");
    return null;
  },
});

class Producer {
  readonly #socket: Socket;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #paced: PacedW90;
  readonly #markerEveryMs: number;
  readonly #stopping = new AbortController();
  #markersAtMs = Number.POSITIVE_INFINITY;
  #lateMaxMs = 0;

  constructor(
    { seed, rowsPerSecond, markersPerSecond }: z.output<typeof InputSchema>,
    socket: Socket,
    channel: Channel,
    clock: Clock,
  ) {
    this.#socket = socket;
    this.#channel = channel;
    this.#clock = clock;
    this.#paced = new PacedW90({ seed, startUs: clock.nowUs(), rowsPerSecond });
    this.#markerEveryMs = 1000 / markersPerSecond;
  }

  /** The service's commands: figures begin, and rows are announced from now on; or the end. */
  obey(command: string): void {
    if (command === "stop") {
      this.#stopping.abort();
      return;
    }
    this.#lateMaxMs = 0;
    this.#markersAtMs = this.#clock.monotonicMs();
  }

  /** Sends until it is told to stop; the last line tells how late it was at the most. */
  async run(): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    for (let tick = 1; !this.#stopping.signal.aborted; tick++) {
      const dueMs = startMs + tick * TICK_MS;
      const beganMs = this.#clock.monotonicMs();
      if (dueMs > beganMs) await this.#clock.sleep(dueMs - beganMs, this.#stopping.signal);
      const nowMs = this.#clock.monotonicMs();
      this.#lateMaxMs = Math.max(this.#lateMaxMs, nowMs - dueMs);
      this.#send(this.#paced.due(nowMs - startMs), nowMs);
    }
    this.#socket.write(`${JSON.stringify(this.#lateMaxMs)}\n`);
  }

  #send(due: ReadonlyMap<string, readonly TimedRow[]>, nowMs: number): void {
    // A time of its own for every row: it is what the harness finds the row by.
    for (const rows of due.values()) for (const row of rows) row.ts = this.#clock.nowUs();
    if (due.size > 0) this.#socket.write(`${JSON.stringify([...due])}\n`);
    this.#announce(due, nowMs);
  }

  /** One row of this tick, each as likely as any other, so that large and small tables count as they write. */
  #announce(due: ReadonlyMap<string, readonly TimedRow[]>, nowMs: number): void {
    if (nowMs < this.#markersAtMs) return;
    const total = [...due.values()].reduce((sum, rows) => sum + rows.length, 0);
    if (total === 0) return;
    this.#markersAtMs += this.#markerEveryMs;
    let at = Math.floor(Math.random() * total);
    for (const [table, rows] of due) {
      const row = rows[at];
      if (row !== undefined) {
        this.#channel.send("marker", { table, tsUs: row.ts, acceptedUs: row.ts });
        return;
      }
      at -= rows.length;
    }
  }
}

// Live traffic as the measured service takes it: rows come from the producer's process (load_producer.ts) as a line of JSON a
// tick and are handed to the intake as values, as a source in this process would do.
import { createServer, type Server, type Socket } from "node:net";
import { createHistogram } from "node:perf_hooks";
import { createInterface } from "node:readline";
import * as z from "zod";
import type { Clock } from "../../ingest/clock.ts";
import type { Pipeline } from "../../ingest/pipeline.ts";
import { acceptAll } from "./bench_pipeline.ts";

const TickSchema = z.array(z.tuple([z.string(), z.array(z.unknown())]));

export interface LoadReport {
  /** Rows accepted by table, warm-up included. */
  readonly accepted: Record<string, number>;
  /** Without the warm-up. */
  readonly rows: number;
  readonly durableP50Ms: number;
  readonly durableP99Ms: number;
  /** Latest start of a tick after it was due: above some tens of ms the producer itself was too slow. */
  readonly lateMaxMs: number;
}

/** Figures count from the last `restart` on. */
export class Load {
  readonly port: number;
  readonly #pipeline: Pipeline;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #producer: Promise<Socket>;
  readonly #late: Promise<number>;
  readonly #accepted = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  #durable = createHistogram();
  #rows = 0;
  #failure: unknown;

  private constructor(pipeline: Pipeline, clock: Clock, server: Server) {
    this.#pipeline = pipeline;
    this.#clock = clock;
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    this.#producer = new Promise((resolve) => void server.once("connection", resolve));
    this.#late = this.#producer.then((socket) => this.#take(socket));
  }

  /** Waits for a producer at `port`. */
  static async listen(pipeline: Pipeline, clock: Clock): Promise<Load> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Load(pipeline, clock, server);
  }

  /** The warm-up is over. Resolves when the producer has been told; there must be one. */
  async restart(): Promise<void> {
    (await this.#producer).write("restart\n");
    this.#durable = createHistogram();
    this.#rows = 0;
  }

  /** Ends the producer. Resolves when every row is durable. */
  async stop(): Promise<LoadReport> {
    const producer = await this.#producer;
    producer.write("stop\n");
    const lateMaxMs = await this.#late;
    await Promise.all(this.#underWay);
    producer.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.#failure !== undefined) throw this.#failure;
    const ms = (q: number) => (this.#durable.count === 0 ? 0 : this.#durable.percentile(q) / 1000);
    return {
      accepted: Object.fromEntries(this.#accepted),
      rows: this.#rows,
      durableP50Ms: ms(50),
      durableP99Ms: ms(99),
      lateMaxMs,
    };
  }

  /** Resolves with the last line: how late the producer was. */
  async #take(socket: Socket): Promise<number> {
    for await (const line of createInterface({ input: socket })) {
      const tick: unknown = JSON.parse(line);
      if (typeof tick === "number") return tick;
      for (const [table, rows] of TickSchema.parse(tick)) this.#accept(table, rows);
    }
    throw new Error("the producer went away");
  }

  #accept(table: string, rows: readonly unknown[]): void {
    const startMs = this.#clock.monotonicMs();
    const work = acceptAll(this.#pipeline, table, rows)
      .then(() => {
        this.#accepted.set(table, (this.#accepted.get(table) ?? 0) + rows.length);
        this.#rows += rows.length;
        this.#durable.record(Math.max(1, Math.round((this.#clock.monotonicMs() - startMs) * 1000)));
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }
}

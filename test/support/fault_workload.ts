// The workload as a process of its own: producers that send rows through the gateway as fast as they are acknowledged,
// and keep a journal. It outlives the service. Commands come as lines of JSON on stdin, counts go out on stdout; it ends
// with its stdin. Started by fault_load.ts.
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { type Batch, createJournal, type JournalWriter } from "./fault_journal.ts";
import type { LoadCommand, LoadCounts } from "./fault_load.ts";
import { FAULT_TABLES, type FaultTable, faultRow, type Workload } from "./fault_rows.ts";

const TOLD_EVERY_MS = 50;
const PAUSE_MS = 20;
const GIVE_UP_SHARE = 0.2;
/** Longer than anything the service may take: an answer that comes must never meet a producer who has gone on. */
const PATIENCE_MS = 120_000;

const agent = new Agent({ connections: 8, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });

type Start = Extract<LoadCommand, { command: "start" }>;

class Run {
  readonly #start: Start;
  readonly #workload: Workload;
  readonly #journal: JournalWriter;
  readonly #answers: Record<string, number> = {};
  readonly #next = new Map<string, number>();
  readonly #producers: Promise<unknown>;
  #acknowledged = 0;
  #stopping = false;

  constructor(start: Start, workload: Workload, journal: JournalWriter) {
    this.#start = start;
    this.#workload = workload;
    this.#journal = journal;
    this.#producers = Promise.all(
      Array.from({ length: start.producers }, (_, index) => this.#produce(index)),
    );
    this.#producers.catch(fail);
  }

  counts(): LoadCounts {
    return { mark: this.#start.mark, acknowledged: this.#acknowledged, answers: this.#answers };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#producers;
    await this.#journal.close();
  }

  async #produce(producer: number): Promise<void> {
    const { seed, rowsMax, tables } = this.#start;
    const random = new RandomStream(seed, `producer/${producer}`);
    for (let turn = producer; !this.#stopping; turn++) {
      const table = tables[turn % tables.length] ?? "signals";
      const batch = this.#nextBatch(table, producer, 1 + Math.floor(random.next() * rowsMax));
      await this.#journal.sent(batch);
      await this.#sendUntilTaken(batch, random);
      if (this.#start.pauseMs > 0) await delay(this.#start.pauseMs * random.next());
    }
  }

  /** The same rows again and again, or given up, as a real producer would: never later rows before. */
  async #sendUntilTaken(batch: Batch, random: RandomStream): Promise<void> {
    const body = bodyOf(batch, this.#workload);
    for (;;) {
      const status = await this.#post(batch, body);
      this.#answers[status] = (this.#answers[status] ?? 0) + 1;
      if (status === 202) {
        await this.#journal.acknowledged(batch);
        this.#acknowledged += batch.to - batch.from + 1;
        return;
      }
      if (this.#stopping || random.next() < GIVE_UP_SHARE) return;
      await delay(PAUSE_MS);
    }
  }

  #nextBatch(table: FaultTable, producer: number, rows: number): Batch {
    const key = `${table}/${producer}`;
    const from = (this.#next.get(key) ?? 0) + 1;
    const to = from + rows - 1;
    this.#next.set(key, to);
    return { table, producer, from, to };
  }

  /** The answer's status; 0 without one. */
  async #post({ table, from, to }: Batch, body: string): Promise<number> {
    let text: string;
    try {
      const headers = { "content-type": "application/x-ndjson" };
      const url = `${this.#start.http}/v1/events/${table}`;
      const answer = await request(url, { method: "POST", headers, body, dispatcher: agent });
      text = await answer.body.text();
      if (answer.statusCode === 400) throw new RangeError(text);
      if (answer.statusCode !== 202) return answer.statusCode;
    } catch (error) {
      if (error instanceof RangeError) throw error;
      return 0;
    }
    if (JSON.parse(text).accepted !== to - from + 1)
      throw new RangeError(`not all rows were accepted: ${text}`);
    return 202;
  }
}

function bodyOf({ table, producer, from, to }: Batch, workload: Workload): string {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return numbers.map((number) => JSON.stringify(faultRow({ table, producer, number }, workload))).join("\n");
}

function tell(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

let run: Run | undefined;

async function obey(command: LoadCommand): Promise<void> {
  if (command.command === "start") {
    const workload = { mark: command.mark, startUs: Date.now() * 1_000 };
    run = new Run(command, workload, await createJournal(command.journal, workload));
    return;
  }
  await run?.stop();
  tell({ ...run?.counts(), stopped: true });
  run = undefined;
}

setInterval(() => run && tell(run.counts()), TOLD_EVERY_MS).unref();
const commands = createInterface({ input: process.stdin });
commands.on("line", (line) => void obey(JSON.parse(line)).catch(fail));
commands.once("close", () => process.exit(0));
tell({ ready: FAULT_TABLES });

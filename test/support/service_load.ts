// Producers that push rows through the gateway as fast as it acknowledges them, and keep a journal: what was sent, what
// was acknowledged. They outlive the service; a request that failed is sent again, or given up, as a real one's would be.
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { until } from "./questdb_until.ts";

/** Tables that the producers write to, in turns. */
const LOAD_TABLES = ["signals", "orders"] as const;

export interface Load {
  /** Tells the rows of this load from all others: strategy in `signals`, account in `orders`. */
  readonly mark: string;
  /** Number of every row that was in a request, in whatever state. It is the row's price and in its id. */
  readonly sent: ReadonlySet<number>;
  readonly acknowledged: ReadonlySet<number>;
  /** Answers by status; 0 stands for no answer. */
  readonly answers: ReadonlyMap<number, number>;
  /** Resolves when so many more rows were acknowledged. */
  acknowledges(more: number): Promise<void>;
  /** Ends the producers; resolves when no request is under way. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** Base address of the gateway. */
  readonly http: string;
  readonly mark: string;
  /** Same seed, same sizes of requests and same choices after failures. */
  readonly seed: number;
  readonly producers?: number;
  readonly rowsMax?: number;
}

const PAUSE_MS = 20;
const GIVE_UP_SHARE = 0.3;

export function startLoad(options: LoadOptions): Load {
  const { http, mark, seed, producers = 3, rowsMax = 60 } = options;
  const sent = new Set<number>();
  const acknowledged = new Set<number>();
  const answers = new Map<number, number>();
  const stopping = new AbortController();
  let lastUs = 0;

  function nextBatch(rows: number): readonly number[] {
    const first = sent.size + 1;
    const numbers = Array.from({ length: rows }, (_, index) => first + index);
    for (const number of numbers) sent.add(number);
    return numbers;
  }

  function bodyOf(table: (typeof LOAD_TABLES)[number], numbers: readonly number[]): string {
    return numbers
      .map((number) => {
        lastUs = Math.max(lastUs + 1, Date.now() * 1000);
        return JSON.stringify(rowOf(table, mark, number, lastUs));
      })
      .join("\n");
  }

  async function produce(index: number): Promise<void> {
    const random = new RandomStream(seed, `producer/${index}`);
    for (let turn = index; !stopping.signal.aborted; turn++) {
      const table = LOAD_TABLES[turn % LOAD_TABLES.length] ?? "signals";
      const numbers = nextBatch(1 + Math.floor(random.next() * rowsMax));
      const body = bodyOf(table, numbers);
      for (;;) {
        const status = await post(`${http}/v1/events/${table}`, body, numbers.length);
        answers.set(status, (answers.get(status) ?? 0) + 1);
        if (status === 202) {
          for (const number of numbers) acknowledged.add(number);
          break;
        }
        if (stopping.signal.aborted || random.next() < GIVE_UP_SHARE) break;
        await delay(PAUSE_MS);
      }
    }
  }

  const all = Promise.all(Array.from({ length: producers }, (_, index) => produce(index)));
  const stop = async () => {
    stopping.abort();
    await all;
  };
  onTestFinished(stop);
  return {
    ...{ mark, sent, acknowledged, answers, stop },
    async acknowledges(more) {
      const wanted = acknowledged.size + more;
      await until(`${more} more acknowledged rows`, () => acknowledged.size >= wanted, 60_000);
    },
  };
}

/** The answer's status; 0 without an answer. Throws when some row of a request was refused: all are valid. */
async function post(url: string, body: string, rows: number): Promise<number> {
  try {
    const headers = { "content-type": "application/x-ndjson" };
    const signal = AbortSignal.timeout(30_000);
    const answer = await fetch(url, { method: "POST", headers, body, signal });
    const text = await answer.text();
    if (answer.status !== 202) return answer.status;
    if (JSON.parse(text).accepted !== rows) throw new RangeError(`not all rows were accepted: ${text}`);
    return 202;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return 0;
  }
}

function rowOf(table: (typeof LOAD_TABLES)[number], mark: string, number: number, ts: number) {
  const base = { ts, strategy: mark, exchange: "okx", symbol: "BTC/USDT:USDT", price: number };
  const id = idOf(mark, number);
  return table === "signals"
    ? { ...base, event_id: id, indicator: "rsi", signal: "buy" }
    : {
        ...base,
        ...{ account: mark, order_id: id, seq: 1, side: "buy", order_type: "limit" },
        status: "new",
        amount: 1,
      };
}

/** Id of a row in its table. */
export function idOf(mark: string, number: number): string {
  return `${mark}-${number}`;
}
